//! What can go wrong in a session, as far as the caller hears of it; the daemon is told of the rest.

use std::path::PathBuf;

use thiserror::Error;

use super::ssh::KeyError;

/// An error of the session itself.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A directory that should be offered to the daemon is not there, cannot be read or is no directory.
    #[error("cannot use directory {}", path.display())]
    Directory {
        /// The directory as it was given.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file that should be a secret is not there, or cannot be one.
    #[error("cannot use {} as secret {id}", path.display())]
    SecretFile {
        /// The secret.
        id: String,
        /// The file as it was given.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A secret is larger than BuildKit takes.
    #[error("secret {id} is larger than 500 KiB")]
    SecretTooLarge {
        /// The secret.
        id: String,
    },
    /// A path that should be an SSH agent's socket is none.
    #[error("cannot use {} as SSH agent {id}", path.display())]
    SshAgent {
        /// The agent.
        id: String,
        /// The path as it was given.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file that should be a private key is none that can be used.
    #[error("cannot use {} as a key of SSH agent {id}", path.display())]
    SshKey {
        /// The agent.
        id: String,
        /// The file as it was given.
        path: PathBuf,
        /// Why not.
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
