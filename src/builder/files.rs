//! Reads and writes the store's files. Writes are atomic, and the files belong to the folder's
//! owner.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use solvekit_host::files::make_private_folders;
use solvekit_host::{is_missing, owner};

use super::Error;
use crate::files::{AtomicFile, read_at_most};

/// The largest file that is read, in bytes.
pub(super) const LIMIT: u64 = 16 << 20;

/// Reads a file; `None` if it does not exist.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match read_at_most(path, LIMIT) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(failed("read", path)(error)),
    }
}

/// Creates a folder and its parents, accessible to their owner only.
pub(super) fn make_folder(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Ok(());
    }
    make_private_folders(path).map_err(failed("create", path))?;
    if let Some(parent) = path.parent() {
        owner::give_path(parent, path);
    }
    Ok(())
}

/// Replaces a file atomically. The temporary file is in `folder`, the store's root, because buildx
/// treats every file beside a builder's as a builder.
pub(super) fn write(folder: &Path, path: &Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    let written = || filled(folder, path, bytes, mode)?.commit();
    written().map_err(failed("write", path))
}

/// As [`write`], without waiting for the disk: a file that may be lost. It can be empty if the
/// machine crashes soon after.
pub(super) fn write_unsynced(
    folder: &Path,
    path: &Path,
    bytes: &[u8],
    mode: u32,
) -> Result<(), Error> {
    let written = || filled(folder, path, bytes, mode)?.commit_unsynced();
    written().map_err(failed("write", path))
}

fn filled(folder: &Path, path: &Path, bytes: &[u8], mode: u32) -> io::Result<AtomicFile> {
    let mut file = AtomicFile::create_in(folder, path, mode)?;
    file.write_all(bytes)?;
    owner::give_file(folder, file.file());
    Ok(file)
}

/// Removes a file; a missing one is not an error.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if !is_missing(&error) => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

pub(super) fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File {
        action,
        path,
        source,
    }
}
