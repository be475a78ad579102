//! Private files, locks, and files that are opened without links.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _,
    PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

/// Creates a folder that only this user can enter. It must not exist.
///
/// # Errors
/// If the system call fails.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Creates a folder and its parents, accessible to this user only. Existing ones stay as they are.
///
/// # Errors
/// If the system call fails.
pub fn make_private_folders(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Sets the permissions of a new file, less the umask. Windows ignores them: there a file inherits
/// the access rights of its folder.
pub fn with_permissions(options: &mut OpenOptions, permissions: u32) -> &mut OpenOptions {
    options.mode(permissions)
}

/// Rejects a link at the path: others who can write to the folder could place one there.
pub fn without_links(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(flags(OFlags::NOFOLLOW))
}

/// Opens a pipe without waiting for its other end.
pub fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(flags(OFlags::NONBLOCK))
}

fn flags(flags: OFlags) -> i32 {
    flags.bits().cast_signed()
}

/// Takes the exclusive lock of an open file, until the file is closed. Returns false if another
/// program has the lock, and true if the file system has no locks, as some network file systems.
///
/// # Errors
/// If the system call fails for another reason.
pub fn try_lock(file: &File) -> io::Result<bool> {
    flock(file, FlockOperation::NonBlockingLockExclusive)
}

/// Takes a shared lock of an open file, otherwise as [`try_lock`].
///
/// # Errors
/// As [`try_lock`].
pub fn try_lock_shared(file: &File) -> io::Result<bool> {
    flock(file, FlockOperation::NonBlockingLockShared)
}

fn flock(file: &File, operation: FlockOperation) -> io::Result<bool> {
    match rustix::fs::flock(file, operation) {
        Ok(()) | Err(Errno::NOTSUP | Errno::NOLCK | Errno::NOSYS | Errno::BADF) => Ok(true),
        Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Opens the file to lock for a folder: the folder itself, so no lock file is left behind.
///
/// # Errors
/// If the system call fails.
pub fn lock_of_folder(folder: &Path) -> io::Result<File> {
    File::open(folder)
}

/// Opens a folder to lock it. Returns `None` if it is a link, belongs to another user, or others
/// can write to it.
///
/// # Errors
/// If the system call fails.
pub fn own_folder(path: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = match rustix::fs::open(path, flags, Mode::empty()) {
        Err(Errno::LOOP | Errno::NOTDIR) => return Ok(None),
        opened => File::from(opened?),
    };
    let found = folder.metadata()?;
    let is_own = found.uid() == rustix::process::geteuid().as_raw();
    let is_closed = found.permissions().mode() & 0o022 == 0;
    Ok((is_own && is_closed).then_some(folder))
}

/// Returns the absolute path without links, `.` and `..`.
///
/// # Errors
/// If the path does not exist, or a folder on the way cannot be read.
pub fn canonical(path: &Path) -> io::Result<PathBuf> {
    path.canonicalize()
}

/// True if the open file is still the one at the path.
pub fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// True if the path is a socket. Links are followed.
pub fn is_socket(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

/// True if the path is a file that this system would run as a program.
pub fn is_program(path: &Path) -> bool {
    let found = path.metadata();
    found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Checks that files can be created in a folder.
///
/// # Errors
/// If the folder is missing, read-only, or not writable for this user.
pub fn check_writable(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::access(
        folder,
        Access::WRITE_OK | Access::EXEC_OK,
    )?)
}

/// Creates `link`, a symbolic link that starts a program under the link's name.
///
/// # Errors
/// If the system call fails.
pub fn link_program(program: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(program, link)
}
