//! Distinguishes an archive from a single Dockerfile by its first bytes, like the reference. It
//! also detects zstd, which the daemon can unpack.

/// True if it is compressed with bzip2, gzip, xz or zstd, or is a tar archive.
pub(crate) fn is_archive(start: &[u8]) -> bool {
    const MAGIC: [&[u8]; 4] = [b"BZh", b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"];
    MAGIC.iter().any(|magic| start.starts_with(magic)) || is_tar(start)
}

/// A tar header contains the sum of its bytes, computed with blanks in place of the sum.
fn is_tar(start: &[u8]) -> bool {
    let Some(header) = start.get(..512) else {
        return false;
    };
    let text = std::str::from_utf8(&header[148..156]).unwrap_or_default();
    let text = text.trim_matches([' ', '\0']);
    let Ok(written) = u64::from_str_radix(text, 8) else {
        return false;
    };
    let sum = header.iter().enumerate().map(|(at, byte)| match at {
        148..156 => u64::from(b' '),
        _ => u64::from(*byte),
    });
    sum.sum::<u64>() == written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_distinguished_from_dockerfiles() {
        assert!(is_archive(b"\x1f\x8b\x08\x00"));
        assert!(is_archive(b"BZh91AY"));
        assert!(!is_archive(b"FROM alpine\n"));
        assert!(!is_archive(&[b'#'; 1024]));
        let mut header = [0_u8; 512];
        header[..4].copy_from_slice(b"name");
        let sum = 8 * 32 + b"name".iter().map(|byte| u32::from(*byte)).sum::<u32>();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        assert!(is_archive(&header));
        header[0] = b'N';
        assert!(!is_archive(&header));
    }
}
