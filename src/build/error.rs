//! Why a build failed.

use std::path::PathBuf;

use crate::client::{self, Code, Failure};
use crate::oci::Platform;
use crate::{gateway, session};

/// Why a build failed: what, where, why. What to do next is added by the command line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The context folder cannot be read.
    #[error("cannot read the build context {}", path.display())]
    Context {
        /// The folder as given.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The context is not a folder.
    #[error("the build context {} is not a folder", path.display())]
    ContextNotAFolder {
        /// The path as given.
        path: PathBuf,
    },
    /// The Dockerfile cannot be read.
    #[error("cannot read the Dockerfile {}", path.display())]
    Dockerfile {
        /// The path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The ignore file cannot be read or has a pattern that is none.
    #[error("cannot use the ignore file {}: {reason}", path.display())]
    IgnoreFile {
        /// The path.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// An `--output` that cannot be parsed.
    #[error("invalid output {input:?}: {reason}")]
    Output {
        /// The text as given.
        input: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The result is to be pushed, and has no name.
    #[error("there is no name to push to")]
    PushWithoutName,
    /// `# syntax=` asks for another frontend than Docker's Dockerfile.
    #[error(
        "the Dockerfile asks for the frontend {frontend:?}, which this version cannot forward to"
    )]
    Frontend {
        /// What stands after `# syntax=`.
        frontend: String,
    },
    /// The Dockerfile has a mistake.
    #[error("{file}:{line}: {message}")]
    Syntax {
        /// The Dockerfile's path as given.
        file: String,
        /// The first line of the mistake; 1 is the first of the file.
        line: u32,
        /// What is wrong, what was expected.
        message: String,
        /// The lines around, marked; printed as they are.
        excerpt: String,
    },
    /// A platform's graph cannot be made from the Dockerfile: an unknown stage, a base image that is not there.
    #[error(transparent)]
    Translate(Box<TranslateFailure>),
    /// A step failed.
    #[error(transparent)]
    Solve(Box<SolveFailure>),
    /// All platforms are built, the export failed: the push, most likely.
    #[error("cannot export the result")]
    Export {
        /// The daemon's answer.
        source: Box<client::Error>,
    },
    /// A call to the daemon failed.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// A gateway call to the daemon failed.
    #[error(transparent)]
    Gateway(#[from] gateway::Error),
    /// The session cannot be set up.
    #[error("cannot set up the session with the daemon")]
    Session(#[from] session::Error),
    /// The build was cancelled.
    #[error("the build was interrupted")]
    Interrupted,
}

/// A Dockerfile from which a platform's graph cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("{}{}{message}", place(file, *line), for_platform(platform.as_ref()))]
pub struct TranslateFailure {
    /// The platform; `None` when the build has one platform only.
    pub platform: Option<Platform>,
    /// The Dockerfile's path as given.
    pub file: String,
    /// The line; 1 is the first of the file, 0 is none.
    pub line: u32,
    /// What is wrong, what was expected.
    pub message: String,
    /// The lines around, marked; printed as they are.
    pub excerpt: String,
}

/// A step that failed on the daemon.
#[derive(Debug, thiserror::Error)]
#[error("{}{message}", for_platform(platform.as_ref()))]
pub struct SolveFailure {
    /// The platform; `None` when the build has one platform only.
    pub platform: Option<Platform>,
    /// What the daemon says.
    pub message: String,
    /// The exit code of the step's process, when that is what failed.
    pub exit_code: Option<i32>,
    /// `file:line` and the lines of the Dockerfile, marked; empty when the daemon does not say.
    pub excerpt: String,
    /// Why a COPY source is not found: the ignore rule that hides it, or that it does not exist.
    pub explanation: Option<String>,
    /// The daemon's answer.
    pub source: gateway::Error,
}

impl Error {
    /// What is returned to the daemon, which keeps it in the build's history.
    pub(super) fn to_failure(&self) -> Failure {
        let from_daemon = match self {
            Self::Solve(failure) => failure.source.failure(),
            Self::Gateway(error) => error.failure(),
            _ => None,
        };
        from_daemon
            .cloned()
            .unwrap_or_else(|| Failure::new(Code::Unknown, self.to_string()))
    }
}

fn for_platform(platform: Option<&Platform>) -> String {
    platform.map_or_else(String::new, |platform| format!("[{platform}] "))
}

fn place(file: &str, line: u32) -> String {
    match line {
        0 => format!("{file}: "),
        _ => format!("{file}:{line}: "),
    }
}
