//! Words of a Dockerfile: quotes, escapes and `$name`, `${name…}` substitutions, as BuildKit's own shell-like lexer reads them.
//! What follows a name inside `${…}` is in `substitution`, its patterns in `pattern`.

mod substitution;

mod pattern;

mod words;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use words::Words;

/// By how many bytes an expansion may be longer than its word. BuildKit has no such bound, and a few lines of `ENV A=$A$A` exhaust
/// its memory.
pub const MAX_EXPANSION: usize = 1 << 20;

/// How deep `${a:-${b:-…}}` may nest.
const MAX_DEPTH: u32 = 200;

/// Where a word's variables get their values.
pub trait Environment {
    /// The value of the variable, if it is set.
    fn get(&self, name: &str) -> Option<&str>;
}

/// Nothing is set.
impl Environment for () {
    fn get(&self, _: &str) -> Option<&str> {
        None
    }
}

impl Environment for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<&str> {
        self.get(name).map(String::as_str)
    }
}

/// How words are read.
///
/// ```
/// use std::collections::BTreeMap;
/// use solvekit::dockerfile::Lexer;
///
/// let environment = BTreeMap::from([("VERSION".to_owned(), "v1.2".to_owned())]);
/// let expansion = Lexer::new('\\').expand("app-${VERSION#v}-${SUFFIX:-debug}", &environment)?;
/// assert_eq!(expansion.text, "app-1.2-debug");
/// assert!(expansion.unmatched.contains("SUFFIX"));
/// # Ok::<(), solvekit::dockerfile::ExpandError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lexer {
    /// The escape character: `\` or `` ` ``.
    pub escape: char,
    /// Quotes stay in the result; what they enclose is still read as quoted.
    pub raw_quotes: bool,
    /// Escape characters stay in the result.
    pub raw_escapes: bool,
    /// Quotes are ordinary characters.
    pub ignore_quotes: bool,
    /// A substitution of an unset variable stays as it is written.
    pub keep_unset: bool,
}

/// A word with its variables replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expansion<'w> {
    /// The result.
    pub text: Cow<'w, str>,
    /// The variables that were asked for and set.
    pub matched: BTreeSet<String>,
    /// The variables that were asked for and not set.
    pub unmatched: BTreeSet<String>,
}

/// A word that cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot expand {word:?}: {reason}")]
pub struct ExpandError {
    /// The whole word.
    pub word: String,
    /// What is wrong with it.
    pub reason: ExpandErrorReason,
    /// The variables found unset up to there.
    pub unmatched: BTreeSet<String>,
}

/// Why a word cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpandErrorReason {
    /// A quote or a substitution does not end.
    #[error("the closing {missing} is missing")]
    Unclosed {
        /// What should have come.
        missing: char,
    },
    /// `${` is not followed by a name.
    #[error("a variable's name must follow \"${{\"")]
    NoName,
    /// `${name` is followed by something that is no operator.
    #[error(
        "{modifier:?} after the variable's name is not an operator; the operators are :- - :+ + :? ? # ## % %% / //"
    )]
    UnknownModifier {
        /// What stands there; U+FFFD at the end of the word.
        modifier: String,
    },
    /// `${name?text}` of an unset variable.
    #[error("{name} is unset: {message}")]
    Unset {
        /// The variable.
        name: String,
        /// The text after the `?`, or our own.
        message: String,
    },
    /// `${name:?text}` of an empty variable.
    #[error("{name} is empty: {message}")]
    Empty {
        /// The variable.
        name: String,
        /// The text after the `?`, or our own.
        message: String,
    },
    /// A pattern escapes a character that needs no escape.
    #[error("in the pattern {pattern:?}, \"\\{escaped}\" is no escape; only \\* \\? \\\\ are")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// The character after the backslash; U+FFFD at the end.
        escaped: char,
    },
    /// The pattern is too large to be compiled.
    #[error("the pattern is too long")]
    PatternTooLong,
    /// The result is more than [`MAX_EXPANSION`] longer than the word.
    #[error("the result is more than {MAX_EXPANSION} bytes longer than the word")]
    TooLong,
    /// Substitutions within substitutions go too deep.
    #[error("substitutions nest deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

impl Lexer {
    /// A lexer with this escape character that takes quotes and escapes away.
    pub const fn new(escape: char) -> Self {
        Self {
            escape,
            raw_quotes: false,
            raw_escapes: false,
            ignore_quotes: false,
            keep_unset: false,
        }
    }

