//! One pattern: how it is read and what it matches. The forms that need no regular expression are
//! told apart here, since a context of many files asks every pattern about every path.

use regex::Regex;

use super::PatternReason;
use super::glob::Glob;
use super::regexp;

/// How a pattern is compared with a path.
#[derive(Debug, Clone)]
enum Form {
    /// The path itself.
    Exact(String),
    /// Whatever begins so (`dir/**`).
    Prefix(String),
    /// Whatever ends so; after a slash also the rest alone (`**/name`).
    Suffix(String),
    /// Most other patterns.
    Glob(Glob),
    /// What is left.
    Expression(Box<Regex>),
}

/// One path element of a pattern, as far as walking needs it to tell which directories can hold a
/// match.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Element {
    /// Exactly this name.
    Name(String),
    /// Some name.
    AnyName,
    /// Whatever follows, however deep.
    Anything,
}

/// A compiled pattern, without its `!`.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    form: Form,
    elements: Vec<Element>,
    pub(super) exception: bool,
    /// The position in the caller's list, from zero.
    pub(super) index: usize,
    /// As the caller wrote it.
    pub(super) text: String,
}

impl Pattern {
    /// Compiles `cleaned`, the pattern without white space and `!`. The error says what is wrong
    /// with it.
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

    /// Whether a regular expression is needed for it.
    pub(super) fn is_expression(&self) -> bool {
        matches!(self.form, Form::Expression(_))
    }

    /// Whether the pattern matches this very path; parents are the caller's business.
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

    /// Whether the pattern may match something inside the directory. May err on the side of yes.
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

/// What the reference's scanner finds a pattern to be; the expression is needed for
/// [`Kind::Expression`] only.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exact,
    Prefix,
    Suffix,
    Expression,
}

/// Finds the form, by the rules of `compile` in moby/patternmatcher v0.6.
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
            // Not `|`, `{` and `}`: the reference means to, but its table of them ends below.
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

/// The elements of a pattern.
/// `[`, `\` and `^` can make an expression that reaches over a slash: anything from there on.
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
