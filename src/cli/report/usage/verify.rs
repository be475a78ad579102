//! Mistakes in flags of `verify`.

use std::path::PathBuf;

use thiserror::Error;

use super::Advised;

#[derive(Debug, Error)]
pub(crate) enum VerifyUsage {
    #[error("{0} is not for verify, which makes no image to keep")]
    NotForVerify(&'static str),
    #[error("a context from stdin can be read only once")]
    Stdin,
    #[error("there is no folder for temporary files")]
    NoTemporaryFolder,
    #[error("cannot create the folder {}", path.display())]
    Folder {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("the folder {} is not empty", .0.display())]
    FolderIsFull(PathBuf),
    #[error("the daemon did not tell the digest of what it built")]
    NoDigest,
}

impl Advised for VerifyUsage {
    fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::NotForVerify(_) => "leave it out, or use solvekit build",
            Self::Stdin => "unpack it to a folder, and give that",
            Self::NoTemporaryFolder => "set TMPDIR, or give a folder: --keep FOLDER",
            Self::FolderIsFull(_) => "give a folder that does not exist yet",
            Self::NoDigest => {
                "its version of BuildKit may not write OCI layouts; use another builder: --builder"
            }
            Self::Folder { .. } => return None,
        };
        Some(advice.to_owned())
    }
}
