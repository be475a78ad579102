//! Errors of git URLs, build contexts, sources of `SOURCE_DATE_EPOCH` and ports.

use super::images::ImageFailure;
use super::reason::Reason;
use crate::oci;

/// The fault of the query of a git URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GitUrlProblem {
    /// A duplicate key.
    #[error("the query has {key:?} twice")]
    Duplicate {
        /// The key.
        key: String,
    },
    /// A key that needs a value has none.
    #[error("the query's {key:?} has no value")]
    NoValue {
        /// The key.
        key: String,
    },
    /// An unknown key.
    #[error("the query has the unknown key {key:?}")]
    UnknownKey {
        /// The key.
        key: String,
    },
    /// A switch that is neither on nor off.
    #[error("the query's {key} is {value:?}, not true or false")]
    Switch {
        /// The key.
        key: String,
        /// The value.
        value: String,
    },
    /// An unknown mtime mode.
    #[error("the query's mtime is {value:?}, not checkout or commit")]
    Mtime {
        /// The value.
        value: String,
    },
    /// Both a branch and a tag.
    #[error("the query has both branch and tag")]
    BranchAndTag,
    /// Two parts of the URL that contradict each other.
    #[error("the {key} is both {first:?} and {second:?}")]
    Conflict {
        /// The key.
        key: &'static str,
        /// One value.
        first: String,
        /// The other value.
        second: String,
    },
}

/// The reason a build context is invalid.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContextProblem {
    /// The text must be a git URL and is not.
    #[error("{url:?} is not a git URL")]
    NotGit {
        /// The text.
        url: String,
    },
    /// The query of the git URL is malformed.
    #[error(transparent)]
    Git(GitUrlProblem),
    /// The specifier has no kind.
    #[error(
        "{specifier:?} does not say of which kind it is; expected docker-image://…, \
        oci-layout://…, local:… or a git or http URL"
    )]
    NoKind {
        /// The specifier.
        specifier: String,
    },
    /// The kind of the specifier is unknown.
    #[error("contexts of kind {kind:?} are not known")]
    UnknownKind {
        /// The kind.
        kind: String,
    },
    /// The OCI layout has no digest of an image.
    #[error("the OCI layout {specifier:?} has no digest")]
    NoDigest {
        /// The specifier.
        specifier: String,
    },
    /// The reference or digest of the image is invalid.
    #[error(transparent)]
    Image(oci::Error),
    /// The image cannot be resolved.
    #[error(transparent)]
    Unresolved(ImageFailure),
    /// Source policies replace the image endlessly.
    #[error("the source policies replace it again and again")]
    ReplacedTooOften,
    /// The stage of the Dockerfile does not exist.
    #[error(transparent)]
    Stage(Box<Reason>),
}

/// The reason `SOURCE_DATE_EPOCH` is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EpochProblem {
    /// Neither a number nor the name of a source.
    #[error("it is neither a number, nor \"context\", a build context or a stage")]
    Unknown,
    /// JSON cannot represent the year.
    #[error("the year is not one from 0 to 9999")]
    Year,
    /// The commit object has no committer.
    #[error("the commit object has no committer")]
    NoCommitter,
    /// The committer of the commit object has no time.
    #[error("the committer has no time")]
    NoTime,
    /// The stage has a base image.
    #[error("the stage must be FROM scratch")]
    NotScratch,
    /// The stage has several ADD instructions.
    #[error("the stage must have only one ADD")]
    SeveralAdds,
    /// The stage has no ADD.
    #[error("the stage must have one ADD of a git or http URL")]
    NoAdd,
    /// The stage has other instructions.
    #[error("the stage may only have ARG and one ADD of a URL, not {keyword}")]
    OtherInstruction {
        /// The instruction.
        keyword: &'static str,
    },
    /// The stage's ADD has several sources or none that is a URL.
    #[error("its ADD must have one URL")]
    AddWithoutUrl,
    /// The stage's ADD adds a file of the context.
    #[error("its ADD must have a git or http URL")]
    AddOfFile,
    /// The git URL of the stage's ADD has a malformed query.
    #[error(transparent)]
    Git(#[from] GitUrlProblem),
}

/// The reason a word of `EXPOSE` is not a port.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PortProblem {
    /// The word has no number.
    #[error("there is no port number")]
    NoPort,
    /// The protocol is unknown.
    #[error("the protocol {protocol:?} is not tcp, udp or sctp")]
    Protocol {
        /// The protocol.
        protocol: String,
    },
    /// The ranges of the container and of the host have different lengths.
    #[error("the ranges {container} and {host} have different lengths")]
    Lengths {
        /// The container's range.
        container: String,
        /// The host's range.
        host: String,
    },
    /// The address is not an IP address.
    #[error("{address:?} is not an IP address")]
    Address {
        /// The address.
        address: String,
    },
    /// The number is not a valid port.
    #[error("{text:?} is not a number from 0 to 65535")]
    Number {
        /// The text.
        text: String,
    },
    /// The range's last port is before its first one.
    #[error("the range {range} ends before it begins")]
    Reversed {
        /// The range.
        range: String,
    },
}
