//! Errors of locks: parsing and lookup.

use std::sync::Arc;

use crate::oci::{self, Digest};

/// The reason a lock cannot be parsed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is not JSON, is cut off, or has the wrong form.
    #[error("it is not a lock: {0}")]
    Form(FormProblem),
    /// The version is unknown.
    #[error("its version is {found}; only version 1 is supported")]
    Version {
        /// The version in the file.
        found: String,
    },
    /// An entry is invalid, or contradicts another one.
    #[error("the entry {entry:?} {reason}")]
    Entry {
        /// Its key.
        entry: String,
        /// The fault of the entry.
        reason: EntryProblem,
    },
}

/// The reason a text does not have the form of a lock.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FormProblem {
    /// The text is not JSON, or has other fields; the message has line and column.
    #[error(transparent)]
    Json(Arc<serde_json::Error>),
    /// The field `images` is missing.
    #[error("it has no \"images\"")]
    NoImages,
}

/// The fault of an entry of a lock. The message begins with a verb.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EntryProblem {
    /// The digest is invalid.
    #[error("has no digest: {0}")]
    Digest(oci::Error),
    /// The name contains another digest.
    #[error("contradicts itself: its digest is {digest}")]
    OtherDigest {
        /// The entry's digest.
        digest: Digest,
    },
    /// Two spellings of a reference have two digests.
    #[error("contradicts {other:?}, which is the same image")]
    SameImage {
        /// The other entry.
        other: String,
    },
    /// A key is not a platform.
    #[error("has an invalid platform: {0}")]
    Platform(oci::Error),
    /// A platform has no image config.
    #[error("has no config for {platform}")]
    NoConfig {
        /// The platform.
        platform: String,
    },
    /// A platform is there in two spellings.
    #[error("has the platform {platform} twice")]
    Twice {
        /// The platform.
        platform: String,
    },
    /// The time is not RFC 3339.
    #[error("has an invalid time: {0}")]
    Time(time::error::Parse),
    /// The entry has the fields of both git and HTTP sources.
    #[error("is both a git and an http source")]
    GitAndHttp,
}

/// The reason a lookup fails.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// The image is not in the lock.
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
        /// The digest in the Dockerfile.
        wanted: Digest,
        /// The digest in the lock.
        locked: Digest,
    },
    /// The lock has the image, but not for the platform.
    #[error("the lock has {reference} for {}, not for {platform}", available.join(", "))]
    Platform {
        /// The normalised reference.
        reference: String,
        /// The requested platform.
        platform: String,
        /// The locked platforms.
        available: Vec<String>,
    },
    /// The JSON of a config is not an image config.
    #[error("the lock's config for {platform} is not an image config: {source}")]
    Config {
        /// The platform.
        platform: String,
        /// The cause.
        source: Arc<serde_json::Error>,
    },
    /// The git or HTTP source is not in the lock.
    #[error("the lock does not have the time of {identifier}")]
    Source {
        /// The source's identifier.
        identifier: String,
    },
}
