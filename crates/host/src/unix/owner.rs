//! The owners of files and processes.

use std::fs::{self, File, Metadata};
use std::os::unix::fs::{MetadataExt as _, fchown, lchown};
use std::path::Path;

/// The variable with the user's home folder.
pub const HOME: &str = "HOME";

/// Returns the user id of this process. Windows has none.
pub fn user_id() -> Option<u32> {
    Some(rustix::process::getuid().as_raw())
}

/// True if the process runs as root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Sets the owner of a file to that of the file that it replaces. Only root can do this; other
/// users keep the file.
pub fn keep(file: &File, before: &Metadata) {
    let _ = fchown(file, Some(before.uid()), Some(before.gid()));
}

/// Sets the owner of a new file to that of its folder, if this process runs as root. Otherwise a
/// user could not change files that `sudo` has written to the user's folder.
pub fn give_file(folder: &Path, file: &File) {
    if let Some((user, group)) = other_owner(folder) {
        let _ = fchown(file, Some(user), Some(group));
    }
}

/// Sets the owner of a path, as [`give_file`]. A link is not followed.
pub fn give_path(folder: &Path, path: &Path) {
    if let Some((user, group)) = other_owner(folder) {
        let _ = lchown(path, Some(user), Some(group));
    }
}

fn other_owner(folder: &Path) -> Option<(u32, u32)> {
    let owner = fs::metadata(folder).ok()?;
    (is_root() && owner.uid() != 0).then(|| (owner.uid(), owner.gid()))
}
