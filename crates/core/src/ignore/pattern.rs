//! One pattern: its compilation and matching. Forms without a regular expression are detected here,
//! because a context of many files matches every pattern against every path.

use regex::Regex;

use super::PatternReason;
use super::glob::Glob;
use super::regexp;

/// The form of a pattern, which decides how it is matched.
#[derive(Debug, Clone)]
enum Form {
    /// The whole path.
    Exact(String),
    /// The beginning of the path (`dir/**`).
    Prefix(String),
    /// The end of the path, or, after a slash, the whole path (`**/name`).
    Suffix(String),
    /// Most other patterns.
    Glob(Glob),
    /// All remaining patterns.
    Expression(Box<Regex>),
}

/// One path element of a pattern, to find out which directories can contain a match.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Element {
    /// Exactly this name.
    Name(String),
    /// Any name.
    AnyName,
    /// Any rest of the path, at any depth.
    Anything,
}

/// A compiled pattern, without its `!`.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    form: Form,
    elements: Vec<Element>,
    pub(super) exception: bool,
    /// The position in the caller's list, from 0.
    pub(super) index: usize,
    /// The pattern as the caller gave it.
    pub(super) text: String,
}

impl Pattern {
    /// Compiles `cleaned`, the pattern without white space and `!`.
    pub(super) fn new(
        cleaned: &str,
        exception: bool,
        index: usize,
        text: &str,
    ) -> Result<Self, PatternReason> {
        Ok(Self {
            form: form(cleaned)?,
            elements: elements(cleaned),
            exception,
            index,
            text: text.to_owned(),
        })
    }

    /// True if it needs a regular expression.
    pub(super) fn is_expression(&self) -> bool {
        matches!(self.form, Form::Expression(_))
    }

    /// True if the pattern matches this path; the caller handles parents.
    pub(super) fn matches(&self, path: &str) -> bool {
        match &self.form {
            Form::Exact(text) => path == text,
            Form::Prefix(prefix) => path.starts_with(prefix.as_str()),
            Form::Suffix(suffix) => {
                path.ends_with(suffix.as_str())
                    || suffix.strip_prefix('/').is_some_and(|name| path == name)
            }
            Form::Glob(glob) => glob.matches(path),
            Form::Expression(expression) => expression.is_match(path),
        }
    }

    /// True if the pattern may match something inside the directory. It can be true although
    /// nothing matches.
    pub(super) fn may_match_inside(&self, directory: &str) -> bool {
        let mut elements = self.elements.iter();
        for name in directory.split('/') {
            match elements.next() {
                None => return false,
                Some(Element::Anything) => return true,
                Some(Element::AnyName) => {}
                Some(Element::Name(wanted)) if wanted == name => {}
                Some(Element::Name(_)) => return false,
            }
        }
        elements.next().is_some()
    }
}

/// The kind that the reference's scanner detects; only [`Kind::Expression`] needs the expression.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exact,
    Prefix,
    Suffix,
    Expression,
}

/// Detects the form by the rules of `compile` in moby/patternmatcher v0.6.
fn form(pattern: &str) -> Result<Form, PatternReason> {
    let (kind, expression) = scan(pattern);
    Ok(match kind {
        Kind::Exact => Form::Exact(pattern.to_owned()),
        Kind::Prefix => Form::Prefix(pattern.strip_suffix("**").unwrap_or(pattern).to_owned()),
        Kind::Suffix => Form::Suffix(pattern.strip_prefix("**").unwrap_or(pattern).to_owned()),
        Kind::Expression => match Glob::new(pattern) {
            Some(glob) => Form::Glob(glob),
            None => Form::Expression(Box::new(regexp::compile(&expression)?)),
        },
    })
}

fn scan(pattern: &str) -> (Kind, String) {
    let mut kind = Kind::Exact;
    let mut expression = String::from("^");
    let mut rest = pattern.chars().peekable();
    let mut first = true;
    while let Some(c) = rest.next() {
        match c {
            '*' if rest.next_if_eq(&'*').is_some() => {
                rest.next_if_eq(&'/');
                if rest.peek().is_some() {
                    expression.push_str("(.*/)?");
                    kind = Kind::Expression;
                } else if kind == Kind::Exact {
                    kind = Kind::Prefix;
                } else {
                    expression.push_str(".*");
                    kind = Kind::Expression;
                }
                if first {
                    kind = Kind::Suffix;
                }
            }
            '*' => {
                expression.push_str("[^/]*");
                kind = Kind::Expression;
            }
            '?' => {
                expression.push_str("[^/]");
                kind = Kind::Expression;
            }
            '\\' => {
                expression.push('\\');
                if let Some(escaped) = rest.next() {
                    expression.push(escaped);
                    kind = Kind::Expression;
                }
            }
            '[' | ']' => {
                expression.push(c);
                kind = Kind::Expression;
            }
            // The reference intends to escape `|`, `{` and `}` too, but its table of characters
            // ends before them.
            '.' | '+' | '(' | ')' | '$' => {
                expression.push('\\');
                expression.push(c);
            }
            c => expression.push(c),
        }
        first = false;
    }
    expression.push('$');
    (kind, expression)
}

/// Returns the elements of a pattern. `[`, `\` and `^` can match a slash, so they end the list with
/// [`Element::Anything`].
fn elements(pattern: &str) -> Vec<Element> {
    let mut elements = Vec::new();
    for element in pattern.split('/') {
        if element.contains("**") || element.contains(['[', ']', '\\', '^']) {
            elements.push(Element::Anything);
            break;
        }
        elements.push(if element.contains(['*', '?']) {
            Element::AnyName
        } else {
            Element::Name(element.to_owned())
        });
    }
    elements
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_match_inside(pattern: &str, directory: &str) -> bool {
        Pattern::new(pattern, false, 0, pattern)
            .unwrap()
            .may_match_inside(directory)
    }

    #[test]
    fn directories_that_cannot_hold_a_match_are_known() {
        for (pattern, directory, want) in [
            ("a/b/c", "a", true),
            ("a/b/c", "a/b", true),
            ("a/b/c", "a/b/c", false),
            ("a/b/c", "a/x", false),
            ("a/*/c", "a/x", true),
            ("a/*/c", "b", false),
            ("a/*", "a/x", false),
            ("a/**", "a/x/y", true),
            ("a/**", "b", false),
            ("**/c", "x/y/z", true),
            ("a/[bc]/d", "a/x/y", true),
            ("a/[bc]/d", "b", false),
            ("*.md", "docs", false),
        ] {
            assert_eq!(
                may_match_inside(pattern, directory),
                want,
                "{pattern} in {directory}"
            );
        }
    }
}
