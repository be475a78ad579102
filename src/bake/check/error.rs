//! Reasons why a target cannot be built.

use std::io;

use solvekit_core::units::{SizeError, UlimitError};

use super::secrets::MAX_SECRET;
use crate::oci;
use crate::session;

/// Why a target cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The context is `-`.
    #[error("the context cannot be the standard input")]
    ContextFromStdin,
    /// The Dockerfile is `-`.
    #[error("the Dockerfile cannot be the standard input")]
    DockerfileFromStdin,
    /// `shm-size` is not a size.
    #[error("shm-size: {0}")]
    SharedMemory(#[source] SizeError),
    /// A platform cannot be read.
    #[error("platforms: {0}")]
    Platform(#[source] oci::Error),
    /// A secret has no id.
    #[error("a secret has no id")]
    SecretWithoutId,
    /// A secret's file is missing.
    #[error("the file of the secret {id} is missing: {path}: {source}")]
    SecretFile {
        /// The secret.
        id: String,
        /// The file.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// A secret's file is larger than the daemon accepts.
    #[error("the secret {id} has {size} bytes; at most {MAX_SECRET} are allowed")]
    SecretTooLarge {
        /// The secret.
        id: String,
        /// Its size.
        size: u64,
    },
    /// Two agents have one id.
    #[error("the SSH agent {id:?} is given twice")]
    AgentTwice {
        /// The id.
        id: String,
    },
    /// The agent of the environment is needed, but there is none.
    #[error("the SSH agent {id:?} is the one of SSH_AUTH_SOCK, which is not set")]
    NoAgent {
        /// The id.
        id: String,
    },
    /// A socket or key is missing.
    #[error("the SSH agent {id:?}: {path}: {source}")]
    AgentPath {
        /// The id.
        id: String,
        /// The path.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// A key cannot be used.
    #[error("the SSH agent {id:?}: {path} is not a usable key")]
    AgentKey {
        /// The id.
        id: String,
        /// The file.
        path: String,
        /// The problem with the key.
        source: session::Error,
    },
    /// A socket is given with another socket or with keys.
    #[error("the SSH agent {id:?}: {path} is a socket, which stands alone")]
    SocketNotAlone {
        /// The id.
        id: String,
        /// The socket.
        path: String,
    },
    /// An output cannot be written.
    #[error("output type={kind}: {problem}")]
    Output {
        /// The exporter.
        kind: String,
        /// The cause.
        problem: OutputProblem,
    },
    /// An annotation cannot be read.
    #[error("annotations: {}", crate::causes::in_one_line(.0))]
    Annotation(#[source] crate::pipeline::Error),
    /// The address of an extra host is no IP address.
    #[error("extra-hosts: {address:?} is not an IP address (of the host {host:?})")]
    HostAddress {
        /// The host.
        host: String,
        /// The text.
        address: String,
    },
    /// A limit cannot be read.
    #[error("ulimits: {0}")]
    Ulimit(#[source] UlimitError),
    /// A resource limit is not a size.
    #[error("resources: {name}: {source}")]
    Resource {
        /// The limit.
        name: &'static str,
        /// The problem with the value.
        source: SizeError,
    },
}

/// Why the destination of an output is invalid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputProblem {
    /// A folder must be given.
    #[error("dest is needed: the folder to write to")]
    NoFolder,
    /// A folder cannot be written to the standard output.
    #[error("a folder cannot be written to the standard output")]
    FolderToStdout,
    /// The destination must be a folder, but is a file.
    #[error("{0} is a file, not a folder")]
    IsFile(String),
    /// The destination must be a file, but is a folder.
    #[error("{0} is a folder, not a file")]
    IsFolder(String),
    /// The destination cannot be inspected.
    #[error("{path}: {source}")]
    Look {
        /// The destination.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// Two outputs of one target go to the standard output.
    #[error("another output goes to the standard output already")]
    StdoutTwice,
    /// The standard output is a terminal.
    #[error("an archive would go to the standard output, which is a terminal")]
    Terminal,
}
