//! Errors of bake files: the message, the position, and the lines around it.

mod position;
mod render;
mod words;

use std::ops::{Deref, DerefMut};

pub use position::{Position, Span};
pub(crate) use words::{call_words, variable_words};

/// The kind of an error, for programs; the message is for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The text is not HCL, JSON or YAML.
    Syntax,
    /// A compose file contains something that is not allowed.
    Compose,
    /// A required file is missing or cannot be read.
    File,
    /// A variable, function or block is not defined.
    Undefined,
    /// References form a cycle.
    Cycle,
    /// An expression cannot be evaluated.
    Expression,
    /// A function rejects its arguments.
    Function,
    /// A value has the wrong type.
    Type,
    /// A variable's default, override or validation failed.
    Variable,
    /// A block or attribute is not allowed here, or is missing.
    Structure,
    /// A name has invalid characters, or is a duplicate.
    Name,
    /// The requested target or group does not exist.
    UnknownTarget,
    /// A `--set` or a flag cannot be applied.
    Override,
    /// An attribute of a target has a value that a build cannot use.
    Attribute,
    /// The input needs more time or memory than is allowed.
    Limit,
}

/// An error or a warning about bake files.
///
/// It is one pointer: evaluation is recursive, and each level keeps several results on the stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic(Box<Details>);

/// The parts of a [`Diagnostic`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Details {
    /// The kind of error.
    pub kind: Kind,
    /// The error and its reason: a lowercase fragment.
    pub message: String,
    /// The position, if there is one.
    pub span: Option<Span>,
    /// Possible fixes, one sentence each.
    pub hints: Vec<String>,
    /// The number of further errors of the same evaluation, which are not shown.
    pub others: u32,
    /// The message of buildx, which scripts search for, if it has a well-known one.
    reference: Option<String>,
    /// True if buildx prints its message without the position and the lines around it.
    is_reference_alone: bool,
    /// The lines around the position.
    excerpt: Option<String>,
}

impl Deref for Diagnostic {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl DerefMut for Diagnostic {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl Diagnostic {
    /// Returns an error without a position.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            kind,
            message: shortened(message.into()),
            span: None,
            hints: Vec::new(),
            others: 0,
            reference: None,
            is_reference_alone: false,
            excerpt: None,
        }))
    }

    /// Sets the position.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Sets the position if there is none.
    #[must_use]
    pub fn or_at(mut self, span: &Span) -> Self {
        self.span.get_or_insert_with(|| span.clone());
        self
    }

    /// Replaces the message.
    #[must_use]
    pub(crate) fn with_message(mut self, message: String) -> Self {
        self.message = shortened(message);
        self
    }

    /// Sets the message of buildx.
    #[must_use]
    pub(crate) fn in_reference(mut self, message: impl Into<String>) -> Self {
        self.reference = Some(shortened(message.into()));
        self
    }

    /// Sets the message of buildx, which has neither a position nor lines around it.
    #[must_use]
    pub(crate) fn in_reference_alone(self, message: impl Into<String>) -> Self {
        let mut failed = self.in_reference(message);
        failed.is_reference_alone = true;
        failed
    }

    /// True if buildx prints no lines of the file with its message.
    pub fn is_reference_alone(&self) -> bool {
        self.0.is_reference_alone
    }

    /// Returns the lines around the position, once the file is known; see
    /// [`Diagnostic::with_source`].
    pub fn excerpt(&self) -> Option<&str> {
        self.0.excerpt.as_deref()
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds a hint with the name among `known` that is nearest to `name`.
    #[must_use]
    pub fn suggest<'a>(self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(name, known) {
            Some(near) => self.hint(format!("did you mean {near:?}?")),
            None => self,
        }
    }
}

impl std::error::Error for Diagnostic {}

/// Returns the name among `known` that is nearest to `name`, if one is near.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer names are not typing mistakes, and comparing them is slow.
    const LONGEST: usize = 100;
    if name.len() > LONGEST {
        return None;
    }
    let length = name.chars().count();
    known
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST && *candidate != name)
        .filter_map(|candidate| {
            let most = 1 + candidate.len().min(name.len()) / 4;
            if candidate.chars().count().abs_diff(length) > most {
                return None;
            }
            let distance = strsim::damerau_levenshtein(name, candidate);
            (distance <= most).then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// Returns `text` without its middle, if it is too long to read.
fn shortened(text: String) -> String {
    const LONGEST: usize = 3000;
    if text.len() <= LONGEST {
        return text;
    }
    let head = text.floor_char_boundary(LONGEST / 3);
    let tail = text.ceil_char_boundary(text.len() - LONGEST / 3);
    format!("{} […] {}", &text[..head], &text[tail..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_keeps_its_start_and_its_end() {
        let text = format!("the value {} is no name", "é".repeat(100_000));
        let message = &Diagnostic::new(Kind::Name, text).message;
        assert!(message.len() < 3000, "{}", message.len());
        assert!(message.starts_with("the value é"));
        assert!(message.ends_with("é is no name"));
    }

    #[test]
    fn a_near_name_is_found_and_a_far_or_long_one_is_not() {
        assert_eq!(nearest("taget", ["args", "target"]), Some("target"));
        assert_eq!(nearest("x", ["target"]), None);
        assert_eq!(nearest(&"a".repeat(1_000_000), ["target"]), None);
    }
}
