//! Bounded reads of untrusted files.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Reads a file of at most `limit` bytes.
///
/// # Errors
/// [`ErrorKind::FileTooLarge`] names the limit, also for endless sources such as devices; others if
/// the file cannot be read.
pub fn read_at_most(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    take_at_most(File::open(path)?, limit)
}

/// Reads a source to its end if it has at most `limit` bytes. Uses no more memory than that.
///
/// # Errors
/// As [`read_at_most`].
pub fn take_at_most(source: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(limit + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > limit {
        true => Err(too_large(limit)),
        false => Ok(bytes),
    }
}

/// Returns the error for content larger than a limit in bytes: [`ErrorKind::FileTooLarge`].
pub fn too_large(limit: u64) -> io::Error {
    const UNITS: [(u64, &str); 3] = [(1 << 20, "MiB"), (1 << 10, "KiB"), (1, "bytes")];
    let unit = UNITS.iter().find(|(size, _)| limit.is_multiple_of(*size));
    let (size, name) = unit.copied().unwrap_or((1, "bytes"));
    let text = format!("it is larger than the limit of {} {name}", limit / size);
    io::Error::new(ErrorKind::FileTooLarge, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_limit_is_an_error_that_names_it() {
        assert_eq!(take_at_most(&b"12345"[..], 5).unwrap(), b"12345");
        for source in [&b"123456"[..], &[b'x'; 1000]] {
            let error = take_at_most(source, 5).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::FileTooLarge);
            assert!(error.to_string().contains("limit of 5 bytes"), "{error}");
        }
    }

    #[test]
    fn what_has_no_end_takes_no_more_memory_than_the_limit() {
        let error = read_at_most(Path::new("/dev/zero"), 1 << 16).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        let told = error.to_string();
        assert_eq!(told, "it is larger than the limit of 64 KiB");
        let mut read = 0_u64;
        let counted = CountingZeros(&mut read);
        take_at_most(counted, 1 << 16).unwrap_err();
        assert_eq!(read, (1 << 16) + 1);
    }

    struct CountingZeros<'a>(&'a mut u64);

    impl Read for CountingZeros<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            buffer.fill(0);
            *self.0 += buffer.len() as u64;
            Ok(buffer.len())
        }
    }
}
