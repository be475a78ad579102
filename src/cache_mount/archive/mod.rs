//! Tar archives of cache mounts: written as PAX, read in all common forms.

mod extended;
mod read;
mod time;
mod write;

use std::io;

pub(super) use read::{read, read_file};
pub(super) use write::write;

use super::{ArchiveProblem, Error};

/// The size of a block, in bytes.
const BLOCK: usize = 512;
/// The prefix of extended attributes' names, as in GNU tar, bsdtar and star.
const XATTR: &str = "SCHILY.xattr.";

fn zeros(count: usize) -> Vec<u8> {
    vec![0; count]
}

fn padding_of(size: u64) -> usize {
    let rest = (size % BLOCK as u64) as usize;
    (BLOCK - rest) % BLOCK
}

fn broken(problem: ArchiveProblem) -> Error {
    Error::Archive {
        path: String::new(),
        problem,
    }
}

/// Parses a number in a header. Some writers leave unused fields empty.
fn number(field: &[u8], parsed: io::Result<u64>) -> Result<u64, Error> {
    match field.iter().all(|byte| matches!(byte, 0 | b' ')) {
        true => Ok(0),
        false => parsed.map_err(|_| broken(ArchiveProblem::Header)),
    }
}

#[cfg(test)]
mod tests;
