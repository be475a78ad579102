//! Splits the arguments of an instruction, as its kind requires.

use super::super::ast::is_blank;
use super::super::instruction::{CommandLine, KeyValue};
use super::json::{JsonFault, string_array};
use crate::dockerfile::error::ParseErrorKind;

/// Splits at blanks: tab, vertical tab, form feed, carriage return, space.
pub(in super::super) fn split_blanks(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_ascii() && is_blank(c as u8))
        .filter(|part| !part.is_empty())
}

/// Returns the text before the first blanks, and the text after them.
pub(super) fn cut_blanks(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let end = bytes.iter().position(|&byte| is_blank(byte))?;
    let gap = bytes[end..]
        .iter()
        .take_while(|&&byte| is_blank(byte))
        .count();
    Some((&text[..end], &text[end + gap..]))
}

/// Parses a JSON array of strings, else splits at blanks.
pub(super) fn list(text: &str) -> Result<Vec<String>, ParseErrorKind> {
    match string_array(text) {
        Ok(strings) => Ok(strings),
        Err(JsonFault::NotStrings) => Err(ParseErrorKind::JsonNotStrings),
        Err(JsonFault::NotArray) => Ok(split_blanks(text).map(str::to_owned).collect()),
    }
}

/// Parses a JSON array of strings, else returns the text for the shell.
pub(super) fn command_line(text: &str) -> Result<CommandLine, ParseErrorKind> {
    match string_array(text) {
        Ok(strings) => Ok(CommandLine::Exec(strings)),
        Err(JsonFault::NotStrings) => Err(ParseErrorKind::JsonNotStrings),
        Err(JsonFault::NotArray) => Ok(CommandLine::Shell(text.to_owned())),
    }
}

/// Returns the words of a text with their quotes and escapes: white space ends a word unless it is
/// quoted or escaped. An escape at the very end is dropped.
pub(super) fn words(text: &str, escape: char) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = word_end(rest, escape);
        let (word, after) = rest.split_at(end.next);
        let word = &word[..end.kept];
        if !word.is_empty() {
            words.push(word);
        }
        rest = after.trim_start();
    }
    words
}

/// The end of a word: `kept` bytes belong to it, the next word begins at or after `next`.
struct WordEnd {
    kept: usize,
    next: usize,
}

fn word_end(text: &str, escape: char) -> WordEnd {
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((position, c)) = chars.next() {
        if c == escape && quote != Some('\'') {
            if chars.next().is_none() {
                return WordEnd {
                    kept: position,
                    next: text.len(),
                };
            }
        } else if quote.is_some() {
            if quote == Some(c) {
                quote = None;
            }
        } else if c == '\'' || c == '"' {
            quote = Some(c);
        } else if c.is_whitespace() {
            return WordEnd {
                kept: position,
                next: position,
            };
        }
    }
    WordEnd {
        kept: text.len(),
        next: text.len(),
    }
}

/// Parses `key=value …`, or the old `key value`. Empty if there is no word.
pub(super) fn pairs(
    text: &str,
    escape: char,
    instruction: &'static str,
) -> Result<Vec<KeyValue>, ParseErrorKind> {
    let words = words(text, escape);
    let Some(first) = words.first() else {
        return Ok(Vec::new());
    };
    if !first.contains('=') {
        let (key, value) = cut_blanks(text).ok_or_else(|| ParseErrorKind::NoValue {
            instruction,
            key: text.to_owned(),
        })?;
        return Ok(vec![KeyValue {
            key: key.to_owned(),
            value: value.to_owned(),
            legacy: true,
        }]);
    }
    let mut pairs = Vec::with_capacity(words.len());
    for word in words {
        pairs.push(pair(word, instruction)?);
    }
    Ok(pairs)
}

fn pair(word: &str, instruction: &'static str) -> Result<KeyValue, ParseErrorKind> {
    let (key, value) = word
        .split_once('=')
        .ok_or_else(|| ParseErrorKind::NoEqualSign {
            instruction,
            word: word.to_owned(),
        })?;
    Ok(KeyValue {
        key: key.to_owned(),
        value: value.to_owned(),
        legacy: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_quotes_and_escapes() {
        assert_eq!(
            words(r#" a="b c"  d\ e 'f\' "g\" h" ''"#, '\\'),
            [r#"a="b c""#, r"d\ e", r"'f\'", r#""g\" h""#, "''"]
        );
        assert_eq!(words("a` b\u{a0}c `", '`'), ["a` b", "c"]);
        assert_eq!(words("x\\", '\\'), ["x"]);
        assert_eq!(words("\"x\\", '\\'), ["\"x"]);
        assert_eq!(words("'x y", '\\'), ["'x y"]);
    }

    #[test]
    fn pairs_are_new_or_old() {
        let key_value = |key: &str, value: &str, legacy| KeyValue {
            key: key.into(),
            value: value.into(),
            legacy,
        };
        assert_eq!(
            pairs("a=b c=\"d e\" f=", '\\', "ENV").unwrap(),
            [
                key_value("a", "b", false),
                key_value("c", "\"d e\"", false),
                key_value("f", "", false)
            ]
        );
        assert_eq!(
            pairs("a  b=c d", '\\', "ENV").unwrap(),
            [key_value("a", "b=c d", true)]
        );
        assert!(matches!(
            pairs("a=b c", '\\', "ENV"),
            Err(ParseErrorKind::NoEqualSign { word, .. }) if word == "c"
        ));
        assert!(matches!(
            pairs("a", '\\', "ENV"),
            Err(ParseErrorKind::NoValue { .. })
        ));
        assert!(pairs("", '\\', "ENV").unwrap().is_empty());
    }

    #[test]
    fn lists_are_json_or_parts() {
        assert_eq!(list("a  b\tc").unwrap(), ["a", "b", "c"]);
        assert_eq!(list("[\"a b\"]").unwrap(), ["a b"]);
        assert_eq!(list("[a b]").unwrap(), ["[a", "b]"]);
        assert_eq!(list("[1]"), Err(ParseErrorKind::JsonNotStrings));
    }
}
