//! `.env` and `env_file`: lines of `NAME=value`, parsed like compose-go's dotenv package.

use std::collections::BTreeMap;

use super::template::{TemplateError, substitute};

/// A malformed environment file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct DotenvError {
    /// The line of the file, from 1.
    pub line: usize,
    problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("a name cannot contain a space")]
    SpaceInName,
    #[error("{0:?} is not allowed in a name")]
    BadCharacter(char),
    #[error("the quote is not closed")]
    OpenQuote,
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// Adds the variables of a file to `variables`. References in values are looked up in `lookup`
/// first, then in the earlier variables of the file.
///
/// A name alone on its line takes its value from `lookup`.
pub(super) fn read(
    text: &str,
    variables: &mut BTreeMap<String, String>,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<(), DotenvError> {
    read_with(text, variables, lookup, lookup)
}

/// As [`read`], with separate lookups for names alone and for references.
pub(super) fn read_with(
    text: &str,
    variables: &mut BTreeMap<String, String>,
    alone: &dyn Fn(&str) -> Option<String>,
    referred: &dyn Fn(&str) -> Option<String>,
) -> Result<(), DotenvError> {
    let mut reader = Reader { text, at: 0 };
    while reader.skip_to_statement() {
        let failed_at = reader.at;
        let fail = |problem| DotenvError {
            line: line_of(text, failed_at),
            problem,
        };
        let (name, end) = reader.name().map_err(fail)?;
        if name.contains(' ') {
            return Err(fail(Problem::SpaceInName));
        }
        if end == NameEnd::Line {
            if let Some(value) = alone(name) {
                variables.insert(name.to_owned(), value);
            }
            continue;
        }
        let value = {
            let known = |name: &str| referred(name).or_else(|| variables.get(name).cloned());
            reader.value(&known).map_err(fail)?
        };
        variables.insert(name.to_owned(), value);
    }
    Ok(())
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes()[..at]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum NameEnd {
    /// Followed by `=` or `:`.
    Separator,
    /// Followed by the end of the line or file.
    Line,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Skips blanks and comments up to the next statement; false at the end.
    fn skip_to_statement(&mut self) -> bool {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if !trimmed.starts_with('#') {
                return !trimmed.is_empty();
            }
            self.at += trimmed.find('\n').unwrap_or(trimmed.len());
        }
    }

    fn name(&mut self) -> Result<(&'a str, NameEnd), Problem> {
        if let Some(after) = self.rest().strip_prefix("export")
            && after.starts_with(char::is_whitespace)
        {
            self.at = self.text.len() - after.trim_start_matches(is_blank).len();
        }
        let rest = self.rest();
        for (index, symbol) in rest.char_indices() {
            match symbol {
                '=' | ':' | '\n' => {
                    self.at += index + 1;
                    self.skip_blanks();
                    let end = if symbol == '\n' {
                        NameEnd::Line
                    } else {
                        NameEnd::Separator
                    };
                    return Ok((rest[..index].trim_end(), end));
                }
                '_' | '.' | '-' | '[' | ']' => {}
                _ if is_blank(symbol) || symbol.is_alphanumeric() => {}
                _ => return Err(Problem::BadCharacter(symbol)),
            }
        }
        // A name at the very end of the file has no value and is ignored.
        self.at = self.text.len();
        Ok(("", NameEnd::Line))
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches(is_blank).len();
    }

    fn value(&mut self, known: &dyn Fn(&str) -> Option<String>) -> Result<String, Problem> {
        let rest = self.rest();
        let quote = match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => quote,
            _ => {
                let line = rest.split('\n').next().unwrap_or_default();
                self.at = (self.at + line.len() + 1).min(self.text.len());
                let value = line.split(" #").next().unwrap_or_default().trim_end();
                return Ok(substitute(value, known)?);
            }
        };
        let mut value = String::new();
        let mut is_escaped = false;
        for (index, symbol) in rest.char_indices().skip(1) {
            if symbol == quote && !is_escaped {
                self.at += index + 1;
                if quote == '\'' {
                    return Ok(value);
                }
                return Ok(substitute(&unescape(&value), known)?);
            }
            if symbol == '\\' && !is_escaped {
                is_escaped = true;
                continue;
            }
            if is_escaped && symbol != quote {
                value.push('\\');
            }
            is_escaped = false;
            value.push(symbol);
        }
        Err(Problem::OpenQuote)
    }
}

