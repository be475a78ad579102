//! What can be wrong with a Dockerfile that is well-formed.

use super::error::Suggestion;
use super::images::ImageFailure;
use super::problem::{ContextProblem, EpochProblem, GitUrlProblem, PortProblem};
use crate::dockerfile::{ExpandError, MountError, ParseError};
use crate::ignore::PatternError;
use crate::{llb, oci};

/// What is wrong.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The file has no FROM.
    #[error("the Dockerfile has no stage: it needs a FROM instruction")]
    NoStage,
    /// A word that cannot be expanded.
    #[error(transparent)]
    Expand(ExpandError),
    /// FROM with nothing left after expansion.
    #[error("the base image {expression:?} is empty after its arguments are filled in")]
    BlankBase {
        /// As the file has it.
        expression: String,
    },
    /// FROM with something that is not an image reference.
    #[error("the base {name:?} is neither an earlier stage nor an image reference")]
    Base {
        /// After expansion.
        name: String,
        /// The rule that it breaks.
        source: oci::Error,
    },
    /// `FROM --platform` with nothing left after expansion.
    #[error("the platform {expression:?} is empty after its arguments are filled in{suggestion}")]
    BlankPlatform {
        /// As the file has it.
        expression: String,
        /// A name that was maybe meant.
        suggestion: Suggestion,
    },
    /// `FROM --platform` with something that is not a platform.
    #[error("the platform {expression:?} cannot be used{suggestion}")]
    Platform {
        /// As the file has it.
        expression: String,
        /// A name that was maybe meant.
        suggestion: Suggestion,
        /// The rule that it breaks.
        source: oci::Error,
    },
    /// `--target` names no stage.
    #[error("there is no stage {target:?} to build{suggestion}; the stages are: \
        {}", stages.join(", "))]
    UnknownTarget {
        /// The name asked for.
        target: String,
        /// The nearest stage.
        suggestion: Suggestion,
        /// The stages that there are.
        stages: Vec<String>,
    },
    /// `COPY --from=$X`
    #[error(
        "--from={value} cannot have a variable; give the image a name first: FROM {value} AS name"
    )]
    VariableInFrom {
        /// As the file has it.
        value: String,
    },
    /// `COPY --from=7` in a file with fewer stages.
    #[error("--from={index} counts stages from 0, but there are only {count}")]
    StageIndex {
        /// The number.
        index: i64,
        /// How many there are.
        count: usize,
    },
    /// Stages that need each other.
    #[error("stage {stage:?} needs itself, by way of the marked instructions")]
    Circular {
        /// A stage of the circle.
        stage: String,
    },
    /// A stage that comes later.
    #[error("stage {from:?} is used in stage {stage:?} before it is built; move it up")]
    LaterStage {
        /// The stage that is used.
        from: String,
        /// The stage that uses it.
        stage: String,
    },
    /// A base image that was not found.
    #[error("base image {reference:?} cannot be used{suggestion}")]
    BaseImage {
        /// As the file names it.
        reference: String,
        /// A stage or image that was maybe meant.
        suggestion: Suggestion,
        /// Why.
        #[source]
        source: ImageFailure,
    },
    /// A name that no context can have.
    #[error("{name:?} cannot be the name of a stage or context")]
    ContextName {
        /// The name.
        name: String,
        /// The rule that it breaks.
        source: oci::Error,
    },
    /// A named context that cannot be used.
    #[error("the build context {name:?} cannot be used: {reason}")]
    NamedContext {
        /// The context's name.
        name: String,
        /// Why.
        reason: ContextProblem,
    },
    /// The main context that cannot be used.
    #[error("the build context {url:?} cannot be used: {reason}")]
    Context {
        /// The context.
        url: String,
        /// Why.
        reason: ContextProblem,
    },
    /// A trigger of the base image that cannot be used.
    #[error("the base image's trigger {trigger:?} cannot be used")]
    Trigger {
        /// The instruction after ONBUILD.
        trigger: String,
        /// What is wrong with it.
        #[source]
        source: ParseError,
    },
    /// Triggers that ask for images whose triggers ask for images, and so on.
    #[error(
        "ONBUILD triggers of base images need more than {limit} other images, {reference:?} among \
        them; does an image copy from itself?"
    )]
    TriggersWithoutEnd {
        /// A base image whose triggers do.
        reference: String,
        /// How many they may ask for.
        limit: usize,
    },
    /// `ADD --checksum` that is not a digest.
    #[error("--checksum cannot be used")]
    Checksum(#[source] oci::Error),
    /// `ADD --checksum` with several sources.
    #[error("--checksum is for one source, and there are {count}")]
    ChecksumOfMany {
        /// How many there are.
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
    /// `ADD` of a git URL with a wrong query.
    #[error("the git URL {url:?} cannot be used: {problem}")]
    GitUrl {
        /// The URL.
        url: String,
        /// What is wrong with it.
        problem: GitUrlProblem,
    },
    /// A flag and the query of the git URL say different things.
    #[error("{flag} and the git URL {url:?} disagree")]
    GitUrlConflict {
        /// The flag.
        flag: &'static str,
        /// The URL.
        url: String,
    },
    /// `--chmod` that is not a mode.
    #[error("--chmod={mode} is neither an octal number up to 7777 nor a change like u=rwX,go-w")]
    Mode {
        /// The value.
        mode: String,
    },
    /// A path that Windows images cannot have.
    #[error("the path {path:?} {problem}")]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A `VOLUME` with nothing left after expansion.
    #[error("a path of VOLUME is empty after its variables are filled in")]
    EmptyVolume,
    /// `STOPSIGNAL` that is not a signal.
    #[error("{signal:?} is not a signal: expected a number other than 0 or a name like SIGTERM")]
    Signal {
        /// The value.
        signal: String,
    },
    /// `EXPOSE` of something that is not a port.
    #[error("{port:?} is not a port: {problem}")]
    Port {
        /// The word.
        port: String,
        /// What is wrong with it.
        problem: PortProblem,
    },
    /// `RUN []`
    #[error("RUN has no command")]
    NoCommand,
    /// A mount over the root.
    #[error("a mount needs a target other than /")]
    MountTarget,
    /// An SSH agent with a source.
    #[error("a mount of type ssh has no source")]
    SshSource,
    /// A `--mount` that cannot be used.
    #[error(transparent)]
    Mount(MountError),
    /// `SOURCE_DATE_EPOCH` that is neither a number nor a source with a time.
    #[error("SOURCE_DATE_EPOCH={value} cannot be used: {reason}")]
    Epoch {
        /// The value.
        value: String,
        /// Why.
        reason: EpochProblem,
    },
    /// `SOURCE_DATE_EPOCH` of a source whose time cannot be found.
    #[error("SOURCE_DATE_EPOCH={value} cannot be used: the time of the source is not known")]
    EpochSource {
        /// The value.
        value: String,
        /// Why.
        #[source]
        source: ImageFailure,
    },
    /// Findings of rules that fail the build.
    #[error("the Dockerfile breaks the rules {}", rules.join(", "))]
    Lint {
        /// The rules' names.
        rules: Vec<&'static str>,
    },
    /// The ignore file has an invalid pattern.
    #[error("the ignore file cannot be used")]
    IgnorePattern(#[source] PatternError),
    /// Text that is not UTF-8 where LLB needs it.
    #[error("the instruction has bytes that are not UTF-8, which BuildKit does not accept")]
    InvalidUtf8,
    /// Instructions that make endlessly much.
    #[error(
        "up to here the build graph is larger than {limit} MiB, which is more than BuildKit accepts"
    )]
    TooLarge {
        /// How much it may be, in MiB.
        limit: usize,
    },
    /// The graph cannot be marshalled.
    #[error("the build graph is not complete")]
    Graph(#[source] llb::Error),
}
