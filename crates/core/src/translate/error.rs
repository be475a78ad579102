//! Why a Dockerfile cannot be translated, and where.

use std::fmt;

use super::images::ImageRequest;
use super::reason::Reason;
use crate::dockerfile::{ExpandError, Span};

/// A Dockerfile that cannot be translated. It prints as its reason.
#[derive(Clone, Debug)]
pub struct Error {
    /// What is wrong.
    pub reason: Box<Reason>,
    /// The lines that it is about, the innermost first; empty when it is about none.
    pub spans: Vec<Span>,
    /// Images that would have had to be known next, had it not failed.
    pub missing: Vec<ImageRequest>,
    /// BuildKit's own frontend names no lines for this error.
    pub(super) without_lines_in_reference: bool,
}

impl Error {
    pub(super) fn new(reason: Reason) -> Self {
        Self {
            reason: Box::new(reason),
            spans: Vec::new(),
            missing: Vec::new(),
            without_lines_in_reference: false,
        }
    }

    /// The same with one more place.
    #[must_use]
    pub(super) fn at(mut self, span: Option<Span>) -> Self {
        self.spans.extend(span);
        self
    }

    /// The same at a place that BuildKit's own frontend does not name.
    #[must_use]
    pub(super) fn at_our(mut self, span: Option<Span>) -> Self {
        self.without_lines_in_reference = true;
        self.at(span)
    }

    /// The same at this place only.
    #[must_use]
    pub(super) fn only_at(mut self, span: Option<Span>) -> Self {
        self.spans = span.into_iter().collect();
        self.without_lines_in_reference = false;
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.reason.source()
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
