//! Local folders that a build may use without naming them.

use std::path::PathBuf;

/// Local folders that a build may use without naming them. The library never reads them from the
/// process, except in [`from_environment`](Self::from_environment).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folders {
    /// Holds temporary folders for data from a stream and for the parts of an archive. A build that
    /// needs one fails without it.
    pub temporary: Option<PathBuf>,
    /// Outputs below this folder may delete files (`type=local,mode=delete`) without permission.
    pub working: Option<PathBuf>,
}

impl Folders {
    /// The folders of this process: the temporary folder (`TMPDIR`) and the working directory.
    pub fn from_environment() -> Self {
        Self {
            temporary: Some(std::env::temp_dir()),
            working: std::env::current_dir().ok(),
        }
    }
}
