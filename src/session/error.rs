//! The errors of a session that reach the caller. The daemon receives the others.

use std::path::PathBuf;

use thiserror::Error;

use super::ssh::KeyError;

/// An error of the session itself.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// An offered directory does not exist, cannot be read, or is not a directory.
    #[error("cannot use directory {}", path.display())]
    Directory {
        /// The directory as it was given.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A secret's file does not exist or cannot be used.
    #[error("cannot use {} as secret {id}", path.display())]
    SecretFile {
        /// The secret.
        id: String,
        /// The file as it was given.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A secret exceeds BuildKit's size limit.
    #[error("secret {id} is larger than 500 KiB")]
    SecretTooLarge {
        /// The secret.
        id: String,
    },
    /// The path is not an SSH agent's socket.
    #[error("cannot use {} as SSH agent {id}", path.display())]
    SshAgent {
        /// The agent.
        id: String,
        /// The path as it was given.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The file is not a usable private key.
    #[error("cannot use {} as a key of SSH agent {id}", path.display())]
    SshKey {
        /// The agent.
        id: String,
        /// The file as it was given.
        path: PathBuf,
        /// The cause.
        #[source]
        source: KeyError,
    },
    /// The system's source of random numbers failed.
    #[error("cannot make a session id")]
    Random(#[source] getrandom::Error),
    /// The connection to the daemon broke.
    #[error("the session's connection broke")]
    Connection(#[source] hyper::Error),
}
