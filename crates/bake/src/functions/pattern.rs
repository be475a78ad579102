//! Translates a pattern of Go's `regexp` to the syntax of the `regex` crate.
//!
//! Both are RE2, but some spellings differ: in Go `\d`, `\s`, `\w` and `\b` are ASCII, `\Q…\E`
//! quotes, `[` and `&&` in a class are literal, `{` that repeats nothing is literal, and stacked
//! repetitions (`a**`), `(?x)` and look-alikes of other engines are errors.

use std::fmt::Write;

use thiserror::Error;

/// The longest pattern, in bytes.
const MAX_PATTERN: usize = 64 << 10;

/// The largest count of a repetition.
const MAX_REPEAT: u32 = 1000;

/// The fault of a pattern, found before the `regex` crate compiles it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum PatternError {
    #[error("it is longer than {MAX_PATTERN} bytes")]
    TooLong,
    #[error("the escape {0:?} is unknown")]
    Escape(String),
    #[error("it ends with a backslash")]
    TrailingBackslash,
    #[error("a class is not closed")]
    OpenClass,
    #[error("the range {0:?} is reversed")]
    Range(String),
    #[error("the group {0:?} is not supported")]
    Group(String),
    #[error("a repetition follows a repetition")]
    RepeatedRepeat,
    #[error("a repetition has at most {MAX_REPEAT} times")]
    RepeatCount,
}

/// Returns the pattern in the syntax of the `regex` crate.
pub(super) fn translate(pattern: &str) -> Result<String, PatternError> {
    if pattern.len() > MAX_PATTERN {
        return Err(PatternError::TooLong);
    }
    let mut translator = Translator {
        rest: pattern,
        out: String::with_capacity(pattern.len() + 16),
    };
    translator.run()?;
    Ok(translator.out)
}

struct Translator<'a> {
    rest: &'a str,
    out: String,
}

/// The meaning of one escape.
enum Escape {
    /// A character.
    Literal(char),
    /// The items of a class, without brackets, and true if it is negated.
    Class(&'static str, bool),
    /// The same text in both syntaxes.
    Same(String),
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), PatternError> {
        let mut repeated = false;
        while let Some(c) = self.rest.chars().next() {
            let repeats = matches!(c, '*' | '+' | '?') || c == '{' && self.count().is_some();
            if repeats && repeated {
                return Err(PatternError::RepeatedRepeat);
            }
            match c {
                '*' | '+' | '?' => self.repetition(1),
                '{' if repeats => self.counted()?,
                '{' | '}' => self.literal_next(c),
                '[' => self.class()?,
                '(' => self.group()?,
                '\\' => self.escape()?,
                _ => self.copy(c.len_utf8()),
            }
            repeated = repeats;
        }
        Ok(())
    }

    fn copy(&mut self, length: usize) {
        let (taken, rest) = self.rest.split_at(length);
        self.out.push_str(taken);
        self.rest = rest;
    }

    fn literal_next(&mut self, c: char) {
        self.rest = &self.rest[c.len_utf8()..];
        self.literal(c);
    }

    fn literal(&mut self, c: char) {
        if c.is_ascii_alphanumeric() || !c.is_ascii() {
            self.out.push(c);
        } else {
            let _ = write!(self.out, "\\x{{{:x}}}", u32::from(c));
        }
    }

    /// Translates a repetition operator, with the `?` that makes it lazy.
    fn repetition(&mut self, length: usize) {
        self.copy(length);
        if self.rest.starts_with('?') {
            self.copy(1);
        }
    }

    /// Returns the length and the largest count of `{n}`, `{n,}` or `{n,m}` at this position.
    fn count(&self) -> Option<(usize, u32)> {
        let inside = &self.rest[1..self.rest.find('}')?];
        let (low, high) = inside.split_once(',').unwrap_or((inside, inside));
        let number = |digits: &str| {
            let valid = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            valid.then(|| digits.parse().unwrap_or(u32::MAX))
        };
        let low = number(low)?;
        let high = if high.is_empty() { low } else { number(high)? };
        Some((inside.len() + 2, low.max(high)))
    }

