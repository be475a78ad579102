//! The owners of files and processes. A file belongs to the user who creates it.

use std::fs::{File, Metadata};
use std::path::Path;

/// The variable with the user's home folder.
pub const HOME: &str = "USERPROFILE";

/// Returns `None`: Windows has no numeric user ids.
pub fn user_id() -> Option<u32> {
    None
}

/// Returns false: Windows has no root.
pub fn is_root() -> bool {
    false
}

/// Does nothing: Windows sets the owner.
pub fn keep(_file: &File, _before: &Metadata) {}

/// Does nothing: Windows sets the owner.
pub fn give_file(_folder: &Path, _file: &File) {}

/// Does nothing: Windows sets the owner.
pub fn give_path(_folder: &Path, _path: &Path) {}
