//! The time of an archive whose server sends none: that of its newest regular file.

use std::io::{self, Read};

use bzip2_rs::DecoderReader as Bzip2;
use flate2::read::MultiGzDecoder as Gzip;
use ruzstd::decoding::StreamingDecoder as Zstd;

/// The maximum size of an archive, compressed and unpacked, in bytes. A larger one has no time.
pub(super) const MAX_ARCHIVE: u64 = 256 << 20;
const MAX_UNPACKED: u64 = 16 << 30;
/// xz is unpacked in memory, so its size is limited separately.
const MAX_UNPACKED_XZ: usize = 256 << 20;

/// Returns the time of the newest regular file in a tar archive, in seconds since 1970. The archive
/// may be compressed with gzip, zstd, xz or bzip2. Returns `None` for anything else, and for
/// archives that are empty, damaged or too large.
pub(super) fn newest_file(archive: &[u8]) -> Option<i64> {
    const XZ: &[u8] = b"\xfd7zXZ\0";
    let reader: Box<dyn Read + '_> = match archive {
        [0x1f, 0x8b, 0x08, ..] => Box::new(Gzip::new(archive)),
        [b'B', b'Z', b'h', ..] => Box::new(Bzip2::new(archive)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(Zstd::new(archive).ok()?),
        _ if archive.starts_with(XZ) => Box::new(io::Cursor::new(unpack_xz(archive)?)),
        _ => Box::new(archive),
    };
    newest(reader.take(MAX_UNPACKED)).ok().flatten()
}

fn newest(tar: impl Read) -> io::Result<Option<i64>> {
    let mut archive = tar::Archive::new(tar);
    let mut newest = None;
    for entry in archive.entries()? {
        let mut entry = entry?;
        // BuildKit counts hard links and sparse files as regular ones.
        let kind = entry.header().entry_type();
        if !(kind.is_file() || kind.is_hard_link() || kind.is_gnu_sparse() || kind.is_contiguous())
        {
            continue;
        }
        let plain = entry.header().mtime()?;
        let time = match precise(&mut entry)? {
            Some(time) => time,
            None => i64::try_from(plain).unwrap_or(i64::MAX),
        };
        newest = newest.max(Some(time));
    }
    Ok(newest)
}

/// Returns the time of an extended header, which may have fractions of a second.
fn precise(entry: &mut tar::Entry<'_, impl Read>) -> io::Result<Option<i64>> {
    let Some(extensions) = entry.pax_extensions()? else {
        return Ok(None);
    };
    for extension in extensions {
        let extension = extension?;
        if extension.key() == Ok("mtime") {
            let text = extension.value().unwrap_or_default();
            let seconds = text.split('.').next().unwrap_or_default();
            return Ok(seconds.parse().ok());
        }
    }
    Ok(None)
}

fn unpack_xz(mut archive: &[u8]) -> Option<Vec<u8>> {
    let mut unpacked = Bounded(Vec::new());
    lzma_rs::xz_decompress(&mut archive, &mut unpacked).ok()?;
    Some(unpacked.0)
}

/// A buffer with a size limit.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_UNPACKED_XZ {
            return Err(io::Error::other(
                "the archive is too large when it is unpacked",
            ));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use super::*;

    fn tar(files: &[(&str, tar::EntryType, u64)]) -> Vec<u8> {
        let mut made = tar::Builder::new(Vec::new());
        for (name, kind, time) in files {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_size(0);
            header.set_mtime(*time);
            header.set_path(name).unwrap();
            header.set_cksum();
            made.append(&header, io::empty()).unwrap();
        }
        made.into_inner().unwrap()
    }

    /// Returns the output of a compression program.
    fn compressed(program: &str, bytes: &[u8]) -> Vec<u8> {
        let mut child = Command::new(program)
            .arg("-c")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program} is needed for this test: {error}"));
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        child.wait_with_output().unwrap().stdout
    }

    #[test]
    fn the_newest_regular_file_counts_in_any_compression() {
        let archive = tar(&[
            ("a", tar::EntryType::Regular, 5),
            ("b", tar::EntryType::Regular, 7),
            ("dir", tar::EntryType::Directory, 9),
        ]);
        assert_eq!(newest_file(&archive), Some(7));
        for program in ["gzip", "bzip2", "xz"] {
            assert_eq!(
                newest_file(&compressed(program, &archive)),
                Some(7),
                "{program}"
            );
        }
        let zstd = ruzstd::encoding::compress_to_vec(
            &archive[..],
            ruzstd::encoding::CompressionLevel::Fastest,
        );
        assert_eq!(newest_file(&zstd), Some(7));
    }

    #[test]
    fn what_is_no_archive_or_has_no_file_has_no_time() {
        assert_eq!(newest_file(b"FROM scratch\n"), None);
        assert_eq!(newest_file(b"\x1f\x8b\x08 broken"), None);
        let folders = tar(&[("dir", tar::EntryType::Directory, 9)]);
        assert_eq!(newest_file(&folders), None);
    }
}
