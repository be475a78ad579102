//! Scans a word character by character.

use std::collections::BTreeSet;

use super::words::Words;
use super::{Environment, ExpandErrorReason, Lexer, MAX_DEPTH, MAX_EXPANSION};
use crate::text::position;

/// Go's text/scanner, with which BuildKit reads words, drops it at the beginning.
pub(super) const BYTE_ORDER_MARK: char = '\u{feff}';

/// A word that is being scanned.
pub(super) struct Scan<'a> {
    pub(super) lexer: Lexer,
    pub(super) rest: &'a str,
    environment: &'a dyn Environment,
    raw_escapes: bool,
    depth: u32,
    /// The longest allowed text, in bytes.
    pub(super) limit: usize,
    /// The current word, if words are requested. Inner substitutions share it with the text around
    /// them, as in BuildKit.
    pub(super) buffer: Option<String>,
    pub(super) matched: BTreeSet<String>,
    pub(super) unmatched: BTreeSet<String>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(lexer: Lexer, word: &'a str, environment: &'a dyn Environment) -> Self {
        Self {
            lexer,
            rest: word.strip_prefix(BYTE_ORDER_MARK).unwrap_or(word),
            environment,
            raw_escapes: lexer.raw_escapes,
            depth: 0,
            limit: word.len() + MAX_EXPANSION,
            buffer: None,
            matched: BTreeSet::new(),
            unmatched: BTreeSet::new(),
        }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    /// Returns everything up to `stop`, which is consumed, or to the end: as one text and, if
    /// requested, as words.
    pub(super) fn until(
        &mut self,
        stop: Option<char>,
        raw_escapes: bool,
    ) -> Result<(String, Vec<String>), ExpandErrorReason> {
        if self.depth == MAX_DEPTH {
            return Err(ExpandErrorReason::TooDeep);
        }
        self.depth += 1;
        let outer = std::mem::replace(&mut self.raw_escapes, raw_escapes);
        let result = self.read(stop);
        self.raw_escapes = outer;
        self.depth -= 1;
        result
    }

    fn read(&mut self, stop: Option<char>) -> Result<(String, Vec<String>), ExpandErrorReason> {
        // The whole word is longer than its parts, and usually about as long as its expansion.
        let mut text = match stop {
            None => String::with_capacity(self.rest.len()),
            Some(_) => String::new(),
        };
        let mut words = Words::begin(&mut self.buffer);
        while let Some(c) = self.peek() {
            if stop == Some(c) {
                self.next();
                return Ok((text, words.finish(&mut self.buffer)));
            }
            match c {
                '$' => {
                    let value = self.dollar()?;
                    words.add_text(&mut self.buffer, &value);
                    text.push_str(&value);
                }
                '\'' | '"' if !self.lexer.ignore_quotes => {
                    let start = text.len();
                    match c {
                        '"' => self.double_quotes(&mut text)?,
                        _ => text.push_str(self.single_quotes()?),
                    }
                    words.add_raw(&mut self.buffer, &text[start..]);
                }
                '<' => {
                    let sign = self.heredoc_sign();
                    words.add_raw(&mut self.buffer, sign);
                    text.push_str(sign);
                }
                _ if c == self.lexer.escape => {
                    self.next();
                    if !self.escaped(&mut words, &mut text) {
                        break;
                    }
                }
                _ => {
                    let plain = self.plain(stop);
                    words.add_text(&mut self.buffer, plain);
                    text.push_str(plain);
                }
            }
            self.check_length(&text)?;
        }
        match stop {
            Some(missing) => Err(ExpandErrorReason::Unclosed { missing }),
            None => Ok((text, words.finish(&mut self.buffer))),
        }
    }

    /// Returns the text up to `stop`, which is consumed, if it is nothing but ordinary characters.
    pub(super) fn plain_until(&mut self, stop: char) -> Option<&'a str> {
        // Words need every part.
        if self.buffer.is_some() || self.depth == MAX_DEPTH || self.peek() == Some(stop) {
            return None;
        }
        let is_special = |c| matches!(c, '$' | '\'' | '"' | '<') || c == self.lexer.escape;
        if self.peek().is_none_or(is_special) {
            return None;
        }
        let before = self.rest;
        let plain = self.plain(Some(stop));
        match self.rest.strip_prefix(stop) {
            Some(after) => self.rest = after,
            None => self.rest = before,
        }
        (self.rest.len() != before.len()).then_some(plain)
    }

    /// Returns the current ordinary character and the ordinary ones after it.
    fn plain(&mut self, stop: Option<char>) -> &'a str {
        let rest = self.rest;
        let (escape, stop) = (self.lexer.escape as u8, stop.map_or(b'$', |c| c as u8));
        let special = |byte: u8| {
            let quote = (byte == b'\'') | (byte == b'"');
            quote | (byte == b'$') | (byte == b'<') | (byte == escape) | (byte == stop)
        };
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let end = position(&rest.as_bytes()[first..], special).map_or(rest.len(), |n| first + n);
        self.rest = &rest[end..];
        &rest[..end]
    }

    fn check_length(&self, text: &str) -> Result<(), ExpandErrorReason> {
        if text.len() > self.limit {
            Err(ExpandErrorReason::TooLong)
        } else {
            Ok(())
        }
    }

    /// Reads the character after an escape; false at the end.
    fn escaped(&mut self, words: &mut Words, text: &mut String) -> bool {
        if self.raw_escapes {
            words.add_raw_char(&mut self.buffer, self.lexer.escape);
            text.push(self.lexer.escape);
        }
        let Some(c) = self.next() else { return false };
        words.add_raw_char(&mut self.buffer, c);
        text.push(c);
        true
    }

    /// Reads from one `'` to the next, without interpretation.
    fn single_quotes(&mut self) -> Result<&'a str, ExpandErrorReason> {
        let rest = self.rest;
        let inside = &rest[1..];
        let end = inside
            .find('\'')
            .ok_or(ExpandErrorReason::Unclosed { missing: '\'' })?;
        self.rest = &inside[end + 1..];
        Ok(if self.lexer.raw_quotes {
            &rest[..end + 2]
        } else {
            &inside[..end]
        })
    }

    /// Appends the text from one `"` to the next; `$` has its meaning, and so has the escape before
    /// `"`, `$` and itself.
    fn double_quotes(&mut self, text: &mut String) -> Result<(), ExpandErrorReason> {
        let start = text.len();
        self.quote(text);
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.quote(text);
                    return Ok(());
                }
                '$' => text.push_str(&self.dollar()?),
                _ if c == self.lexer.escape => {
                    self.next();
                    self.escaped_in_quotes(text);
                }
                _ => text.push_str(self.plain(None)),
            }
            self.check_length(&text[start..])?;
        }
        Err(ExpandErrorReason::Unclosed { missing: '"' })
    }

    fn quote(&mut self, text: &mut String) {
        self.next();
        if self.lexer.raw_quotes {
            text.push('"');
        }
    }

    /// Drops an escape in double quotes if it escapes something. Otherwise raw escapes double it: a
    /// quirk of BuildKit.
    fn escaped_in_quotes(&mut self, text: &mut String) {
        let escape = self.lexer.escape;
        if self.raw_escapes {
            text.push(escape);
        }
        match self.peek() {
            None => {}
            Some(c) if c == '"' || c == '$' || c == escape => {
                self.next();
                text.push(c);
            }
            Some(_) => text.push(escape),
        }
    }

    /// Reads `<`, or `<<` with the blanks after it, which do not end a word: `<< EOF` is one.
    fn heredoc_sign(&mut self) -> &'a str {
        let rest = self.rest;
        let length = match rest.strip_prefix("<<") {
            None => 1,
            Some(after) => rest.len() - after.trim_start_matches(['\t', '\r', ' ']).len(),
        };
        self.rest = &rest[length..];
        &rest[..length]
    }

    /// Returns the variable's value and records if it is set.
    pub(super) fn variable(&mut self, name: &str) -> Option<&'a str> {
        let value = self.environment.get(name);
        let names = if value.is_some() {
            &mut self.matched
        } else {
            &mut self.unmatched
        };
        if !names.contains(name) {
            names.insert(name.to_owned());
        }
        value
    }
}
