//! The reasons why steps run.

use serde::{Deserialize, Serialize};

/// A step that ran, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Explained {
    /// The platform of its graph.
    pub platform: String,
    /// Its position and instruction: `[build 2/5] RUN make`.
    pub step: String,
    /// The path of the Dockerfile; empty if the step has none.
    pub file: String,
    /// The line in the Dockerfile, from 1.
    pub line: u32,
    /// The reasons, the most important first; empty if none is known.
    pub reasons: Vec<Reason>,
}

/// The reason a step ran.
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
        /// The previous text.
        old: String,
        /// The current text.
        new: String,
    },
    /// Its base image changed.
    BaseImage {
        /// The previous image, with its digest.
        old: String,
        /// The current image.
        new: String,
    },
    /// Files that it reads changed.
    Files {
        /// The first of them.
        files: Vec<FileChange>,
        /// The least number of changed files.
        total: usize,
        /// True if there may be more than `total`.
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
    /// A step whose result it uses ran.
    Parent {
        /// The name of the first such step with a reason of its own.
        step: String,
    },
    /// The content of a source may have changed: a git branch, a URL.
    Source {
        /// The source.
        source: String,
    },
    /// The last build did not finish the step.
    NotDone,
    /// The last build used another daemon.
    Daemon {
        /// The previous daemon's address.
        old: String,
        /// The current daemon's address.
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
    /// The kind of change.
    pub how: How,
}

/// The kind of change of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum How {
    /// The file is new.
    Added,
    /// The file is gone.
    Removed,
    /// The content changed.
    Content,
    /// The permissions changed.
    Mode,
    /// The type changed, for example from a file to a link.
    Type,
    /// The target of the link changed.
    Link,
    /// The extended attributes changed.
    Attributes,
    /// The time changed, and perhaps the content, which was not compared.
    Time,
}
