//! Private files, locks, and files that are opened without links. The folder of a file decides who
//! can read it; folders of the user's profile are closed to others.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::{Component, Path, PathBuf, Prefix};
use std::thread;
use std::time::{Duration, Instant};

use super::flags;

/// The longest wait for a lock file that is being removed, and the time between two attempts.
const PATIENCE: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_millis(20);

/// Creates a folder; its parent decides who can enter. It must not exist.
///
/// # Errors
/// If the system call fails.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}

/// Creates a folder and its parents. Existing ones stay as they are.
///
/// # Errors
/// If the system call fails.
pub fn make_private_folders(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(path)
}

/// Changes nothing: a new file inherits the access rights of its folder.
pub fn with_permissions(options: &mut OpenOptions, _permissions: u32) -> &mut OpenOptions {
    options
}

/// Opens a link at the path itself, not its target.
pub fn without_links(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(flags::OPEN_REPARSE_POINT)
}

/// Changes nothing: opening never waits on Windows.
pub fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Takes the exclusive lock of an open file, until the file is closed. Returns false if another
/// program has the lock, and true if the file system has no locks, as some network file systems.
///
/// # Errors
/// If the system call fails for another reason.
pub fn try_lock(file: &File) -> io::Result<bool> {
    locked(file.try_lock())
}

/// Takes a shared lock of an open file, otherwise as [`try_lock`].
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

/// Opens the file to lock for a folder, because folders have no locks on Windows. The file is
/// removed when it is closed. Waits at most ten seconds for one that is being removed.
///
/// # Errors
/// If the system call fails.
pub fn lock_of_folder(folder: &Path) -> io::Result<File> {
    let end = Instant::now() + PATIENCE;
    loop {
        match open_lock(folder)? {
            Some(file) => return Ok(file),
            None if Instant::now() >= end => return Err(io::ErrorKind::PermissionDenied.into()),
            None => thread::sleep(INTERVAL),
        }
    }
}

/// Opens the file to lock for a folder, as [`lock_of_folder`]. Returns `None` if the folder is a
/// link, or if its lock file is being removed: another program still has it. The access rights of
/// its parent decide who can write to it.
///
/// # Errors
/// If the system call fails.
pub fn own_folder(path: &Path) -> io::Result<Option<File>> {
    match fs::symlink_metadata(path)?.is_dir() {
        true => open_lock(path),
        false => Ok(None),
    }
}

/// Returns `None` if a program has closed the lock file and another one has not yet: it can no
/// longer be opened, and is removed when the last one closes it.
fn open_lock(folder: &Path) -> io::Result<Option<File>> {
    let path = folder.join(".solvekit.lock");
    let open = || {
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .custom_flags(flags::OPEN_REPARSE_POINT | flags::DELETE_ON_CLOSE)
            .open(&path)
    };
    match open() {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        opened => return opened.map(Some),
    }
    match fs::symlink_metadata(&path) {
        // It has just been removed, or this user cannot create files here.
        Err(error) if error.kind() == io::ErrorKind::NotFound => open().map(Some),
        _ => Ok(None),
    }
}

/// Returns the absolute path without links, `.` and `..`, in the form that people write and other
/// programs understand: `C:\dir`, not `\\?\C:\dir`, unless only the long form names the file.
///
/// # Errors
/// If the path does not exist, or a folder on the way cannot be read.
pub fn canonical(path: &Path) -> io::Result<PathBuf> {
    let long = path.canonicalize()?;
    let short = match long.components().next() {
        Some(Component::Prefix(prefix)) => match prefix.kind() {
            Prefix::VerbatimDisk(_) => without_prefix(&long, r"\\?\", ""),
            Prefix::VerbatimUNC(..) => without_prefix(&long, r"\\?\UNC\", r"\\"),
            _ => None,
        },
        _ => None,
    };
    Ok(match short {
        // Windows shortens names such as `a.` and has devices such as `con`.
        Some(short) if is_same_path(&short, &long) => short,
        _ => long,
    })
}

fn without_prefix(path: &Path, prefix: &str, instead: &str) -> Option<PathBuf> {
    let rest = path.to_str()?.strip_prefix(prefix)?;
    Some(format!("{instead}{rest}").into())
}

fn is_same_path(short: &Path, long: &Path) -> bool {
    short.canonicalize().is_ok_and(|found| found == long)
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

/// Checks nothing: Windows reports missing rights only when a file is created.
///
/// # Errors
/// None on Windows.
pub fn check_writable(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Creates `link`, a hard link to a program, or a copy of it, for example on another drive.
///
/// # Errors
/// If the system call fails.
pub fn link_program(program: &Path, link: &Path) -> io::Result<()> {
    fs::hard_link(program, link).or_else(|_| fs::copy(program, link).map(drop))
}
