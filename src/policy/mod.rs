//! Policies about the sources of a build: which ones apply, where their files are, and the answers
//! to the daemon during the build. `solvekit-policy` evaluates them.

mod eval;
mod files;
mod guard;
mod load;
mod log;
mod parse_source;

use std::path::PathBuf;

pub use eval::{EvalError, Evaluated, Evaluator, Printed, print};
pub use files::FileError;
pub(crate) use files::{PolicyFiles, RemoteRoot, Root};
pub(crate) use guard::Guard;
pub use load::LoadError;
pub(crate) use load::{Own, Sets, load};
pub use parse_source::{ParseSourceError, parse_source};
pub use solvekit_bake::target::{AttributeError as PolicyTextError, Policy as PolicyText};
pub use solvekit_policy::*;

/// The policies of a build.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policies {
    /// The configurations. The policy beside the Dockerfile applies unless they reset it.
    pub configs: Vec<PolicyConfig>,
    /// The default policy for Docker's own images applies too.
    pub with_default: bool,
    /// The log level of policies in the progress, unless a policy's configuration sets its own.
    pub log_level: LogLevel,
    /// The folder of `cwd://` paths.
    pub working_folder: Option<PathBuf>,
}

impl Policies {
    /// No policy applies.
    pub fn disabled() -> Self {
        Self {
            configs: vec![PolicyConfig {
                disabled: true,
                ..PolicyConfig::default()
            }],
            ..Self::default()
        }
    }

    /// True if the policy beside the Dockerfile applies.
    pub(crate) fn uses_own(&self) -> bool {
        match combine(true, &self.configs) {
            Ok(Some(sets)) => sets.iter().any(|set| set.is_default),
            Ok(None) => false,
            Err(DisabledWithOthers) => true,
        }
    }
}

/// Converts the configuration in `--policy` or a bake file.
pub fn config(text: &PolicyText) -> PolicyConfig {
    use solvekit_bake::target::LogLevel as Level;
    PolicyConfig {
        files: text.files.clone(),
        reset: text.reset,
        disabled: text.disabled,
        strict: text.strict,
        log_level: text.log_level.map(|level| match level {
            Level::Panic => LogLevel::Panic,
            Level::Fatal => LogLevel::Fatal,
            Level::Error => LogLevel::Error,
            Level::Warning => LogLevel::Warn,
            Level::Info => LogLevel::Info,
            Level::Debug => LogLevel::Debug,
            Level::Trace => LogLevel::Trace,
        }),
    }
}
