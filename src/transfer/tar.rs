//! The headers of new tar archives.

pub(super) const BLOCK: u64 = 512;

/// The header of a file that anybody may read, or, with a name that ends in a slash, of a folder; an extended one before it if
/// the name is long. The time is 1970, so that the same image is the same archive.
pub(super) fn header(name: &str, size: u64) -> Vec<u8> {
    let mut headers = Vec::new();
    if name.len() > 100 {
        let line = extended_line("path", name);
        headers.extend(plain_header("long-name", b'x', line.len() as u64));
        headers.extend_from_slice(line.as_bytes());
        headers.resize(headers.len().next_multiple_of(BLOCK as usize), 0);
    }
    let kind = if name.ends_with('/') { b'5' } else { b'0' };
    headers.extend(plain_header(name, kind, size));
    headers
}

/// The length counts itself.
fn extended_line(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    format!("{length} {key}={value}\n")
}

fn plain_header(name: &str, kind: u8, size: u64) -> [u8; BLOCK as usize] {
    let mut header = [0; BLOCK as usize];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &name.as_bytes()[..name.len().min(100)]);
    put(
        100,
        if kind == b'5' {
            b"0000755\0"
        } else {
            b"0000644\0"
        },
    );
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    if size < 1 << 33 {
        put(124, format!("{size:011o}\0").as_bytes());
    } else {
        put(124, &[0x80, 0, 0, 0]);
        put(128, &size.to_be_bytes());
    }
    put(136, b"00000000000\0");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum = checksum(&header);
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

/// What follows a file of this size until the next header.
pub(super) fn padding(size: u64) -> usize {
    (size.next_multiple_of(BLOCK) - size) as usize
}

/// What ends an archive.
pub(super) const END: usize = 2 * BLOCK as usize;

/// The sum of a header's bytes, its own field being spaces.
pub(super) fn checksum(header: &[u8]) -> u64 {
    let bytes = header.iter().enumerate();
    bytes
        .map(|(place, byte)| match place {
            148..156 => u64::from(b' '),
            _ => u64::from(*byte),
        })
        .sum()
}