    /// The word with its variables replaced and, unless kept raw, its quotes and escapes taken away. White space stays.
    ///
    /// # Errors
    /// [`ExpandError`] for an unclosed quote or substitution, an unknown operator, `${name?}` of an unset variable.
    pub fn expand<'w>(
        &self,
        word: &'w str,
        environment: &dyn Environment,
    ) -> Result<Expansion<'w>, ExpandError> {
        if self.is_plain(word) {
            return Ok(Expansion {
                text: Cow::Borrowed(word),
                ..Expansion::default()
            });
        }
        let mut scan = Scan::new(*self, word, environment);
        match scan.until(None, self.raw_escapes) {
            Ok((text, _)) => Ok(Expansion {
                text: Cow::Owned(text),
                matched: scan.matched,
                unmatched: scan.unmatched,
            }),
            Err(reason) => Err(ExpandError {
                word: word.to_owned(),
                reason,
                unmatched: scan.unmatched,
            }),
        }
    }

    /// The text with its variables replaced, then split at unquoted white space, also at that which came out of a variable.
    ///
    /// A quirk of BuildKit is kept: `ab${X:-cd}` gives the word `cd`; what stands before a substitution with an operator is lost.
    ///
    /// # Errors
    /// As [`expand`](Self::expand).
    pub fn expand_words(
        &self,
        text: &str,
        environment: &dyn Environment,
    ) -> Result<Vec<String>, ExpandError> {
        let mut scan = Scan::new(*self, text, environment);
        scan.buffer = Some(String::new());
        match scan.until(None, self.raw_escapes) {
            Ok((_, words)) => Ok(words),
            Err(reason) => Err(ExpandError {
                word: text.to_owned(),
                reason,
                unmatched: scan.unmatched,
            }),
        }
    }

    /// Nothing in the word has a meaning, so that it expands to itself.
    fn is_plain(&self, word: &str) -> bool {
        let quotes = !self.ignore_quotes;
        let special = |byte: u8| {
            byte == b'$' || byte == self.escape as u8 || (quotes && (byte == b'"' || byte == b'\''))
        };
        !word.bytes().any(special) && !word.starts_with(BYTE_ORDER_MARK)
    }
}

/// Go's text/scanner, which BuildKit reads words with, drops it at the beginning.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A word while it is read.
struct Scan<'a> {
    lexer: Lexer,
    rest: &'a str,
    environment: &'a dyn Environment,
    raw_escapes: bool,
    depth: u32,
    /// The longest text allowed.
    limit: usize,
    /// The word under way, if words are asked for. Inner substitutions share it with the text around them, as in BuildKit.
    buffer: Option<String>,
    matched: BTreeSet<String>,
    unmatched: BTreeSet<String>,
}

impl<'a> Scan<'a> {
    fn new(lexer: Lexer, word: &'a str, environment: &'a dyn Environment) -> Self {
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

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    /// Everything up to `stop`, which is consumed, or to the end; as one text and, if asked for, as words.
    fn until(
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
        let mut text = String::new();
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
                    let quoted = if c == '"' {
                        self.double_quotes()?
                    } else {
                        self.single_quotes()?
                    };
                    words.add_raw(&mut self.buffer, &quoted);
                    text.push_str(&quoted);
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

    /// The character here, which has no meaning, and those after it that have none either.
    fn plain(&mut self, stop: Option<char>) -> &'a str {
        let rest = self.rest;
        let (escape, stop) = (self.lexer.escape as u8, stop.map_or(b'$', |c| c as u8));
        let special =
            |byte: u8| matches!(byte, b'$' | b'\'' | b'"' | b'<') || byte == escape || byte == stop;
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let end = rest
            .bytes()
            .skip(first)
            .position(special)
            .map_or(rest.len(), |n| first + n);
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

    /// The character after an escape; false at the end.
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

    /// From one `'` to the next, everything as it is.
    fn single_quotes(&mut self) -> Result<Cow<'a, str>, ExpandErrorReason> {
        let rest = self.rest;
        let inside = &rest[1..];
        let end = inside
            .find('\'')
            .ok_or(ExpandErrorReason::Unclosed { missing: '\'' })?;
        self.rest = &inside[end + 1..];
        Ok(Cow::Borrowed(if self.lexer.raw_quotes {
            &rest[..end + 2]
        } else {
            &inside[..end]
        }))
    }

    /// From one `"` to the next; `$` works, and the escape before `"`, `$` and itself.
    fn double_quotes(&mut self) -> Result<Cow<'a, str>, ExpandErrorReason> {
        let mut text = String::new();
        self.quote(&mut text);
        while let Some(c) = self.peek() {
            match c {
                '"' => {
                    self.quote(&mut text);
                    return Ok(Cow::Owned(text));
                }
                '$' => text.push_str(&self.dollar()?),
                _ if c == self.lexer.escape => {
                    self.next();
                    self.escaped_in_quotes(&mut text);
                }
                _ => text.push_str(self.plain(None)),
            }
            self.check_length(&text)?;
        }
        Err(ExpandErrorReason::Unclosed { missing: '"' })
    }

    fn quote(&mut self, text: &mut String) {
        self.next();
        if self.lexer.raw_quotes {
            text.push('"');
        }
    }

    /// An escape in double quotes is dropped where it escapes something. Where it does not, raw escapes double it: a quirk of BuildKit.
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

    /// `<`, or `<<` with the blanks after it, which do not end a word: `<< EOF` is one.
    fn heredoc_sign(&mut self) -> &'a str {
        let rest = self.rest;
        let length = match rest.strip_prefix("<<") {
            None => 1,
            Some(after) => rest.len() - after.trim_start_matches(['\t', '\r', ' ']).len(),
        };
        self.rest = &rest[length..];
        &rest[..length]
    }

    /// The variable's value; whether it is set is remembered.
    fn variable(&mut self, name: &str) -> Option<&'a str> {
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
