//! Words of a Dockerfile: quotes, escapes and `$name`, `${name…}` substitutions, as in BuildKit's
//! own shell-like lexer. `substitution` has the operators inside `${…}`, `pattern` their patterns.

mod scan;

mod substitution;

mod pattern;

mod words;

mod error;
mod glob;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use scan::{BYTE_ORDER_MARK, Scan};

use crate::text::position;

pub use error::{ExpandError, ExpandErrorReason};

/// The most bytes that an expansion may be longer than its word. BuildKit has no such limit, and a
/// few lines of `ENV A=$A$A` exhaust its memory.
pub const MAX_EXPANSION: usize = 1 << 20;

/// The deepest nesting of `${a:-${b:-…}}`.
const MAX_DEPTH: u32 = 200;

/// A source of variables' values.
pub trait Environment {
    /// Returns the value of the variable, if it is set.
    fn get(&self, name: &str) -> Option<&str>;
}

/// An environment without variables.
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

/// The rules for reading words.
///
/// ```
/// use std::collections::BTreeMap;
/// use solvekit_core::dockerfile::Lexer;
///
/// let environment = BTreeMap::from([("VERSION".to_owned(), "v1.2".to_owned())]);
/// let expansion = Lexer::new('\\').expand("app-${VERSION#v}-${SUFFIX:-debug}", &environment)?;
/// assert_eq!(expansion.text, "app-1.2-debug");
/// assert!(expansion.unmatched.contains("SUFFIX"));
/// # Ok::<(), solvekit_core::dockerfile::ExpandError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lexer {
    /// The escape character: `\` or `` ` ``.
    pub escape: char,
    /// True to keep quotes in the result; their content is still read as quoted.
    pub raw_quotes: bool,
    /// True to keep escape characters in the result.
    pub raw_escapes: bool,
    /// True if quotes are ordinary characters.
    pub ignore_quotes: bool,
    /// True to keep the substitution of an unset variable unchanged.
    pub keep_unset: bool,
}

/// A word with its variables replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expansion<'w> {
    /// The result.
    pub text: Cow<'w, str>,
    /// The used variables that are set.
    pub matched: BTreeSet<String>,
    /// The used variables that are not set.
    pub unmatched: BTreeSet<String>,
}

impl Lexer {
    /// Returns a lexer with this escape character that removes quotes and escapes.
    pub const fn new(escape: char) -> Self {
        Self {
            escape,
            raw_quotes: false,
            raw_escapes: false,
            ignore_quotes: false,
            keep_unset: false,
        }
    }

    /// Returns the word with its variables replaced and, unless kept raw, without quotes and
    /// escapes. White space is kept.
    ///
    /// # Errors
    /// [`ExpandError`] for an unclosed quote or substitution, an unknown operator, or `${name?}`
    /// with an unset variable.
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

    /// Returns the text with its variables replaced, split at unquoted white space, including that
    /// of variables' values.
    ///
    /// This keeps a quirk of BuildKit: `ab${X:-cd}` gives the word `cd`; the text before a
    /// substitution with an operator is lost.
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

    /// True if the word has no special characters, so that it expands to itself.
    fn is_plain(&self, word: &str) -> bool {
        let (quotes, escape) = (!self.ignore_quotes, self.escape as u8);
        let special = |byte: u8| {
            let quote = quotes & ((byte == b'"') | (byte == b'\''));
            quote | (byte == b'$') | (byte == escape)
        };
        position(word.as_bytes(), special).is_none() && !word.starts_with(BYTE_ORDER_MARK)
    }
}
