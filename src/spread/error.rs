//! Errors of builds on several nodes.

use super::JoinError;
use crate::oci::Platform;
use crate::{client, imagetools, pipeline, registry, sign, transfer};

/// Why a build on several nodes failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There are no nodes, or none answers.
    #[error("no node answers{}", listed(silent))]
    NoNode {
        /// The nodes that do not answer.
        silent: Vec<Silent>,
    },
    /// No node that answers builds for these platforms.
    #[error(
        "{} cannot be built: no node that answers builds for it{}",
        names(platforms),
        listed(silent)
    )]
    Unserved {
        /// The platforms.
        platforms: Vec<Platform>,
        /// The nodes that do not answer, but might build for them.
        silent: Vec<Silent>,
    },
    /// One daemon must create a result, but no node builds for all platforms.
    #[error(
        "{what} cannot be made on several nodes, and no node builds for all platforms: {node} does \
         not for {}",
        names(missing)
    )]
    NotTogether {
        /// The requested result.
        what: String,
        /// The node that builds for the most platforms.
        node: String,
        /// The platforms that it lacks.
        missing: Vec<Platform>,
    },
    /// The node's Docker engine cannot push a part of an image.
    #[error(
        "the Docker engine of the node {node} cannot push its part of the image: it does not keep \
         images in containerd's store"
    )]
    EngineCannotPush {
        /// The node.
        node: String,
    },
    /// The build failed on one node and was cancelled on the others.
    #[error("the build failed on the node {node} ({})", names(platforms))]
    Part {
        /// The node.
        node: String,
        /// The platforms of the part.
        platforms: Vec<Platform>,
        /// The cause.
        source: Box<pipeline::Error>,
    },
    /// A node was lost during the build, and no other builds for its platforms.
    #[error(
        "the node {node} was lost, and no other node builds for {}",
        names(platforms)
    )]
    Lost {
        /// The node.
        node: String,
        /// The platforms of the part.
        platforms: Vec<Platform>,
        /// The error that shows the loss.
        source: Box<pipeline::Error>,
    },
    /// All parts are pushed, but the index could not be created or pushed. No tag has moved.
    #[error("cannot put the parts of the image together")]
    Index {
        /// The cause.
        source: Box<imagetools::Error>,
    },
    /// The image is built, but this client could not push it. No tag has moved.
    #[error("cannot push the image")]
    Push {
        /// The cause.
        source: Box<transfer::Error>,
    },
    /// The image is pushed by digest, but could not be signed. No tag has moved.
    #[error("cannot sign {image}")]
    Sign {
        /// The image, by its digest.
        image: String,
        /// The cause.
        source: Box<sign::Error>,
    },
    /// The image is pushed by digest, but a tag could not be set. Other tags may have moved.
    #[error("cannot tag {name}")]
    Tag {
        /// The name with the tag.
        name: String,
        /// The cause.
        source: Box<registry::Error>,
    },
    /// Several outputs push, but only one image can be signed or pushed by this client.
    #[error("several outputs push an image, and only one can be signed or pushed from here")]
    SeveralPushes,
    /// The node did not report what it pushed.
    #[error("the node {node} does not say what it has pushed")]
    NoDescriptor {
        /// The node.
        node: String,
    },
    /// All parts are built, but the OCI layout could not be created.
    #[error("cannot put the parts of the OCI layout together")]
    Layout {
        /// The cause.
        source: Box<JoinError>,
    },
    /// All parts are built and pushed, but their caches could not be merged. They still exist
    /// separately.
    #[error("cannot put the caches of the nodes together as {name}")]
    Cache {
        /// The requested cache.
        name: String,
        /// The caches of the parts.
        parts: Vec<String>,
        /// The reason.
        source: Box<JoinError>,
    },
    /// The build failed for a reason that does not depend on the nodes.
    #[error(transparent)]
    Build(#[from] pipeline::Error),
}

/// A node that does not answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Silent {
    /// Its name.
    pub name: String,
    /// The reason, in one line.
    pub reason: String,
}

impl Silent {
    /// Creates the entry of a node that does not answer.
    pub fn new(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            reason: reason.into(),
        }
    }

    pub(super) fn of(name: &str, error: &client::Error) -> Self {
        Self::new(name, crate::causes::in_one_line(error))
    }
}

pub(super) fn names(platforms: &[Platform]) -> String {
    let names: Vec<String> = platforms.iter().map(Platform::to_string).collect();
    match names.is_empty() {
        true => "the node's own platform".to_owned(),
        false => names.join(", "),
    }
}

fn listed(silent: &[Silent]) -> String {
    let shown = silent
        .iter()
        .map(|node| format!("{}: {}", node.name, node.reason));
    let shown: Vec<String> = shown.collect();
    match shown.is_empty() {
        true => String::new(),
        false => format!(" ({})", shown.join("; ")),
    }
}