    fn counted(&mut self) -> Result<(), PatternError> {
        match self.count() {
            Some((length, most)) if most <= MAX_REPEAT => {
                self.repetition(length);
                Ok(())
            }
            _ => Err(PatternError::RepeatCount),
        }
    }

    /// Translates `(`, `(?flags)`, `(?flags:`, `(?P<name>` or `(?<name>`.
    fn group(&mut self) -> Result<(), PatternError> {
        let Some(special) = self.rest.strip_prefix("(?") else {
            self.copy(1);
            return Ok(());
        };
        let named = special
            .strip_prefix("P<")
            .or_else(|| special.strip_prefix('<'));
        let end = match named {
            Some(name) => {
                let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let length = name
                    .find('>')
                    .filter(|&end| end > 0 && name[..end].chars().all(valid));
                length.map(|length| {
                    let _ = write!(self.out, "(?P<{}>", &name[..length]);
                    self.rest.len() - name.len() + length + 1
                })
            }
            None => {
                let flags = special.find([')', ':']);
                let valid = |c: char| matches!(c, 'i' | 'm' | 's' | 'U' | '-');
                let flags = flags.filter(|&end| special[..end].chars().all(valid));
                flags.map(|length| {
                    self.out.push_str(&self.rest[..length + 3]);
                    length + 3
                })
            }
        };
        let end = end.ok_or_else(|| PatternError::Group(self.rest.chars().take(6).collect()))?;
        self.rest = &self.rest[end..];
        Ok(())
    }

    fn escape(&mut self) -> Result<(), PatternError> {
        if let Some(quoted) = self.rest.strip_prefix("\\Q") {
            let (quoted, rest) = quoted.split_once("\\E").unwrap_or((quoted, ""));
            quoted.chars().for_each(|c| self.literal(c));
            self.rest = rest;
            return Ok(());
        }
        for (go, rust) in [
            ("\\b", "(?-u:\\b)"),
            ("\\B", "(?-u:\\B)"),
            ("\\A", "\\A"),
            ("\\z", "\\z"),
        ] {
            if let Some(rest) = self.rest.strip_prefix(go) {
                self.out.push_str(rust);
                self.rest = rest;
                return Ok(());
            }
        }
        match self.any_escape()? {
            Escape::Literal(c) => self.literal(c),
            Escape::Class(items, opposite) => {
                let caret = if opposite { "^" } else { "" };
                let _ = write!(self.out, "[{caret}{items}]");
            }
            Escape::Same(text) => self.out.push_str(&text),
        }
        Ok(())
    }

    /// Parses an escape that is allowed outside and inside a class.
    fn any_escape(&mut self) -> Result<Escape, PatternError> {
        let start = self.rest;
        let unknown = || PatternError::Escape(start.chars().take(4).collect());
        let mut chars = start.chars();
        chars.next();
        let letter = chars.next().ok_or(PatternError::TrailingBackslash)?;
        self.rest = chars.as_str();
        Ok(match letter {
            'd' | 'D' => Escape::Class("0-9", letter == 'D'),
            's' | 'S' => Escape::Class("\\t\\n\\f\\r ", letter == 'S'),
            'w' | 'W' => Escape::Class("0-9A-Za-z_", letter == 'W'),
            'a' => Escape::Literal('\x07'),
            'f' => Escape::Literal('\x0c'),
            'n' => Escape::Literal('\n'),
            'r' => Escape::Literal('\r'),
            't' => Escape::Literal('\t'),
            'v' => Escape::Literal('\x0b'),
            'x' => Escape::Literal(self.hexadecimal().ok_or_else(unknown)?),
            '0'..='7' => Escape::Literal(self.octal(letter).ok_or_else(unknown)?),
            'p' | 'P' => Escape::Same(self.property(letter).ok_or_else(unknown)?),
            c if c.is_ascii() && !c.is_ascii_alphanumeric() => Escape::Literal(c),
            _ => return Err(unknown()),
        })
    }

