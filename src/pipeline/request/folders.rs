//! Folders of this machine that a build may use although it does not name them.

use std::path::PathBuf;

/// Folders that a build may use although it does not name them. The library asks the process for
/// none of them, except in [`from_environment`](Self::from_environment).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folders {
    /// Where folders are made for what comes from a stream, and for the parts of an archive.
    /// Without it such a build fails.
    pub temporary: Option<PathBuf>,
    /// Below it an output may delete files (`type=local,mode=delete`) without being allowed to.
    pub working: Option<PathBuf>,
}

impl Folders {
    /// Those of this process: its folder for temporary files (`TMPDIR`) and its working directory.
    pub fn from_environment() -> Self {
        Self {
            temporary: Some(std::env::temp_dir()),
            working: std::env::current_dir().ok(),
        }
    }
}
