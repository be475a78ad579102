//! What can go wrong with images in registries.

use crate::registry;

/// An error of this module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A registry did not give or take something.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// What a registry has is not what its type says.
    #[error("{reference} is no {kind}: {reason}")]
    Malformed {
        /// What it is.
        reference: String,
        /// What it should be.
        kind: &'static str,
        /// What is wrong.
        reason: String,
    },
}
