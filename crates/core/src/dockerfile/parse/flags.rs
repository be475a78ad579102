//! The `--name=value` words between a keyword and its arguments.

use std::borrow::Cow;

use crate::dockerfile::error::{ParseErrorKind, nearest};

/// A flag that an instruction supports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag {
    name: &'static str,
    kind: FlagKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FlagKind {
    Toggle,
    Text,
    List,
}

impl Flag {
    /// Returns a toggle: `--name`, `--name=true`, `--name=false`.
    pub(super) const fn toggle(name: &'static str) -> Self {
        Self {
            name,
            kind: FlagKind::Toggle,
        }
    }

    /// Returns a text flag: `--name=text`, once.
    pub(super) const fn text(name: &'static str) -> Self {
        Self {
            name,
            kind: FlagKind::Text,
        }
    }

    /// Returns a list flag: `--name=text`, any number of times.
    pub(super) const fn list(name: &'static str) -> Self {
        Self {
            name,
            kind: FlagKind::List,
        }
    }
}

/// The given flags by name, in order.
#[derive(Debug, Default)]
pub(super) struct Flags<'w> {
    given: Vec<(&'static str, &'w str)>,
}

impl<'w> Flags<'w> {
    /// Parses the words as flags of the instruction.
    pub(super) fn parse(
        words: &'w [Cow<'_, str>],
        known: &[Flag],
        instruction: &'static str,
    ) -> Result<Self, ParseErrorKind> {
        let mut flags = Self {
            given: Vec::with_capacity(words.len()),
        };
        for word in words {
            let word = word.strip_prefix("--").unwrap_or(word);
            let (name, value) = word
                .split_once('=')
                .map_or((word, None), |(name, value)| (name, Some(value)));
            let flag = *known
                .iter()
                .find(|flag| flag.name == name)
                .ok_or_else(|| unknown(instruction, name, known))?;
            if flag.kind != FlagKind::List
                && flags.given.iter().any(|(given, _)| *given == flag.name)
            {
                return Err(ParseErrorKind::FlagRepeated {
                    instruction,
                    flag: flag.name,
                });
            }
            flags
                .given
                .push((flag.name, flag_value(flag, value, instruction)?));
        }
        Ok(flags)
    }

    /// Returns the value of a text flag; `None` also if it is empty, which means the same
    /// everywhere.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = self.values(name).next()?;
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// Returns the value of a toggle, if it was given.
    pub(super) fn toggle(&self, name: &str) -> Option<bool> {
        self.values(name).next().map(|value| value == "true")
    }

    /// Returns all values of a list flag.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        self.values(name).map(str::to_owned).collect()
    }

    /// Iterates over the values of a flag.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &'w str> {
        let given = self.given.iter().filter(move |(given, _)| *given == name);
        given.map(|(_, value)| *value)
    }

    /// True if the text flag was given, with any value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.values(name).next().is_some()
    }
}

fn flag_value<'w>(
    flag: Flag,
    value: Option<&'w str>,
    instruction: &'static str,
) -> Result<&'w str, ParseErrorKind> {
    let missing = ParseErrorKind::FlagWithoutValue {
        instruction,
        flag: flag.name,
    };
    match (flag.kind, value) {
        (FlagKind::Toggle, None) => Ok("true"),
        (FlagKind::Toggle, Some("")) | (_, None) => Err(missing),
        (FlagKind::Toggle, Some(value)) => match value {
            _ if value.eq_ignore_ascii_case("true") => Ok("true"),
            _ if value.eq_ignore_ascii_case("false") => Ok("false"),
            _ => Err(ParseErrorKind::FlagValue {
                instruction,
                flag: flag.name,
                value: value.to_owned(),
                expected: "true or false",
            }),
        },
        (FlagKind::Text | FlagKind::List, Some(value)) => Ok(value),
    }
}

fn unknown(instruction: &'static str, flag: &str, known: &[Flag]) -> ParseErrorKind {
    let known: Vec<_> = known.iter().map(|flag| flag.name).collect();
    ParseErrorKind::UnknownFlag {
        instruction,
        flag: flag.to_owned(),
        nearest: nearest(flag, known.iter().copied()),
        known,
    }
}

/// Splits the flags from the text after a keyword. Quotes and escapes in them are resolved; `--`
/// ends them.
///
/// Each byte becomes one character, as in BuildKit, so text beyond ASCII is wrong in a flag.
pub(super) fn split_flags(text: &str, escape: char) -> (Vec<Cow<'_, str>>, &str) {
    let mut words = Vec::new();
    let mut position = 0;
    loop {
        position += text.as_bytes()[position..]
            .iter()
            .take_while(|&&byte| is_space(byte))
            .count();
        if !text.as_bytes()[position..].starts_with(b"--") {
            return (words, from_boundary(text, position));
        }
        let (word, end) = flag_word(text, position, escape as u8);
        position = end;
        if word == "--" {
            return (words, from_boundary(text, position));
        }
        words.push(word);
    }
}

/// Returns the text from this byte on, or from the next character if the byte is inside one.
fn from_boundary(text: &str, position: usize) -> &str {
    let start = (position..=text.len()).find(|&at| text.is_char_boundary(at));
    &text[start.unwrap_or(text.len())..]
}

/// Returns the word at `start`, and its end.
fn flag_word(text: &str, start: usize, escape: u8) -> (Cow<'_, str>, usize) {
    let bytes = text.as_bytes();
    let plain = bytes[start..]
        .iter()
        .take_while(|byte| is_plain(**byte, None, escape))
        .count();
    let mut position = start + plain;
    let begin = &text[start..position];
    if bytes
        .get(position)
        .is_none_or(|byte| byte.is_ascii() && is_space(*byte))
    {
        return (Cow::Borrowed(begin), position);
    }
    let mut word = begin.to_owned();
    let mut quote = None;
    loop {
        let rest = &bytes[position..];
        let plain = rest
            .iter()
            .take_while(|byte| is_plain(**byte, quote, escape))
            .count();
        // Inside a character there is no boundary, and nothing to add.
        word.push_str(text.get(position..position + plain).unwrap_or_default());
        position += plain;
        let Some(&byte) = bytes.get(position) else {
            return (Cow::Owned(word), position);
        };
        position += 1;
        if byte == escape {
            if let Some(&escaped) = bytes.get(position) {
                word.push(escaped as char);
                position += 1;
            }
        } else if quote == Some(byte) {
            quote = None;
        } else if quote.is_some() {
            word.push(byte as char);
        } else if is_space(byte) {
            return (Cow::Owned(word), position - 1);
        } else if byte == b'"' || byte == b'\'' {
            quote = Some(byte);
        } else {
            word.push(byte as char);
        }
    }
}

/// True for an ASCII character without a special meaning.
const fn is_plain(byte: u8, quote: Option<u8>, escape: u8) -> bool {
    let special = byte == escape || matches!(byte, b'"' | b'\'');
    byte.is_ascii() && !special && (quote.is_some() || !is_space(byte))
}

/// True for white space among the first 256 characters of Unicode.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ' | 0x85 | 0xa0)
}

#[cfg(test)]
mod tests;
