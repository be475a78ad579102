//! The reasons why steps run.

use serde::{Deserialize, Serialize};

/// A step that ran, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Explained {
    /// The platform of its graph.
    pub platform: String,
    /// Its place and instruction: `[build 2/5] RUN make`.
    pub step: String,
    /// The Dockerfile; empty if the step is in none.
    pub file: String,
    /// The line there, from 1.
    pub line: u32,
    /// The reasons, the most telling first; empty if none is known.
    pub reasons: Vec<Reason>,
}

/// Why a step ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    /// The request asked to ignore the cache.
    NoCache,
    /// The step was not in the last build.
    New,
    /// The text of its instruction changed.
    Text {
        /// The text before.
        old: String,
        /// The text now.
        new: String,
    },
    /// Its base image changed.
    BaseImage {
        /// The image before, with its digest.
        old: String,
        /// The image now.
        new: String,
    },
    /// Files that it reads changed.
    Files {
        /// The first of them.
        files: Vec<FileChange>,
        /// How many there are at least.
        total: usize,
        /// True if there may be more.
        more: bool,
    },
    /// Values of variables changed: ARG or ENV.
    Variables {
        /// Their names.
        names: Vec<String>,
    },
    /// Other parts of it changed, for example its user or a mount.
    Parts {
        /// Their names.
        names: Vec<String>,
    },
    /// A step ran whose result it uses.
    Parent {
        /// The name of the first such step that has a reason of its own.
        step: String,
    },
    /// What it takes from elsewhere may have changed: a git branch, a URL.
    Source {
        /// The source.
        source: String,
    },
    /// The last build did not get it done.
    NotDone,
    /// The last build was on another daemon.
    Daemon {
        /// The daemon's address before.
        old: String,
        /// The address now.
        new: String,
    },
    /// Nothing changed: the daemon no longer has its result.
    Pruned,
}

/// A file that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Its path in the folder.
    pub path: String,
    /// How it changed.
    pub how: How,
}

/// How a file changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum How {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its content.
    Content,
    /// Its permissions.
    Mode,
    /// It is of another type: a folder, a link.
    Type,
    /// The target of the link.
    Link,
    /// Its extended attributes.
    Attributes,
    /// Its time, and perhaps its content, which was not compared.
    Time,
}