    /// Parses the rest of `\xFF` or `\x{10FFFF}`.
    fn hexadecimal(&mut self) -> Option<char> {
        let (digits, rest) = match self.rest.strip_prefix('{') {
            Some(braced) => braced.split_once('}')?,
            None => self.rest.split_at_checked(2)?,
        };
        self.rest = rest;
        let valid = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let code = u32::from_str_radix(digits, 16).ok()?;
        valid.then(|| char::from_u32(code)).flatten()
    }

    /// Parses up to three octal digits; a single digit other than 0 would be a back reference.
    fn octal(&mut self, first: char) -> Option<char> {
        let mut code = first.to_digit(8)?;
        let mut length = 0;
        for digit in self.rest.chars().take(2).map_while(|c| c.to_digit(8)) {
            code = code * 8 + digit;
            length += 1;
        }
        if first != '0' && length == 0 {
            return None;
        }
        self.rest = &self.rest[length..];
        char::from_u32(code)
    }

    /// Parses `\pL`, `\p{Greek}` or `\p{^Greek}`, with the given letter.
    fn property(&mut self, letter: char) -> Option<String> {
        let (name, rest) = match self.rest.strip_prefix('{') {
            Some(braced) => braced.split_once('}')?,
            None => self
                .rest
                .split_at_checked(self.rest.chars().next()?.len_utf8())?,
        };
        self.rest = rest;
        let (name, opposite) = match name.strip_prefix('^') {
            Some(name) => (name, letter == 'p'),
            None => (name, letter == 'P'),
        };
        let letter = if opposite { 'P' } else { 'p' };
        let valid = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        (valid && !name.is_empty()).then(|| format!("\\{letter}{{{name}}}"))
    }

    /// Translates a class in brackets, item by item.
    fn class(&mut self) -> Result<(), PatternError> {
        self.copy(1);
        if self.rest.starts_with('^') {
            self.copy(1);
        }
        let mut first = true;
        loop {
            let c = self.rest.chars().next().ok_or(PatternError::OpenClass)?;
            if c == ']' && !first {
                self.copy(1);
                return Ok(());
            }
            first = false;
            let named = self
                .rest
                .strip_prefix("[:")
                .and_then(|rest| rest.find(":]"));
            if let Some(length) = named {
                self.copy(length + 4);
                continue;
            }
            let Some(low) = self.class_item()? else {
                continue;
            };
            let after_dash = self.rest.strip_prefix('-');
            match after_dash.filter(|rest| !rest.is_empty() && !rest.starts_with(']')) {
                Some(rest) => {
                    self.rest = rest;
                    let high = self.class_item()?.filter(|high| *high >= low);
                    let high = high.ok_or_else(|| PatternError::Range(format!("{low}-")))?;
                    self.literal(low);
                    self.out.push('-');
                    self.literal(high);
                }
                None => self.literal(low),
            }
        }
    }

    /// Parses a single character of a class; `None` for a nested class, which is written directly.
    fn class_item(&mut self) -> Result<Option<char>, PatternError> {
        let c = self.rest.chars().next().ok_or(PatternError::OpenClass)?;
        if c != '\\' {
            self.rest = &self.rest[c.len_utf8()..];
            return Ok(Some(c));
        }
        match self.any_escape()? {
            Escape::Literal(c) => return Ok(Some(c)),
            Escape::Class(items, false) => self.out.push_str(items),
            Escape::Class(items, true) => {
                let _ = write!(self.out, "[^{items}]");
            }
            Escape::Same(text) => self.out.push_str(&text),
        }
        Ok(None)
    }
}
