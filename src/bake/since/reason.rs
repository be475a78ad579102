//! What is said of a target, in words for people.

use std::fmt;
use std::path::PathBuf;

use super::ChangeKind;
use crate::oci::Reference;

/// Does a target have to be built again?
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// No: nothing that its graph reads has changed.
    Unchanged {
        /// Base images that are named by a tag: they were made before the earlier state.
        images: Vec<Reference>,
    },
    /// Yes: this has changed.
    Changed(Change),
    /// Yes, because something it reads cannot be compared.
    Unknown(Unknown),
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// A file that the graph reads: of a context, a Dockerfile, an ignore file.
    Path {
        /// The path, relative to the repository's folder.
        path: PathBuf,
        /// What is known of it.
        kind: ChangeKind,
        /// How many others there are.
        more: usize,
    },
    /// Attributes of the target have other values.
    Definition {
        /// Their names.
        attributes: Vec<String>,
    },
    /// There was no such target.
    New,
    /// A target that it links to is built.
    Link {
        /// That target.
        target: String,
    },
    /// A base image was made after the earlier state.
    Image(Reference),
}

/// Why it is not known what has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unknown {
    /// The bake files cannot be evaluated as they were.
    #[error("the bake files as they were cannot be evaluated: {0}")]
    Definition(String),
    /// The target is not a build, or a file that it names is missing.
    #[error(transparent)]
    Request(#[from] crate::bake::RequestError),
    /// The Dockerfile is fetched by the daemon.
    #[error("the Dockerfile is fetched by the daemon")]
    RemoteDockerfile,
    /// Another frontend translates the Dockerfile.
    #[error("the Dockerfile is translated by {0}")]
    Frontend(String),
    /// The Dockerfile cannot be parsed.
    #[error(transparent)]
    Parse(#[from] crate::frontend::Error),
    /// The Dockerfile cannot be translated here, or a base image was not found.
    #[error("the Dockerfile cannot be translated here: {0}")]
    Translation(String),
    /// A path cannot be followed.
    #[error("cannot find out where {} leads: {source}", path.display())]
    Place {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A path is not in the repository.
    #[error("{} is outside of the repository", .0.display())]
    Outside(PathBuf),
    /// Which files of a folder are read cannot be told.
    #[error(transparent)]
    Selection(#[from] crate::session::SelectionError),
    /// The repository's own folder `.git` is sent, which changes with every command of git.
    #[error("its context has the folder .git; exclude it in .dockerignore")]
    GitFolder,
    /// A source that is elsewhere and named without a checksum.
    #[error("{0} may be another one than it was")]
    Source(String),
    /// Steps are run although they are cached.
    #[error("no-cache or no-cache-filter runs steps anew")]
    NoCache,
    /// Newer base images are asked for.
    #[error("pull looks for a newer {0}")]
    Pull(Reference),
    /// A base image does not say when it was made.
    #[error("the base image {0} does not say when it was made; name it with its digest")]
    ImageTime(Reference),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path { path, kind, more } => {
                let path = path.display();
                match kind {
                    ChangeKind::Differs => write!(f, "{path} changed")?,
                    ChangeKind::Unrecorded => write!(f, "{path} is not in git")?,
                }
                match more {
                    0 => Ok(()),
                    more => write!(f, ", and {more} more"),
                }
            }
            Self::Definition { attributes } if attributes.is_empty() => {
                f.write_str("its definition changed")
            }
            Self::Definition { attributes } => {
                write!(f, "its definition changed: {}", attributes.join(", "))
            }
            Self::New => f.write_str("it is new"),
            Self::Link { target } => write!(f, "it links to {target}, which is built"),
            Self::Image(reference) => write!(f, "the base image {reference} is newer"),
        }
    }
}
