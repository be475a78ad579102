//! Reasons why a target is built or skipped, as text.

use std::fmt;
use std::path::PathBuf;

use super::ChangeKind;
use crate::oci::Reference;

/// The decision if a target must be built again.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict {
    /// Skip it: no input of its graph has changed.
    Unchanged {
        /// Base images that are referenced by tag, but are older than the earlier state.
        images: Vec<Reference>,
    },
    /// Build it: this has changed.
    Changed(Change),
    /// Build it: one of its inputs cannot be compared.
    Unknown(Unknown),
}

/// The change that makes a build necessary.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// An input file: in a context, a Dockerfile, or an ignore file.
    Path {
        /// The path, relative to the repository's folder.
        path: PathBuf,
        /// The kind of difference.
        kind: ChangeKind,
        /// The number of further changed paths.
        more: usize,
    },
    /// Attributes of the target have changed.
    Definition {
        /// Their names.
        attributes: Vec<String>,
    },
    /// The target is new.
    New,
    /// A target that it links to is built.
    Link {
        /// The linked target.
        target: String,
    },
    /// A base image was created after the earlier state.
    Image(Reference),
}

/// Why it is unknown if a target has changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unknown {
    /// The earlier bake files cannot be evaluated.
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
    /// The Dockerfile cannot be translated by this library, or a base image was not found.
    #[error("the Dockerfile cannot be translated here: {0}")]
    Translation(String),
    /// A path cannot be resolved.
    #[error("cannot find out where {} leads: {source}", path.display())]
    Place {
        /// The path.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A path is not in the repository.
    #[error("{} is outside of the repository", .0.display())]
    Outside(PathBuf),
    /// It is unknown which files of a folder are used.
    #[error(transparent)]
    Selection(#[from] crate::session::SelectionError),
    /// The context contains the repository's `.git` folder, which every git command changes.
    #[error("its context has the folder .git; exclude it in .dockerignore")]
    GitFolder,
    /// A remote source has no checksum.
    #[error("{0} may be another one than it was")]
    Source(String),
    /// Steps are run even if they are cached.
    #[error("no-cache or no-cache-filter runs steps anew")]
    NoCache,
    /// Newer base images are requested.
    #[error("pull looks for a newer {0}")]
    Pull(Reference),
    /// A base image has no creation time.
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
