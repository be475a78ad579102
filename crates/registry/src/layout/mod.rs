//! OCI image layouts on disk: folders with `index.json`, `oci-layout` and blobs named by their
//! digests.
//!
//! Local caches, `type=oci,tar=false` outputs and `oci-layout://` contexts are layouts. The daemon
//! reads and writes their blobs through a session's content store; this module reads and writes the
//! index. Other tools (skopeo, crane, Go clients of BuildKit) read the files, so they follow the
//! OCI specification.
//!
//! ```no_run
//! use solvekit_registry::layout::LayoutReference;
//!
//! let reference = LayoutReference::parse("oci-layout://images/base:1.2")?;
//! println!("{}", reference.resolve()?);
//! # Ok::<(), solvekit_registry::layout::Error>(())
//! ```

mod blob;
mod error;
mod guard;
mod index;
mod partial;
mod reference;
mod sweep;
mod upload;

pub use error::{Error, IndexProblem, ReferenceProblem};
pub use index::Name;
pub(crate) use index::SUBJECT;
pub use reference::LayoutReference;
pub use upload::{CommitError, Upload};

use std::path::{Path, PathBuf};

/// A folder that is, or will be, an OCI image layout. Methods block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// Returns the layout in a folder, which need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Returns the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }
}
