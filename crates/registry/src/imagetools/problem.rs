//! Faults of texts and content: causes of [`Error`].
//!
//! [`Error`]: super::Error

use crate::{layout, oci};

/// The reason content does not match its media type.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContentProblem {
    /// It is not the expected JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Its payload is not base64.
    #[error("its payload is not base64: {0}")]
    Base64(#[from] base64::DecodeError),
}

/// The reason a text does not name a part of an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceProblem {
    /// The text is neither the name of an image nor a digest.
    #[error(transparent)]
    Name(#[from] oci::Error),
    /// The text is not an image of a layout.
    #[error(transparent)]
    Layout(#[from] layout::Error),
    /// The JSON is a manifest or an index.
    #[error("it is a manifest or an index, and a descriptor of one is needed")]
    NotADescriptor,
    /// The text is not a descriptor in JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

/// The reason a text is not an annotation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnnotationProblem {
    /// There is no `=`.
    #[error("it is not PLACE:KEY=VALUE")]
    NoValue,
    /// There is no place.
    #[error(
        "say where: index:KEY=VALUE or manifest-descriptor:KEY=VALUE; manifests stay as they are"
    )]
    NoPlace,
    /// The key is empty or has white space.
    #[error("its key is empty or has white space in it")]
    Key,
    /// A `[` has no `]`.
    #[error("the bracket is not closed")]
    OpenBracket,
    /// An index is named with a platform.
    #[error("an index is of all platforms")]
    IndexOfOnePlatform,
    /// The text in brackets is not a platform.
    #[error(transparent)]
    Platform(#[from] oci::Error),
    /// The place cannot be changed without changing digests.
    #[error(
        "manifests and the descriptors of indexes stay as they are here; index and \
         manifest-descriptor can be annotated"
    )]
    Unchangeable,
    /// The place is unknown.
    #[error("what can be annotated is index and manifest-descriptor")]
    UnknownPlace,
}
