//! The error of a translation, with its lines.

use std::fmt;

use super::images::ImageRequest;
use super::reason::Reason;
use crate::dockerfile::{ExpandError, Span};

/// A Dockerfile cannot be translated. Displays as its reason.
#[derive(Clone, Debug)]
pub struct Error {
    /// The fault.
    pub reason: Box<Reason>,
    /// The lines of the fault, the innermost first; empty if there are none.
    pub spans: Vec<Span>,
    /// The images that the translation would have requested next.
    pub missing: Vec<ImageRequest>,
    /// True if BuildKit's own frontend names no lines for this error.
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

    /// Adds lines, as an outer position.
    #[must_use]
    pub(super) fn at(mut self, span: Option<Span>) -> Self {
        self.spans.extend(span);
        self
    }

    /// Adds lines that BuildKit's own frontend does not name.
    #[must_use]
    pub(super) fn at_our(mut self, span: Option<Span>) -> Self {
        self.without_lines_in_reference = true;
        self.at(span)
    }

    /// Replaces the lines.
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

/// A name that was probably meant, formatted as the end of a sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suggestion(pub Option<String>);

impl Suggestion {
    /// Returns the nearest of `known`, at most two edits away; none if `name` itself is known.
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
