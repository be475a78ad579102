//! Errors of bake files: what failed, where, and the lines around.

mod position;
mod render;

pub use position::{Position, Span};

/// What kind of thing failed. Callers decide by it; the message is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The text is not HCL, JSON or YAML.
    Syntax,
    /// A compose file says something that is not allowed.
    Compose,
    /// A file that is needed is missing or cannot be read.
    File,
    /// A variable, function or block is not defined.
    Undefined,
    /// Things refer to each other in a circle.
    Cycle,
    /// An expression cannot be evaluated.
    Expression,
    /// A function refuses its arguments.
    Function,
    /// A value has the wrong type.
    Type,
    /// A variable's default, override or validation failed.
    Variable,
    /// A block or attribute is not allowed here, or is missing.
    Structure,
    /// A name has characters that are not allowed, or exists twice.
    Name,
    /// The target or group that was asked for does not exist.
    UnknownTarget,
    /// A `--set` or a flag cannot be applied.
    Override,
    /// An attribute of a target has a value that a build cannot use.
    Attribute,
    /// The input asks for more time or memory than is allowed.
    Limit,
}

/// An error or a warning about bake files.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// What kind of thing failed.
    pub kind: Kind,
    /// What failed and why: a lowercase fragment.
    pub message: String,
    /// Where, if it has a place.
    pub span: Option<Span>,
    /// What to do about it, one sentence each.
    pub hints: Vec<String>,
    /// Further errors of the same evaluation, which are not shown.
    pub others: u32,
    /// The lines around the place, once the file is known; see [`Diagnostic::with_source`].
    pub excerpt: Option<Box<str>>,
}

impl Diagnostic {
    /// An error without a place.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            span: None,
            hints: Vec::new(),
            others: 0,
            excerpt: None,
        }
    }

    /// The same error, at `span`.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// The same error, at `span` unless it has a place already.
    #[must_use]
    pub fn or_at(mut self, span: &Span) -> Self {
        self.span.get_or_insert_with(|| span.clone());
        self
    }

    /// The same error, with one more hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same error, with the name among `known` that is nearest to `name` as a hint.
    #[must_use]
    pub fn suggest<'a>(self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(name, known) {
            Some(near) => self.hint(format!("did you mean {near:?}?")),
            None => self,
        }
    }
}

impl std::error::Error for Diagnostic {}

/// The name among `known` that is nearest to `name`, if one is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .filter(|candidate| *candidate != name)
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(name.len()) / 4)
        .min()
        .map(|(_, candidate)| candidate)
}
