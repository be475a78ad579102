//! The owners of files and processes. Files belong to who creates them.

use std::fs::{File, Metadata};
use std::path::Path;

/// The variable with the user's home folder.
pub const HOME: &str = "USERPROFILE";

/// Returns the number of this user. Windows has none.
pub fn user_id() -> Option<u32> {
    None
}

/// True if the process may do everything.
pub fn is_root() -> bool {
    false
}

/// Gives a file the owner of the one that it replaces.
pub fn keep(_file: &File, _before: &Metadata) {}

/// Gives a new file to the owner of its folder.
pub fn give_file(_folder: &Path, _file: &File) {}

/// The same for a path.
pub fn give_path(_folder: &Path, _path: &Path) {}
