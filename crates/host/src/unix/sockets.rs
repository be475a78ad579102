//! Unix sockets.

use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};

/// A connection that this process opened.
pub type Stream = UnixStream;
/// A connection that this process accepted.
pub type Accepted = UnixStream;

/// True if this system has Unix sockets.
pub const HAS_UNIX: bool = true;
/// True if this system has named pipes that programs connect to.
pub const HAS_PIPES: bool = false;

/// The default address of the Docker Engine, in the form of `DOCKER_HOST`.
pub const DOCKER_ENGINE: &str = "unix:///var/run/docker.sock";
/// The default address of `buildkitd`, in the form of `BUILDKIT_HOST`.
pub const BUILDKITD: &str = "unix:///run/buildkit/buildkitd.sock";

/// The scheme of addresses of local daemons.
pub const LOCAL_SCHEME: &str = "unix";
/// The word for what local daemons listen on.
pub const LOCAL_NOUN: &str = "socket";
/// The usual way to start the Docker Engine.
pub const ENGINE_START: &str = match cfg!(target_os = "macos") {
    true => "open -a Docker",
    false => "systemctl start docker",
};
/// An engine's address as an example.
pub const ENGINE_EXAMPLE: &str = "docker:///path/docker.sock";
/// The system's own SSH agent, if `SSH_AUTH_SOCK` names none. Unix has none.
pub const SSH_AGENT: Option<&str> = None;

/// Connects to the socket at a path. A socket accepts any number of clients, so nothing is waited
/// for.
///
/// # Errors
/// If the system call fails.
pub async fn connect(path: &Path, _within: Duration) -> io::Result<Stream> {
    UnixStream::connect(path).await
}

/// Connects to the socket through which the docker CLI tells its plugin to end. `@NAME` is in
/// Linux's abstract namespace, anything else is a path.
///
/// # Errors
/// If the system call fails.
pub fn connect_plugin(address: &str) -> io::Result<Stream> {
    use std::os::unix::net::{SocketAddr, UnixStream};
    let address = match address.strip_prefix('@') {
        Some(name) => abstract_name(name)?,
        None => SocketAddr::from_pathname(address)?,
    };
    let socket = UnixStream::connect_addr(&address)?;
    socket.set_nonblocking(true)?;
    Stream::from_std(socket)
}

#[cfg(target_os = "linux")]
fn abstract_name(name: &str) -> io::Result<std::os::unix::net::SocketAddr> {
    use std::os::linux::net::SocketAddrExt as _;
    std::os::unix::net::SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn abstract_name(_name: &str) -> io::Result<std::os::unix::net::SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A socket that this process bound, accessible to this user only. It is removed when this is
/// dropped, unless its path belongs to something else by then.
#[derive(Debug)]
pub struct Listener {
    path: PathBuf,
    listener: UnixListener,
    /// The device and inode numbers of the socket.
    identity: (u64, u64),
}

impl Listener {
    /// Binds a socket. A socket without a listener is replaced. Anything else at the path stays,
    /// and binding fails.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn bind(path: &Path) -> io::Result<Self> {
        remove_stale(path)?;
        let listener = UnixListener::bind(path)?;
        let found = std::fs::symlink_metadata(path)?;
        let bound = Self {
            path: path.to_owned(),
            listener,
            identity: (found.dev(), found.ino()),
        };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(bound)
    }

    /// Waits for the next connection.
    ///
    /// # Errors
    /// If the system call fails.
    pub async fn accept(&mut self) -> io::Result<Accepted> {
        Ok(self.listener.accept().await?.0)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let found = std::fs::symlink_metadata(&self.path);
        if found.is_ok_and(|found| (found.dev(), found.ino()) == self.identity) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_socket());
    if !is_socket {
        return Ok(());
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_this_process_did_not_bind_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "kept").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let live = folder.path().join("live");
        let _listener = std::os::unix::net::UnixListener::bind(&live).unwrap();
        for path in [&file, &link, &live] {
            let error = Listener::bind(path).map(drop).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "{}", path.display());
            assert!(path.symlink_metadata().is_ok(), "{}", path.display());
        }
        assert_eq!(std::fs::read(&file).unwrap(), b"kept");
    }

    #[tokio::test]
    async fn a_socket_goes_with_its_process_unless_another_took_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let listener = Listener::bind(&path).unwrap();
        drop(listener);
        assert!(path.symlink_metadata().is_err());

        let listener = Listener::bind(&path).unwrap();
        std::fs::rename(&path, folder.path().join("away")).unwrap();
        std::fs::write(&path, "another's").unwrap();
        drop(listener);
        assert_eq!(std::fs::read(&path).unwrap(), b"another's");
    }
}
