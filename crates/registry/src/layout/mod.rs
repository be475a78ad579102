//! OCI image layouts on disk: a folder with `index.json`, `oci-layout` and blobs that are named by their digests.
//!
//! Local caches, `type=oci,tar=false` outputs and `oci-layout://` contexts are such folders. What the daemon reads and
//! writes of them goes through the content store of a session; the index is read and written here. Files are followed
//! by other tools (skopeo, crane, Go clients of BuildKit), so their forms are the specification's.
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

pub use error::Error;
pub use index::Name;
pub use reference::LayoutReference;
pub use upload::{CommitError, Upload};

use std::path::{Path, PathBuf};

/// A folder that is an OCI image layout, or becomes one. Methods block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout in a folder, which need not be there yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }
}
