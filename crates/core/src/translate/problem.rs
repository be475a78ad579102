//! Why a git URL, a build context, a source of `SOURCE_DATE_EPOCH` or a port cannot be used.

use super::images::ImageFailure;
use super::reason::Reason;
use crate::oci;

/// What is wrong with the query of a git URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GitUrlProblem {
    /// A key that is there twice.
    #[error("the query has {key:?} twice")]
    Duplicate {
        /// The key.
        key: String,
    },
    /// A key without a value that needs one.
    #[error("the query's {key:?} has no value")]
    NoValue {
        /// The key.
        key: String,
    },
    /// A key with an unknown meaning.
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
    /// A time of files that is unknown.
    #[error("the query's mtime is {value:?}, not checkout or commit")]
    Mtime {
        /// The value.
        value: String,
    },
    /// A branch and a tag at once.
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

/// Why a build context cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContextProblem {
    /// It is not a git URL where only that can be.
    #[error("{url:?} is not a git URL")]
    NotGit {
        /// The text.
        url: String,
    },
    /// A git URL with a wrong query.
    #[error(transparent)]
    Git(GitUrlProblem),
    /// A specifier without its kind.
    #[error(
        "{specifier:?} does not say of which kind it is; expected docker-image://…, \
        oci-layout://…, local:… or a git or http URL"
    )]
    NoKind {
        /// The specifier.
        specifier: String,
    },
    /// A specifier of an unknown kind.
    #[error("contexts of kind {kind:?} are not known")]
    UnknownKind {
        /// The kind.
        kind: String,
    },
    /// An OCI layout without the digest of an image in it.
    #[error("the OCI layout {specifier:?} has no digest")]
    NoDigest {
        /// The specifier.
        specifier: String,
    },
    /// An image whose reference or digest is invalid.
    #[error(transparent)]
    Image(oci::Error),
    /// An image that cannot be resolved.
    #[error(transparent)]
    Unresolved(ImageFailure),
    /// An image that source policies replace without end.
    #[error("the source policies replace it again and again")]
    ReplacedTooOften,
    /// A stage of the Dockerfile that does not exist.
    #[error(transparent)]
    Stage(Box<Reason>),
}

/// Why `SOURCE_DATE_EPOCH` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EpochProblem {
    /// Not a number and not the name of a source.
    #[error("it is neither a number, nor \"context\", a build context or a stage")]
    Unknown,
    /// A time that a config's JSON cannot have.
    #[error("the year is not one from 0 to 9999")]
    Year,
    /// A commit object without a committer.
    #[error("the commit object has no committer")]
    NoCommitter,
    /// A commit object whose committer has no time.
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
    /// The stage's ADD has no URL, or several.
    #[error("its ADD must have one URL")]
    AddWithoutUrl,
    /// The stage's ADD is of a file.
    #[error("its ADD must have a git or http URL")]
    AddOfFile,
    /// The stage's ADD is of a git URL with a wrong query.
    #[error(transparent)]
    Git(#[from] GitUrlProblem),
}

/// Why a word of `EXPOSE` is not a port.
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
    /// The number is not a port.
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
