//! Errors of parsing a platform, a reference or a digest.

/// The reason a text cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The platform specifier is invalid.
    #[error(
        "invalid platform {input:?}: {reason}; a platform is os/arch[/variant], for example \
        linux/amd64 or linux/arm/v7"
    )]
    Platform {
        /// The original text.
        input: String,
        /// The rule that it breaks.
        reason: PlatformReason,
    },
    /// The image reference is invalid.
    #[error("invalid image reference {input:?}: {reason}")]
    Reference {
        /// The original text.
        input: String,
        /// The rule that it breaks.
        reason: ReferenceReason,
    },
    /// The digest is invalid.
    #[error("invalid digest {input:?}: {reason}")]
    Digest {
        /// The original text.
        input: String,
        /// The rule that it breaks.
        reason: &'static str,
    },
}

/// The reason a text is not a platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlatformReason {
    /// It contains a `*`.
    #[error("wildcards are not supported")]
    Wildcard,
    /// A part has a forbidden character.
    #[error("{part:?} may only hold letters, digits, '_', '.' and '-'")]
    Part {
        /// The part.
        part: String,
    },
    /// The only part is neither an operating system nor an architecture.
    #[error("unknown operating system or architecture")]
    Unknown,
    /// It has more than three parts.
    #[error("too many parts")]
    TooManyParts,
    /// The options of the operating system are not closed.
    #[error("the parenthesis after the operating system is not closed")]
    OpenParenthesis,
    /// The first part is not an operating system.
    #[error("{name:?} is not the name of an operating system")]
    OsName {
        /// The first part.
        name: String,
    },
    /// An option of the operating system has a forbidden character.
    #[error("{option:?} is not a version or feature")]
    OsOption {
        /// The option.
        option: String,
    },
    /// A feature between two `+` is empty.
    #[error("an operating system feature is empty")]
    EmptyFeature,
    /// A `%` without two hexadecimal digits.
    #[error("{text:?} has an incomplete % escape")]
    Escape {
        /// The option.
        text: String,
    },
    /// An option is not UTF-8.
    #[error("{text:?} is not UTF-8 when unescaped")]
    NotUtf8 {
        /// The option.
        text: String,
    },
}

/// The reason a text is not an image reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceReason {
    /// It is empty.
    #[error("it is empty")]
    Empty,
    /// It looks like the id of an image.
    #[error("64 hexadecimal digits are an image id, not a name")]
    ImageId,
    /// The first part is not a registry.
    #[error("{domain:?} is not a registry host[:port]")]
    Domain {
        /// The first part.
        domain: String,
    },
    /// The repository has an upper-case letter.
    #[error("the repository name {name:?} must be lower-case")]
    UpperCase {
        /// The original repository.
        name: String,
    },
    /// The repository is too long.
    #[error("the repository name is longer than {limit} characters")]
    TooLong {
        /// The maximum length.
        limit: usize,
    },
    /// A part between two slashes is empty.
    #[error("a part of the repository name is empty")]
    EmptyPart,
    /// A part of the repository has a forbidden character.
    #[error(
        "{part:?} may only hold lower-case letters, digits, and between them '.', '_', '__' or \
        dashes"
    )]
    Part {
        /// The part.
        part: String,
    },
    /// The tag is too long or has a forbidden character.
    #[error(
        "the tag {tag:?} must be 1 to {limit} letters, digits, '_', '.' and '-', and not begin \
        with '.' or '-'"
    )]
    Tag {
        /// The tag.
        tag: String,
        /// The maximum length.
        limit: usize,
    },
    /// The text after `@` is not a digest.
    #[error(transparent)]
    Digest(Box<Error>),
}
