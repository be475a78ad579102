//! The owners of files and processes.

use std::fs::{self, File, Metadata};
use std::os::unix::fs::{MetadataExt as _, fchown, lchown};
use std::path::Path;

/// The variable with the user's home folder.
pub const HOME: &str = "HOME";

/// Returns the number of this user. Windows has none.
pub fn user_id() -> Option<u32> {
    Some(rustix::process::getuid().as_raw())
}

/// True if the process may do everything.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Gives a file the owner of the one that it replaces. Only root can: for other users the file
/// stays theirs.
pub fn keep(file: &File, before: &Metadata) {
    let _ = fchown(file, Some(before.uid()), Some(before.gid()));
}

/// Gives a new file to the owner of its folder if root writes it: files that root writes into a
/// user's folder (with sudo) must belong to the user, or the user could not use them any more.
pub fn give_file(folder: &Path, file: &File) {
    if let Some((user, group)) = other_owner(folder) {
        let _ = fchown(file, Some(user), Some(group));
    }
}

/// The same for a path; a link is given, not what it leads to.
pub fn give_path(folder: &Path, path: &Path) {
    if let Some((user, group)) = other_owner(folder) {
        let _ = lchown(path, Some(user), Some(group));
    }
}

fn other_owner(folder: &Path) -> Option<(u32, u32)> {
    let owner = fs::metadata(folder).ok()?;
    (is_root() && owner.uid() != 0).then(|| (owner.uid(), owner.gid()))
}
