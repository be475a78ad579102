//! Parser directives: `# name=value` lines before anything else. Only `syntax`, `escape` and
//! `check` exist.

use super::super::span::Span;
use super::source::{MAX_LINE, to_text};

/// A directive's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum DirectiveName {
    Syntax,
    Escape,
    Check,
}

impl DirectiveName {
    pub(in super::super) const fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Escape => "escape",
            Self::Check => "check",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Syntax, Self::Escape, Self::Check]
            .into_iter()
            .find(|known| name.eq_ignore_ascii_case(known.as_str()))
    }
}

/// Reads directives line by line until the first other line.
#[derive(Debug)]
pub(super) struct DirectiveReader {
    comment_sign: &'static str,
    seen: Vec<DirectiveName>,
    done: bool,
}

/// A repeated directive.
#[derive(Debug)]
pub(super) struct Repeated(pub(super) DirectiveName);

impl DirectiveReader {
    pub(super) const fn new(comment_sign: &'static str) -> Self {
        Self {
            comment_sign,
            seen: Vec::new(),
            done: false,
        }
    }

    /// Parses the directive on this line. After the first line without one there are no more.
    pub(super) fn read<'a>(
        &mut self,
        line: &'a str,
    ) -> Result<Option<(DirectiveName, &'a str)>, Repeated> {
        if self.done {
            return Ok(None);
        }
        let Some((name, value)) = line.strip_prefix(self.comment_sign).and_then(directive) else {
            self.done = true;
            return Ok(None);
        };
        if self.seen.contains(&name) {
            return Err(Repeated(name));
        }
        self.seen.push(name);
        Ok(Some((name, value)))
    }
}

/// Parses `name = value`, with the name in any case.
pub(in super::super) fn directive(text: &str) -> Option<(DirectiveName, &str)> {
    let text = text.trim_start();
    let end = text
        .bytes()
        .position(|byte| !byte.is_ascii_alphanumeric())?;
    let (name, after) = text.split_at(end);
    let value = after.trim_start_matches(WHITE_SPACE).strip_prefix('=')?;
    let trimmed = value.trim_matches(WHITE_SPACE);
    // A value of white space only is its last character; an empty value is not a directive.
    let value = if trimmed.is_empty() {
        &value[value.len().checked_sub(1)?..]
    } else {
        trimmed
    };
    Some((DirectiveName::parse(name)?, value))
}

/// The white space of the reference's regular expressions.
const WHITE_SPACE: [char; 5] = ['\t', '\n', '\x0c', '\r', ' '];

/// The frontend that a Dockerfile names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// The frontend's image: the value up to its first space.
    pub image: String,
    /// The whole value.
    pub command_line: String,
    /// The line of the directive; line 0 for the JSON form.
    pub span: Span,
}

/// Returns the `syntax` directive: `# syntax=…`, `// syntax=…`, or a file that is one JSON object
/// with the key `syntax`. A `#!` line may come before it.
pub fn detect_syntax(source: &[u8]) -> Option<Syntax> {
    let text = to_text(source);
    let (body, first_line) = without_shebang(&text);
    let found = find(body, first_line, "#", DirectiveName::Syntax)
        .or_else(|| find(body, first_line, "//", DirectiveName::Syntax));
    if let Some((value, line)) = found {
        return Some(Syntax {
            image: first_part(value).to_owned(),
            command_line: value.to_owned(),
            span: Span::line(line),
        });
    }
    if !body.trim_start().starts_with('{') {
        return None;
    }
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(body).ok()?;
    let value = object.get("syntax")?.as_str()?.to_owned();
    Some(Syntax {
        image: value.clone(),
        command_line: value,
        span: Span::line(first_line),
    })
}

/// Returns the value of the `check` directive, up to its first space, and its line.
pub(in super::super) fn check_options(source: &[u8]) -> Option<(String, Span)> {
    let text = to_text(source);
    let (body, first_line) = without_shebang(&text);
    let (value, line) = find(body, first_line, "#", DirectiveName::Check)?;
    Some((first_part(value).to_owned(), Span::line(line)))
}

fn first_part(value: &str) -> &str {
    value.split_once(' ').map_or(value, |(first, _)| first)
}

/// Returns the text after a byte order mark and a `#!` line, and the number of skipped lines.
fn without_shebang(text: &str) -> (&str, u32) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.starts_with("#!") {
        return (text, 0);
    }
    (text.split_once('\n').map_or("", |(_, rest)| rest), 1)
}

fn find<'a>(
    text: &'a str,
    lines_before: u32,
    comment_sign: &'static str,
    wanted: DirectiveName,
) -> Option<(&'a str, u32)> {
    let mut reader = DirectiveReader::new(comment_sign);
    let mut number = lines_before;
    for line in text.split('\n') {
        number += 1;
        if line.len() > MAX_LINE || reader.done {
            return None;
        }
        match reader.read(line) {
            Ok(Some((name, value))) if name == wanted => return Some((value, number)),
            Ok(_) => {}
            Err(Repeated(_)) => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn syntax(text: &str) -> Option<(String, u32)> {
        detect_syntax(text.as_bytes()).map(|syntax| (syntax.image, syntax.span.first))
    }

    #[test]
    fn the_syntax_is_found_in_all_its_forms() {
        assert_eq!(
            syntax("# syntax=docker/dockerfile:1 x\nFROM a"),
            Some(("docker/dockerfile:1".into(), 1))
        );
        assert_eq!(
            syntax("#!/bin/x\n#escape=`\n#SYNTAX = a \r\n"),
            Some(("a".into(), 3))
        );
        assert_eq!(syntax("\u{feff}// syntax=a\n"), Some(("a".into(), 1)));
        assert_eq!(
            syntax("{\"syntax\": \"a\", \"x\": [1]}"),
            Some(("a".into(), 0))
        );
    }

    #[test]
    fn the_first_other_line_ends_the_directives() {
        assert_eq!(syntax("# a comment\n# syntax=a"), None);
        assert_eq!(syntax("\n# syntax=a"), None);
        assert_eq!(syntax("# unknown=x\n# syntax=a"), None);
        assert_eq!(syntax("# escape=`\n# escape=`\n# syntax=a"), None);
        assert_eq!(syntax("# syntax="), None);
    }

    #[test]
    fn check_options_end_at_a_space() {
        assert_eq!(
            check_options(b"# check=skip=all;error=true rest\n"),
            Some(("skip=all;error=true".into(), Span::line(1)))
        );
        assert_eq!(
            directive("escape =  \t"),
            Some((DirectiveName::Escape, "\t"))
        );
    }
}
