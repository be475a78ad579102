//! Mistakes in the flags for the form and the destination of progress.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::Advised;

#[derive(Debug, Error)]
pub(crate) enum ProgressUsage {
    #[error("--progress-fd and --progress-file are for progress that programs read")]
    ForPeople,
    #[error("--progress-fd is not supported on Windows")]
    NoDescriptors,
    #[error("cannot write progress to {place}: {source}")]
    Place { place: String, source: io::Error },
    #[error("cannot open {} for --trace: {source}", .path.display())]
    TraceFile { path: PathBuf, source: io::Error },
}

impl Advised for ProgressUsage {
    fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::ForPeople => "add --progress=jsonl or --progress=rawjson; text goes to stderr",
            Self::NoDescriptors => "name a file with --progress-file",
            Self::Place { .. } => "the shell opens one with 3>FILE or 3>&1, then --progress-fd 3",
            Self::TraceFile { .. } => "name a file that can be written, in a folder that exists",
        };
        Some(advice.to_owned())
    }
}
