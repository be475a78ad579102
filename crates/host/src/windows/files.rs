//! Private files, locks, and files that are opened without links. Who may read a file is decided by
//! the folder that it is in: those of the user's profile are closed to others.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::Path;

use super::flags;

/// Creates a folder; its parent decides who can enter. It must not exist.
///
/// # Errors
/// What the system says.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Creates a folder and its parents. Existing ones stay as they are.
///
/// # Errors
/// What the system says.
pub fn make_private_folders(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(path)
}

/// A new file inherits the access rights of its folder.
pub fn with_permissions(options: &mut OpenOptions, _permissions: u32) -> &mut OpenOptions {
    options
}

/// A link at the path is opened itself, and not what it leads to.
pub fn without_links(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(flags::OPEN_REPARSE_POINT)
}

/// Opening never waits on Windows.
pub fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Takes the lock of an open file, shared with nobody. It is given back when the file is closed.
/// Returns false if another program has it. Some network file systems have no locks: there every
/// program goes on.
///
/// # Errors
/// What the system says other than that the lock is taken.
pub fn try_lock(file: &File) -> io::Result<bool> {
    locked(file.try_lock())
}

/// The same, shared with others that share it.
///
/// # Errors
/// As [`try_lock`].
pub fn try_lock_shared(file: &File) -> io::Result<bool> {
    locked(file.try_lock_shared())
}

fn locked(result: Result<(), TryLockError>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Opens what stands for the lock of a folder: a file that goes when it is closed, because folders
/// have no locks.
///
/// # Errors
/// What the system says.
pub fn lock_of_folder(folder: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .custom_flags(flags::OPEN_REPARSE_POINT | flags::DELETE_ON_CLOSE)
        .open(folder.join(".solvekit.lock"))
}

/// Opens what stands for the lock of a folder, as [`lock_of_folder`]. Returns `None` if the folder
/// is a link. Its parent decides who writes to it.
///
/// # Errors
/// What the system says.
pub fn own_folder(path: &Path) -> io::Result<Option<File>> {
    match fs::symlink_metadata(path)?.is_dir() {
        true => lock_of_folder(path).map(Some),
        false => Ok(None),
    }
}

/// True if the open file is still the one at the path.
pub fn is_at(file: &File, path: &Path) -> bool {
    let held = file.try_clone().and_then(same_file::Handle::from_file);
    match (held, same_file::Handle::from_path(path)) {
        (Ok(held), Ok(there)) => held == there,
        _ => false,
    }
}

/// True if the path is a named pipe, which takes the place of sockets.
pub fn is_socket(path: &Path) -> bool {
    let path = path.to_string_lossy().replace('/', "\\");
    path.get(..9)
        .is_some_and(|start| start.eq_ignore_ascii_case(r"\\.\pipe\"))
}

/// True if the path is a file that this system would run as a program; `.exe` may be omitted.
pub fn is_program(path: &Path) -> bool {
    let is_named = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("exe"));
    (is_named && path.is_file()) || path.with_added_extension("exe").is_file()
}

/// Files are created to find out: Windows does not tell before.
///
/// # Errors
/// None on Windows.
pub fn check_writable(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes `link` another name of a program, or a copy on another drive.
///
/// # Errors
/// What the system says.
pub fn link_program(program: &Path, link: &Path) -> io::Result<()> {
    fs::hard_link(program, link).or_else(|_| fs::copy(program, link).map(drop))
}
