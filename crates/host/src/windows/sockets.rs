//! Named pipes, which take the place of Unix sockets.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

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

/// Connects to the pipe at a path such as `\\.\pipe\docker_engine`. Waits while all its instances
/// are in use.
///
/// # Errors
/// If the system call fails.
pub async fn connect(path: &Path) -> io::Result<Stream> {
    loop {
        match ClientOptions::new().open(path) {
            Err(error) if error.raw_os_error() == Some(PIPE_BUSY) => {
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
