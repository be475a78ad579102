//! Mistakes with cache mounts.

use solvekit::cache_mount;
use thiserror::Error;

use super::Advised;
use crate::cli::interrupt::EXIT_INTERRUPTED;
use crate::cli::report::{Failure, daemon_text, registry_failure};

/// The most ids that are listed.
const IDS: usize = 20;
/// The code of a full disk on the daemon's machine.
const FULL: i32 = 28;

#[derive(Debug, Error)]
pub(crate) enum CacheMountUsage {
    #[error("invalid cache mount {text:?}: {reason}")]
    Place {
        text: String,
        reason: String,
        /// `src` or `dest`.
        key: &'static str,
    },
    #[error("an archive is not written to a terminal")]
    ToTerminal,
    #[error("stdin can be read for one node only, and the builder has {0}")]
    SeveralNodes(usize),
}

impl Advised for CacheMountUsage {
    fn advice(&self) -> Option<String> {
        Some(match self {
            Self::Place { key, .. } => format!(
                "give a path, or type=local,{key}=DIR, type=tar,{key}=FILE, \
                 type=registry,ref=NAME; for a build with id=ID before it"
            ),
            Self::ToTerminal => "give a file, or pipe it: --to cache.tar".to_owned(),
            Self::SeveralNodes(_) => {
                "give a file, or name a node's address: --builder ADDRESS".to_owned()
            }
        })
    }
}

/// The failure of a copy, with its exit code.
pub(crate) fn copy_failure(error: cache_mount::Error) -> Failure {
    let (kind, is_interrupted) = match &error {
        cache_mount::Error::Registry(error) => (error.kind(), false),
        cache_mount::Error::Interrupted { .. } => (None, true),
        _ => (None, false),
    };
    let failure = Failure::from(error).of_registry(kind);
    match is_interrupted {
        true => failure.code(EXIT_INTERRUPTED),
        false => failure,
    }
}

impl Advised for cache_mount::Error {
    fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::NotFound { known, .. } if known.is_empty() => {
                "it has none; the first RUN --mount=type=cache that runs makes one"
            }
            Self::NotFound { known, .. } => {
                let mut ids = known.iter().take(IDS).cloned().collect::<Vec<_>>();
                if known.len() > IDS {
                    ids.push(format!("{} more", known.len() - IDS));
                }
                return Some(format!("it has: {}", ids.join(", ")));
            }
            Self::OtherFolder { .. } => {
                "give the uid=, gid= and mode= of the instruction; a mount that begins with files \
                 (from=) cannot be copied"
            }
            Self::Registry(error) => return registry_failure::advice(error),
            Self::Archive {
                problem: cache_mount::ArchiveProblem::Sparse,
                ..
            } => "write the archive without --sparse",
            Self::InUse { .. } => "wait for it with --sharing=locked, or run it again later",
            Self::NotEmpty { .. } => "give another folder, or replace what is in it: --replace",
            Self::Archive { .. } => "the cache mount has the same files as before",
            Self::Remote { code: FULL, .. } => "make room: solvekit prune",
            Self::NotAnExport { .. } => {
                "push one: solvekit cache-mount export --id ID --to type=registry,ref=NAME"
            }
            _ => return daemon_text::for_error(self),
        };
        Some(advice.to_owned())
    }
}