/// True for a space that does not end a line.
fn is_blank(symbol: char) -> bool {
    matches!(
        symbol,
        '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}'
    )
}

/// Replaces the escapes of a double-quoted value: `\n`, `\t`, `\0101` and so on; `\$` becomes `$$`.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let mut length = 1;
        match after.bytes().next() {
            Some(b'a') => out.push('\u{7}'),
            Some(b'b') => out.push('\u{8}'),
            Some(b'f') => out.push('\u{c}'),
            Some(b'n') => out.push('\n'),
            Some(b'r') => out.push('\r'),
            Some(b't') => out.push('\t'),
            Some(b'v') => out.push('\u{b}'),
            Some(b'$') => out.push_str("$$"),
            Some(symbol @ (b'"' | b'\\')) => out.push(char::from(symbol)),
            Some(b'0') => {
                let digits = after[1..]
                    .bytes()
                    .take(3)
                    .take_while(u8::is_ascii_digit)
                    .count();
                length += digits;
                match u32::from_str_radix(&after[1..length], 8)
                    .ok()
                    .and_then(char::from_u32)
                {
                    Some(symbol) if digits == 3 && u32::from(symbol) < 256 => out.push(symbol),
                    // The reference drops the 0 of an invalid escape.
                    _ => {
                        out.push('\\');
                        out.push_str(&after[1..length]);
                    }
                }
            }
            _ => {
                out.push('\\');
                length = 0;
            }
        }
        rest = &after[length..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(text: &str) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::new();
        let outer = |name: &str| (name == "OUTER").then(|| "outer".to_owned());
        read(text, &mut variables, &outer).unwrap();
        variables
    }

    fn one(text: &str) -> String {
        variables(text).remove("A").unwrap_or_default()
    }

    #[test]
    fn values_end_where_they_should() {
        assert_eq!(one("A=b c # d"), "b c");
        assert_eq!(one("A=b#c"), "b#c");
        assert_eq!(one("A: b"), "b");
        assert_eq!(one("export A = b "), "b");
        assert_eq!(one("A='b # $OUTER \\' c'"), "b # $OUTER ' c");
        assert_eq!(
            one("A=\"x\\ty\\0101 \\$OUTER $OUTER\" # c"),
            "x\tyA $OUTER outer"
        );
        assert_eq!(one("A=\"two\nlines\""), "two\nlines");
        assert_eq!(one("A="), "");
        assert_eq!(one("A=\r\nB=1\r\n"), "");
    }

    #[test]
    fn later_values_see_earlier_ones() {
        assert_eq!(
            variables("B=1\nC=$B-${OUTER}-${NONE:-d}\n")["C"],
            "1-outer-d"
        );
    }

    #[test]
    fn a_name_alone_takes_the_outer_value() {
        assert_eq!(variables("OUTER\nNONE\n").len(), 1);
    }

    #[test]
    fn mistakes_name_their_line() {
        let message = |text| {
            read(text, &mut BTreeMap::new(), &|_| None)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            message("A=1\nB C=2\n"),
            "line 2: a name cannot contain a space"
        );
        assert_eq!(message("A=1\n\nB='x\n"), "line 3: the quote is not closed");
        assert_eq!(message("A!=1"), "line 1: '!' is not allowed in a name");
        assert_eq!(
            message("A=${"),
            "line 1: `$` must be followed by a name, as in ${NAME}; for a dollar sign write $$"
        );
    }
}
