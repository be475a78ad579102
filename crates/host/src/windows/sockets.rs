//! Named pipes, which take the place of Unix sockets.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::net::windows::named_pipe::{
    ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions,
};

/// A connection that this process opened.
pub type Stream = NamedPipeClient;
/// A connection that this process accepted.
pub type Accepted = NamedPipeServer;

/// True if this system has Unix sockets.
pub const HAS_UNIX: bool = false;
/// True if this system has named pipes that programs connect to.
pub const HAS_PIPES: bool = true;

/// All instances of the pipe are in use.
const PIPE_BUSY: i32 = 231;
const INTERVAL: Duration = Duration::from_millis(50);

/// The default address of the Docker Engine, in the form of `DOCKER_HOST`.
pub const DOCKER_ENGINE: &str = "npipe:////./pipe/docker_engine";
/// The default address of `buildkitd`, in the form of `BUILDKIT_HOST`.
pub const BUILDKITD: &str = "npipe:////./pipe/buildkitd";

/// The scheme of addresses of local daemons.
pub const LOCAL_SCHEME: &str = "npipe";
/// The word for what local daemons listen on.
pub const LOCAL_NOUN: &str = "named pipe";
/// The usual way to start the Docker Engine.
pub const ENGINE_START: &str = "open Docker Desktop";
/// An engine's address as an example.
pub const ENGINE_EXAMPLE: &str = "docker://npipe:////./pipe/NAME";
/// The system's own SSH agent, if `SSH_AUTH_SOCK` names none: that of Windows' OpenSSH.
pub const SSH_AGENT: Option<&str> = Some(r"\\.\pipe\openssh-ssh-agent");

/// Connects to the pipe at a path such as `\\.\pipe\docker_engine`. Waits at most `within` while
/// all its instances are in use.
///
/// # Errors
/// [`io::ErrorKind::ResourceBusy`] if they are in use for longer; other errors of the system call.
pub async fn connect(path: &Path, within: Duration) -> io::Result<Stream> {
    let end = Instant::now() + within;
    loop {
        match ClientOptions::new().open(path) {
            Err(error) if error.raw_os_error() == Some(PIPE_BUSY) => {
                if Instant::now() + INTERVAL >= end {
                    return Err(io::ErrorKind::ResourceBusy.into());
                }
                tokio::time::sleep(INTERVAL).await;
            }
            opened => return opened,
        }
    }
}

/// Connects to the socket through which the docker CLI tells its plugin to end.
///
/// # Errors
/// [`io::ErrorKind::Unsupported`]: on Windows it is a Unix socket, which this program cannot use.
pub fn connect_plugin(_address: &str) -> io::Result<Stream> {
    Err(io::ErrorKind::Unsupported.into())
}

/// A named pipe that this process created.
#[derive(Debug)]
pub struct Listener {
    path: PathBuf,
    /// The instance that the next client gets.
    next: NamedPipeServer,
}

impl Listener {
    /// Creates a pipe. Fails if another process has a pipe with that name.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn bind(path: &Path) -> io::Result<Self> {
        let next = ServerOptions::new()
            .first_pipe_instance(true)
            .create(path)?;
        Ok(Self {
            path: path.to_owned(),
            next,
        })
    }

    /// Waits for the next connection.
    ///
    /// # Errors
    /// If the system call fails.
    pub async fn accept(&mut self) -> io::Result<Accepted> {
        self.next.connect().await?;
        // One instance always exists, so that no other process can take the name.
        let next = ServerOptions::new().create(&self.path)?;
        Ok(std::mem::replace(&mut self.next, next))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const NO_WAIT: Duration = Duration::ZERO;

    #[tokio::test]
    async fn clients_of_a_named_pipe_are_served_one_after_the_other() {
        let path = format!("//./pipe/solvekit-test-{}", std::process::id());
        let path = Path::new(&path);
        let missing = connect(path, NO_WAIT).await.unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let mut listener = Listener::bind(path).unwrap();
        for sent in [b"one", b"two"] {
            let (accepted, client) = tokio::join!(listener.accept(), connect(path, NO_WAIT));
            let (mut accepted, mut client) = (accepted.unwrap(), client.unwrap());
            client.write_all(sent).await.unwrap();
            let mut received = [0; 3];
            accepted.read_exact(&mut received).await.unwrap();
            assert_eq!(&received, sent);
        }
    }

    #[tokio::test]
    async fn a_client_waits_for_a_pipe_in_use() {
        let path = format!("//./pipe/solvekit-busy-{}", std::process::id());
        let server = ServerOptions::new().max_instances(1).create(&path).unwrap();
        let path = Path::new(&path);
        let first = connect(path, NO_WAIT).await.unwrap();
        server.connect().await.unwrap();
        let error = connect(path, Duration::from_millis(200)).await;
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::ResourceBusy);

        let second = tokio::spawn({
            let path = path.to_owned();
            async move { connect(&path, Duration::from_secs(10)).await }
        });
        drop(first);
        server.disconnect().unwrap();
        server.connect().await.unwrap();
        second.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_named_pipe_has_one_owner() {
        let path = format!("//./pipe/solvekit-owner-{}", std::process::id());
        let path = Path::new(&path);
        let _first = Listener::bind(path).unwrap();
        let error = Listener::bind(path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    }
}
