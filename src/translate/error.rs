//! Why a Dockerfile cannot be translated, and where.

use std::fmt;

use super::images::{ImageFailure, ImageRequest};
use crate::dockerfile::{ExpandError, Span};
use crate::{llb, oci};

/// A Dockerfile that cannot be translated.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{reason}")]
pub struct Error {
    /// What is wrong.
    #[source]
    pub reason: Box<Reason>,
    /// The lines that it is about, the innermost first; empty when it is about none.
    pub spans: Vec<Span>,
    /// Images that would have had to be known next, had it not failed.
    pub missing: Vec<ImageRequest>,
}

impl Error {
    pub(super) fn new(reason: Reason) -> Self {
        Self {
            reason: Box::new(reason),
            spans: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// The same with one more place.
    #[must_use]
    pub(super) fn at(mut self, span: Option<Span>) -> Self {
        self.spans.extend(span);
        self
    }

    /// The same at this place only.
    #[must_use]
    pub(super) fn only_at(mut self, span: Option<Span>) -> Self {
        self.spans = span.into_iter().collect();
        self
    }
}

impl From<Reason> for Error {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}

impl From<ExpandError> for Error {
    fn from(error: ExpandError) -> Self {
        Self::new(Reason::Expand(error))
    }
}

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
    #[error("there is no stage {target:?} to build{suggestion}; the stages are: {}", stages.join(", "))]
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
        "--from={value} has a variable, which is not possible here; give the image a name first: FROM {value} AS name"
    )]
    VariableInFrom {
        /// As the file has it.
        value: String,
    },
    /// `COPY --from=7` in a file with fewer stages.
    #[error("--from={index} counts stages from 0, and there are {count}")]
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
        reason: String,
    },
    /// The main context that cannot be used.
    #[error("the build context {url:?} cannot be used: {reason}")]
    Context {
        /// The context.
        url: String,
        /// Why.
        reason: String,
    },
    /// A trigger of the base image that cannot be used.
    #[error("the base image's trigger {trigger:?} cannot be used")]
    Trigger {
        /// The instruction after ONBUILD.
        trigger: String,
        /// What is wrong with it.
        #[source]
        source: crate::dockerfile::ParseError,
    },
    /// An instruction with an argument that it does not take.
    #[error("{0}")]
    Instruction(String),
    /// A `--mount` that cannot be used.
    #[error(transparent)]
    Mount(crate::dockerfile::MountError),
    /// `SOURCE_DATE_EPOCH` that is neither a number nor a source with a time.
    #[error("SOURCE_DATE_EPOCH={value} cannot be used: {reason}")]
    Epoch {
        /// The value.
        value: String,
        /// Why.
        reason: String,
    },
    /// Findings of rules that fail the build.
    #[error("the Dockerfile breaks the rules {}", rules.join(", "))]
    Lint {
        /// The rules' names.
        rules: Vec<&'static str>,
    },
    /// Text that is not UTF-8 where LLB needs it.
    #[error("the instruction has bytes that are not UTF-8, which BuildKit does not accept")]
    InvalidUtf8,
    /// The graph cannot be marshalled.
    #[error("the build graph is not complete")]
    Graph(#[source] llb::Error),
}

impl Reason {
    /// Does the reference leave the place of this error out? (Ours always has one when there is a line to point at.)
    pub(super) fn is_without_place_in_reference(&self) -> bool {
        matches!(
            self,
            Self::VariableInFrom { .. }
                | Self::StageIndex { .. }
                | Self::InvalidUtf8
                | Self::ContextName { .. }
                | Self::Graph(_)
        )
    }
}

/// A name that was maybe meant, as the end of a sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suggestion(pub Option<String>);

impl Suggestion {
    /// The nearest of `known`, at most two edits away; none when `name` itself is known.
    pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let mut best: Option<(usize, &str)> = None;
        for candidate in known {
            if candidate == name {
                return Self(None);
            }
            let distance = strsim::levenshtein(name, candidate);
            if distance < best.map_or(3, |(distance, _)| distance) {
                best = Some((distance, candidate));
            }
        }
        Self(best.map(|(_, name)| name.to_owned()))
    }
}

impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(name) => write!(f, " (did you mean {name}?)"),
            None => Ok(()),
        }
    }
}
