//! Why a build on several nodes failed.

use crate::oci::Platform;
use crate::{client, imagetools, pipeline};

/// Why a build on several nodes failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no node, or none that answers.
    #[error("no node answers{}", listed(silent))]
    NoNode {
        /// Those that do not answer.
        silent: Vec<Silent>,
    },
    /// Platforms that no node builds that answers.
    #[error(
        "{} cannot be built: no node that answers builds for it{}",
        names(platforms),
        listed(silent)
    )]
    Unserved {
        /// The platforms.
        platforms: Vec<Platform>,
        /// The nodes that do not answer, which might.
        silent: Vec<Silent>,
    },
    /// Something that only one daemon can make, and no node builds all platforms.
    #[error(
        "{what} cannot be made on several nodes, and no node builds for all platforms: {node} does not for {}",
        names(missing)
    )]
    NotTogether {
        /// What one daemon has to make, as the request has it.
        what: String,
        /// The node that builds for most.
        node: String,
        /// What it does not build for.
        missing: Vec<Platform>,
    },
    /// A Docker engine that cannot push a part of an image.
    #[error(
        "the Docker engine of the node {node} cannot push its part of the image: it does not keep images in containerd's store"
    )]
    EngineCannotPush {
        /// The node.
        node: String,
    },
    /// The build failed on one node, and was cancelled on the others.
    #[error("the build failed on the node {node} ({})", names(platforms))]
    Part {
        /// The node.
        node: String,
        /// What it was building.
        platforms: Vec<Platform>,
        /// Why.
        source: Box<pipeline::Error>,
    },
    /// A node was lost in the middle, and no other one builds for its platforms.
    #[error(
        "the node {node} was lost, and no other node builds for {}",
        names(platforms)
    )]
    Lost {
        /// The node.
        node: String,
        /// What it was building.
        platforms: Vec<Platform>,
        /// How it was lost.
        source: Box<pipeline::Error>,
    },
    /// All parts are pushed, and the index cannot be made of them or pushed. No tag has moved.
    #[error("cannot put the parts of the image together")]
    Index {
        /// Why.
        source: Box<imagetools::Error>,
    },
    /// A node does not say what it pushed.
    #[error("the node {node} does not say what it has pushed")]
    NoDescriptor {
        /// The node.
        node: String,
    },
    /// All is built, and the OCI layout cannot be made of the parts.
    #[error("cannot put the parts of the OCI layout together: {reason}")]
    Layout {
        /// What went wrong.
        reason: String,
    },
    /// All is built and pushed, and the caches of the parts cannot be made one. They are there apart.
    #[error("cannot put the caches of the nodes together as {name}: {reason}")]
    Cache {
        /// The cache that was asked for.
        name: String,
        /// The caches of the parts.
        parts: Vec<String>,
        /// What went wrong.
        reason: String,
    },
    /// A build that is the same on one node as on several failed.
    #[error(transparent)]
    Build(#[from] pipeline::Error),
}

/// A node that does not answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Silent {
    /// Its name.
    pub name: String,
    /// Why not, in one line.
    pub reason: String,
}

impl Silent {
    /// A node, and why it does not answer.
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
