//! `$name` and `${name…}`: names and operators.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

use super::scan::Scan;
use super::{ExpandErrorReason, pattern};

type Result<'a> = std::result::Result<Cow<'a, str>, ExpandErrorReason>;

impl<'a> Scan<'a> {
    /// Expands a `$` with the text after it. A `$` without a name stands for itself.
    pub(super) fn dollar(&mut self) -> Result<'a> {
        let start = self.rest;
        self.next();
        if self.peek() == Some('{') {
            self.next();
            return self.braces();
        }
        let name = self.name();
        if name.is_empty() {
            return Ok(Cow::Borrowed("$"));
        }
        Ok(Cow::Borrowed(match self.variable(name) {
            Some(value) => value,
            None if self.lexer.keep_unset => &start[..1 + name.len()],
            None => "",
        }))
    }

    /// Expands the text after `${`.
    fn braces(&mut self) -> Result<'a> {
        match self.peek() {
            None => return Err(ExpandErrorReason::Unclosed { missing: '}' }),
            Some('{' | '}' | ':') => return Err(ExpandErrorReason::NoName),
            Some(_) => {}
        }
        let name = self.name();
        match self.next() {
            Some('}') => Ok(match self.variable(name) {
                Some(value) => Cow::Borrowed(value),
                None if self.lexer.keep_unset => Cow::Owned(format!("${{{name}}}")),
                None => Cow::Borrowed(""),
            }),
            Some(':') => {
                let operator = self.next();
                self.operator(name, operator, true)
            }
            operator @ Some('+' | '-' | '?' | '#' | '%') => self.operator(name, operator, false),
            Some('/') => self.replace(name),
            other => Err(unknown_modifier(false, other)),
        }
    }

    /// Expands `${name-word}` and the like; with `colon` an empty variable counts as unset.
    fn operator(&mut self, name: &str, operator: Option<char>, colon: bool) -> Result<'a> {
        let trims = matches!(operator, Some('#' | '%'));
        if colon && trims {
            return Err(unknown_modifier(colon, operator));
        }
        let word = self.part('}', '}', trims)?;
        let value = self.variable(name);
        if value.is_none() && self.lexer.keep_unset {
            let (colon, operator) = (
                if colon { ":" } else { "" },
                operator.unwrap_or(char::REPLACEMENT_CHARACTER),
            );
            return Ok(Cow::Owned(format!("${{{name}{colon}{operator}{word}}}")));
        }
        let given = value.filter(|v| !(colon && v.is_empty()));
        match operator {
            Some('-') => Ok(given.map_or(word, Cow::Borrowed)),
            Some('+') => Ok(match given {
                Some(_) => word,
                None => Cow::Borrowed(""),
            }),
            Some('?') => given
                .map(Cow::Borrowed)
                .ok_or_else(|| required(name, value, word.into_owned())),
            Some('#') => pattern::trim_prefix(value.unwrap_or_default(), &word).map(Cow::Borrowed),
            Some('%') => pattern::trim_suffix(value.unwrap_or_default(), &word).map(Cow::Borrowed),
            other => Err(unknown_modifier(colon, other)),
        }
    }

    /// Expands `${name/pattern/replacement}`, or `//` for all matches.
    fn replace(&mut self, name: &str) -> Result<'a> {
        let all = self.peek() == Some('/');
        if all {
            self.next();
        }
        let pattern = self.part('/', '/', true)?;
        let replacement = self.part('}', '}', true)?;
        let value = self.variable(name);
        match value {
            None if self.lexer.keep_unset => {
                Ok(Cow::Owned(format!("${{{name}/{pattern}/{replacement}}}")))
            }
            _ if all => pattern::replace_all(
                value.unwrap_or_default(),
                &pattern,
                &replacement,
                self.limit,
            ),
            _ => pattern::replace_first(value.unwrap_or_default(), &pattern, &replacement),
        }
    }

    /// Returns the expanded text up to `stop`. At the end of the word, the error is that `missing`
    /// is missing.
    fn part(&mut self, stop: char, missing: char, raw_escapes: bool) -> Result<'a> {
        if let Some(text) = self.plain_until(stop) {
            return Ok(Cow::Borrowed(text));
        }
        match self.until(Some(stop), raw_escapes) {
            Ok((text, _)) => Ok(Cow::Owned(text)),
            Err(reason @ (ExpandErrorReason::TooDeep | ExpandErrorReason::TooLong)) => Err(reason),
            Err(_) if self.rest.is_empty() => Err(ExpandErrorReason::Unclosed { missing }),
            Err(reason) => Err(reason),
        }
    }

    /// Reads a name: digits, or one special parameter, or letters, digits and `_`; possibly empty.
    fn name(&mut self) -> &'a str {
        let rest = self.rest;
        let end = match rest.chars().next() {
            None => 0,
            Some(c) if is_digit(c) => rest.find(|c| !is_digit(c)).unwrap_or(rest.len()),
            Some('@' | '*' | '#' | '?' | '-' | '$' | '!') => 1,
            Some(_) => {
                let mut bytes = rest.bytes();
                let is_end = |byte: u8| !byte.is_ascii_alphanumeric() && byte != b'_';
                let ascii = bytes.position(is_end).unwrap_or(rest.len());
                let others = &rest[ascii..];
                let other = others.find(|c| !is_name_char(c)).unwrap_or(others.len());
                ascii + other
            }
        };
        self.rest = &rest[end..];
        &rest[..end]
    }
}

fn unknown_modifier(colon: bool, modifier: Option<char>) -> ExpandErrorReason {
    let modifier = modifier.unwrap_or(char::REPLACEMENT_CHARACTER);
    ExpandErrorReason::UnknownModifier {
        modifier: if colon {
            format!(":{modifier}")
        } else {
            modifier.to_string()
        },
    }
}

fn required(name: &str, value: Option<&str>, message: String) -> ExpandErrorReason {
    let name = name.to_owned();
    let or = |default: &str| {
        if message.is_empty() {
            default.to_owned()
        } else {
            message.clone()
        }
    };
    match value {
        None => ExpandErrorReason::Unset {
            name,
            message: or("a value is required"),
        },
        Some(_) => ExpandErrorReason::Empty {
            name,
            message: or("a value that is not empty is required"),
        },
    }
}

fn is_name_char(c: char) -> bool {
    static OTHER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\A[\p{L}\p{Nd}]").ok());
    c.is_ascii_alphanumeric() || c == '_' || (!c.is_ascii() && is_in_class(&OTHER, c))
}

fn is_digit(c: char) -> bool {
    static OTHER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\A\p{Nd}").ok());
    c.is_ascii_digit() || (!c.is_ascii() && is_in_class(&OTHER, c))
}

/// Rust's own character classes are wider than Go's letters and digits, so this uses Unicode
/// categories.
fn is_in_class(class: &Option<Regex>, c: char) -> bool {
    class
        .as_ref()
        .is_some_and(|class| class.is_match(c.encode_utf8(&mut [0; 4])))
}
