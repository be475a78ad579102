//! Private files, locks, and files that are opened without links.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _,
    PermissionsExt as _,
};
use std::path::Path;

use rustix::fs::{Access, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

/// Creates a folder that only this user can enter. It must not exist.
///
/// # Errors
/// What the system says.
pub fn make_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(path)
}

/// Creates a folder and its parents, accessible to this user only. Existing ones stay as they are.
///
/// # Errors
/// What the system says.
pub fn make_private_folders(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// A new file gets these permissions, less the umask. Windows has none: there a file inherits the
/// access rights of its folder.
pub fn with_permissions(options: &mut OpenOptions, permissions: u32) -> &mut OpenOptions {
    options.mode(permissions)
}

/// A link at the path is an error: others who can write to the folder could place one there.
pub fn without_links(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(flags(OFlags::NOFOLLOW))
}

/// Opening does not wait for a pipe's other end.
pub fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(flags(OFlags::NONBLOCK))
}

fn flags(flags: OFlags) -> i32 {
    flags.bits().cast_signed()
}

/// Takes the lock of an open file, shared with nobody. It is given back when the file is closed.
/// Returns false if another program has it. Some network file systems have no locks: there every
/// program goes on.
///
/// # Errors
/// What the system says other than that the lock is taken.
pub fn try_lock(file: &File) -> io::Result<bool> {
    flock(file, FlockOperation::NonBlockingLockExclusive)
}

/// The same, shared with others that share it.
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

/// Opens what stands for the lock of a folder: the folder itself, so no lock file is left behind.
///
/// # Errors
/// What the system says.
pub fn lock_of_folder(folder: &Path) -> io::Result<File> {
    File::open(folder)
}

/// Opens a folder of this user's that nobody else writes to, to lock it. Returns `None` if it is a
/// link or somebody else's.
///
/// # Errors
/// What the system says.
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

/// True if the open file is still the one at the path.
pub fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(there)) => (held.dev(), held.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// True if something at the path, links followed, is a socket.
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
/// Why not.
pub fn check_writable(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::access(
        folder,
        Access::WRITE_OK | Access::EXEC_OK,
    )?)
}

/// Makes `link` lead to a program, where it can be started by the link's name.
///
/// # Errors
/// What the system says.
pub fn link_program(program: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(program, link)
}
