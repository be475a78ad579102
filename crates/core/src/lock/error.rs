//! Why a lock cannot be read, or has no answer.

use crate::oci::Digest;

/// A text that is no lock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is no JSON, cut off, or not of the lock's form.
    #[error("it is not a lock: {reason}")]
    Form {
        /// What is wrong, with line and column.
        reason: String,
    },
    /// Another version wrote it.
    #[error("its version is {found}; only version 1 is supported")]
    Version {
        /// Its version.
        found: String,
    },
    /// An entry that contradicts itself or another one.
    #[error("the entry {entry:?} {reason}")]
    Entry {
        /// Its key.
        entry: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// Why a lock has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// The image is not in it.
    #[error("the lock does not have {reference}")]
    Missing {
        /// The normalised reference.
        reference: String,
    },
    /// The Dockerfile pins another digest than the lock has for the tag.
    #[error("the lock has {reference} at {locked}, but the Dockerfile asks for {wanted}")]
    Moved {
        /// The reference without digest.
        reference: String,
        /// What the Dockerfile asks for.
        wanted: Digest,
        /// What is locked.
        locked: Digest,
    },
    /// The image is in it, but not for the platform.
    #[error("the lock has {reference} for {}, not for {platform}", available.join(", "))]
    Platform {
        /// The normalised reference.
        reference: String,
        /// The platform that is wanted.
        platform: String,
        /// Those that are there.
        available: Vec<String>,
    },
    /// A config that is none.
    #[error("the lock's config for {platform} is not an image config: {reason}")]
    Config {
        /// Its platform.
        platform: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A git or http source is not in it.
    #[error("the lock does not have the time of {identifier}")]
    Source {
        /// The source's identifier.
        identifier: String,
    },
}
