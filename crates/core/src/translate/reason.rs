//! The faults of a well-formed Dockerfile that cannot be translated.

use super::error::Suggestion;
use super::images::ImageFailure;
use super::problem::{ContextProblem, EpochProblem, GitUrlProblem, PortProblem};
use crate::dockerfile::{ExpandError, MountError, ParseError};
use crate::ignore::PatternError;
use crate::{llb, oci};

/// The reason a Dockerfile cannot be translated.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The file has no FROM.
    #[error("the Dockerfile has no stage: it needs a FROM instruction")]
    NoStage,
    /// A word cannot be expanded.
    #[error(transparent)]
    Expand(ExpandError),
    /// The base of FROM is empty after expansion.
    #[error("the base image {expression:?} is empty after its arguments are filled in")]
    BlankBase {
        /// The text in the file.
        expression: String,
    },
    /// The base of FROM is not an image reference.
    #[error("the base {name:?} is neither an earlier stage nor an image reference")]
    Base {
        /// The name after expansion.
        name: String,
        /// The rule that it breaks.
        source: oci::Error,
    },
    /// `FROM --platform` is empty after expansion.
    #[error("the platform {expression:?} is empty after its arguments are filled in{suggestion}")]
    BlankPlatform {
        /// The text in the file.
        expression: String,
        /// A name that was probably meant.
        suggestion: Suggestion,
    },
    /// `FROM --platform` is not a platform.
    #[error("the platform {expression:?} cannot be used{suggestion}")]
    Platform {
        /// The text in the file.
        expression: String,
        /// A name that was probably meant.
        suggestion: Suggestion,
        /// The rule that it breaks.
        source: oci::Error,
    },
    /// `--target` names no stage.
    #[error("there is no stage {target:?} to build{suggestion}; the stages are: \
        {}", stages.join(", "))]
    UnknownTarget {
        /// The requested name.
        target: String,
        /// The nearest stage.
        suggestion: Suggestion,
        /// The stages of the file.
        stages: Vec<String>,
    },
    /// `COPY --from=$X` has a variable.
    #[error(
        "--from={value} cannot have a variable; give the image a name first: FROM {value} AS name"
    )]
    VariableInFrom {
        /// The text in the file.
        value: String,
    },
    /// `COPY --from=7` in a file with fewer stages.
    #[error("--from={index} counts stages from 0, but there are only {count}")]
    StageIndex {
        /// The number.
        index: i64,
        /// The number of stages.
        count: usize,
    },
    /// Stages depend on each other in a cycle.
    #[error("stage {stage:?} needs itself, by way of the marked instructions")]
    Circular {
        /// A stage of the cycle.
        stage: String,
    },
    /// The stage comes later in the file.
    #[error("stage {from:?} is used in stage {stage:?} before it is built; move it up")]
    LaterStage {
        /// The stage that is used.
        from: String,
        /// The stage that uses it.
        stage: String,
    },
    /// The base image cannot be resolved.
    #[error("base image {reference:?} cannot be used{suggestion}")]
    BaseImage {
        /// The name in the file.
        reference: String,
        /// A stage or image that was probably meant.
        suggestion: Suggestion,
        /// The cause.
        #[source]
        source: ImageFailure,
    },
    /// The name of a context is invalid.
    #[error("{name:?} cannot be the name of a stage or context")]
    ContextName {
        /// The name.
        name: String,
        /// The rule that it breaks.
        source: oci::Error,
    },
    /// The named context is invalid.
    #[error("the build context {name:?} cannot be used: {reason}")]
    NamedContext {
        /// The context's name.
        name: String,
        /// The cause.
        reason: ContextProblem,
    },
    /// The main context is invalid.
    #[error("the build context {url:?} cannot be used: {reason}")]
    Context {
        /// The context.
        url: String,
        /// The cause.
        reason: ContextProblem,
    },
    /// A trigger of the base image is invalid.
    #[error("the base image's trigger {trigger:?} cannot be used")]
    Trigger {
        /// The instruction after ONBUILD.
        trigger: String,
        /// The parse error.
        #[source]
        source: ParseError,
    },
    /// Triggers need images whose triggers need images, and so on.
    #[error(
        "ONBUILD triggers of base images need more than {limit} other images, {reference:?} among \
        them; does an image copy from itself?"
    )]
    TriggersWithoutEnd {
        /// A base image with such triggers.
        reference: String,
        /// The most images that triggers may need.
        limit: usize,
    },
    /// `ADD --checksum` is not a digest.
    #[error("--checksum cannot be used")]
    Checksum(#[source] oci::Error),
    /// `ADD --checksum` with several sources.
    #[error("--checksum is for one source, and there are {count}")]
    ChecksumOfMany {
        /// The number of sources.
        count: usize,
    },
    /// `ADD --checksum` of a file of the context.
    #[error("--checksum is for http(s) and git sources, and {path:?} is neither")]
    ChecksumOfFile {
        /// The source.
        path: String,
    },
    /// `COPY` of a URL.
    #[error("{instruction} cannot fetch {url:?}; ADD can")]
    CannotFetch {
        /// The instruction.
        instruction: &'static str,
        /// The source.
        url: String,
    },
    /// `ADD` of a git URL with a malformed query.
    #[error("the git URL {url:?} cannot be used: {problem}")]
    GitUrl {
        /// The URL.
        url: String,
        /// The fault of the query.
        problem: GitUrlProblem,
    },
    /// A flag contradicts the query of the git URL.
    #[error("{flag} and the git URL {url:?} disagree")]
    GitUrlConflict {
        /// The flag.
        flag: &'static str,
        /// The URL.
        url: String,
    },
    /// `--chmod` is not a mode.
    #[error("--chmod={mode} is neither an octal number up to 7777 nor a change like u=rwX,go-w")]
    Mode {
        /// The value.
        mode: String,
    },
    /// The path is invalid for Windows images.
    #[error("the path {path:?} {problem}")]
    Path {
        /// The path.
        path: String,
        /// The fault of the path.
        problem: &'static str,
    },
    /// A `VOLUME` is empty after expansion.
    #[error("a path of VOLUME is empty after its variables are filled in")]
    EmptyVolume,
    /// `STOPSIGNAL` is not a signal.
    #[error("{signal:?} is not a signal: expected a number other than 0 or a name like SIGTERM")]
    Signal {
        /// The value.
        signal: String,
    },
    /// A word of `EXPOSE` is not a port.
    #[error("{port:?} is not a port: {problem}")]
    Port {
        /// The word.
        port: String,
        /// The fault of the word.
        problem: PortProblem,
    },
    /// `RUN []`
    #[error("RUN has no command")]
    NoCommand,
    /// A mount hides the root.
    #[error("a mount needs a target other than /")]
    MountTarget,
    /// A mount of an SSH agent has a source.
    #[error("a mount of type ssh has no source")]
    SshSource,
    /// A `--mount` is invalid.
    #[error(transparent)]
    Mount(MountError),
    /// `SOURCE_DATE_EPOCH` is neither a number nor a source with a time.
    #[error("SOURCE_DATE_EPOCH={value} cannot be used: {reason}")]
    Epoch {
        /// The value.
        value: String,
        /// The cause.
        reason: EpochProblem,
    },
    /// The time of the source in `SOURCE_DATE_EPOCH` cannot be found.
    #[error("SOURCE_DATE_EPOCH={value} cannot be used: the time of the source is not known")]
    EpochSource {
        /// The value.
        value: String,
        /// The cause.
        #[source]
        source: ImageFailure,
    },
    /// There are findings of rules that fail the build.
    #[error("the Dockerfile breaks the rules {}", rules.join(", "))]
    Lint {
        /// The rules' names.
        rules: Vec<&'static str>,
    },
    /// The ignore file has an invalid pattern.
    #[error("the ignore file cannot be used")]
    IgnorePattern(#[source] PatternError),
    /// Text is not UTF-8 where LLB requires it.
    #[error("the instruction has bytes that are not UTF-8, which BuildKit does not accept")]
    InvalidUtf8,
    /// The instructions produce too large a graph.
    #[error(
        "up to here the build graph is larger than {limit} MiB, which is more than BuildKit accepts"
    )]
    TooLarge {
        /// The limit in MiB.
        limit: usize,
    },
    /// The graph cannot be marshalled.
    #[error("the build graph is not complete")]
    Graph(#[source] llb::Error),
}
