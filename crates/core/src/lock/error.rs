//! Why a lock cannot be read, or has no answer.

use std::sync::Arc;

use crate::oci::{self, Digest};

/// Why a text cannot be read as a lock.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It is not JSON, cut off, or not of the lock's form.
    #[error("it is not a lock: {0}")]
    Form(FormProblem),
    /// Another version wrote it.
    #[error("its version is {found}; only version 1 is supported")]
    Version {
        /// Its version.
        found: String,
    },
    /// An entry is invalid, or contradicts another one.
    #[error("the entry {entry:?} {reason}")]
    Entry {
        /// Its key.
        entry: String,
        /// What is wrong with it.
        reason: EntryProblem,
    },
}

/// Why a text does not have the form of a lock.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FormProblem {
    /// It is not JSON, or has other fields; the message has line and column.
    #[error(transparent)]
    Json(Arc<serde_json::Error>),
    /// It lacks the images.
    #[error("it has no \"images\"")]
    NoImages,
}

/// What is wrong with an entry of a lock. The message begins with a verb.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum EntryProblem {
    /// Its digest is invalid.
    #[error("has no digest: {0}")]
    Digest(oci::Error),
    /// Its name has another digest.
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
    /// A platform without the config of an image.
    #[error("has no config for {platform}")]
    NoConfig {
        /// The platform.
        platform: String,
    },
    /// A platform with two spellings.
    #[error("has the platform {platform} twice")]
    Twice {
        /// The platform.
        platform: String,
    },
    /// Its time is not RFC 3339.
    #[error("has an invalid time: {0}")]
    Time(time::error::Parse),
    /// It has the fields of two kinds of sources.
    #[error("is both a git and an http source")]
    GitAndHttp,
}

/// Why a lock has no answer.
#[derive(Debug, Clone, thiserror::Error)]
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
    /// The JSON in the place of a config is something else.
    #[error("the lock's config for {platform} is not an image config: {source}")]
    Config {
        /// Its platform.
        platform: String,
        /// What is wrong with it.
        source: Arc<serde_json::Error>,
    },
    /// A git or http source is not in it.
    #[error("the lock does not have the time of {identifier}")]
    Source {
        /// The source's identifier.
        identifier: String,
    },
}
