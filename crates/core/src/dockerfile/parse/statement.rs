//! Combines lines to statements: joins continuations, separates comments and directives, reads
//! heredocs.

use std::borrow::Cow;

use super::super::ast::Directives;
use super::super::error::{ParseError, ParseErrorKind};
use super::super::heredoc::heredocs_of_line;
use super::super::instruction::Heredoc;
use super::super::span::Span;
use super::directive::{DirectiveName, DirectiveReader, Repeated};
use super::source::{Line, Lines};

/// The length of a continued statement's text; few are longer.
const MOST_TEXTS: usize = 2048;

/// An instruction's text.
#[derive(Debug)]
pub(super) struct Statement<'a> {
    /// The text with its continuations joined. White space at the end is kept, newlines are not.
    pub(super) text: Cow<'a, str>,
    /// Its lines, including those of heredocs once they are read.
    pub(super) span: Span,
    /// The comments directly above.
    pub(super) comments: Vec<String>,
    /// True if the text had bytes that are not UTF-8.
    pub(super) invalid_utf8: bool,
    /// True if there are blank lines inside the continuations.
    pub(super) blank_inside: bool,
}

/// A heredoc with its body.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) heredoc: Heredoc,
    /// The body's bytes if they are not UTF-8.
    pub(super) raw: Option<Vec<u8>>,
}

/// Reads the statements of a Dockerfile.
#[derive(Debug)]
pub(super) struct StatementReader<'a> {
    lines: Lines<'a>,
    reader: DirectiveReader,
    comments: Vec<String>,
    /// True if the last statement is continued by a line that could not be read.
    cut_off: bool,
    /// The directives so far.
    pub(super) directives: Directives,
}

impl<'a> StatementReader<'a> {
    pub(super) fn new(text: &'a str, raw: &'a [u8]) -> Self {
        Self {
            lines: Lines::new(text, raw),
            reader: DirectiveReader::new("#"),
            comments: Vec::new(),
            cut_off: false,
            directives: Directives::default(),
        }
    }

    /// Returns the number of the last line read.
    pub(super) fn line(&self) -> u32 {
        self.lines.number
    }

    /// True if reading stopped at a line that is too long.
    pub(super) fn line_too_long(&self) -> bool {
        self.lines.too_long
    }

    /// True if reading stopped inside a continued statement.
    pub(super) fn is_cut_off(&self) -> bool {
        self.cut_off
    }

    /// Returns the next statement, without its heredocs.
    pub(super) fn next(&mut self) -> Result<Option<Statement<'a>>, ParseError> {
        while let Some(line) = self.lines.next() {
            let text = without_line_end(line.text).trim_start();
            if self.directive(text)? {
                continue;
            }
            if text.starts_with('#') {
                self.comment(line);
                continue;
            }
            let (text, continued) = self.continuation(text);
            if continued {
                return Ok(Some(self.continued(text, !line.is_utf8())));
            }
            if !text.is_empty() {
                return Ok(Some(self.statement(
                    Cow::Borrowed(text),
                    self.lines.number,
                    !line.is_utf8(),
                    false,
                )));
            }
        }
        Ok(None)
    }

    fn statement(
        &mut self,
        text: Cow<'a, str>,
        first: u32,
        invalid_utf8: bool,
        blank_inside: bool,
    ) -> Statement<'a> {
        let comments = std::mem::take(&mut self.comments);
        Statement {
            text,
            span: Span::new(first, self.lines.number),
            comments,
            invalid_utf8,
            blank_inside,
        }
    }

    /// Joins the lines after a continued one. Comments and blank lines are skipped; they do not end
    /// the statement.
    fn continued(&mut self, first: &'a str, first_invalid: bool) -> Statement<'a> {
        let start = self.lines.number;
        // A text that grows is copied again and again; most are not longer.
        let mut text = String::with_capacity(first.len() + self.lines.rest().min(MOST_TEXTS));
        text.push_str(first);
        let (mut invalid, mut blank) = (first_invalid, false);
        self.cut_off = true;
        while let Some(line) = self.lines.next() {
            let trimmed = line.text.trim_start();
            if trimmed.starts_with('#') {
                continue;
            }
            if trimmed.is_empty() {
                blank = true;
                continue;
            }
            let (part, continued) = self.continuation(without_line_end(line.text));
            text.push_str(part);
            invalid |= !line.is_utf8();
            if !continued {
                self.cut_off = false;
                break;
            }
        }
        self.statement(Cow::Owned(text), start, invalid, blank)
    }

    /// Returns the line without the escape character that continues it, and true if there is one.
    /// An escaped one does not continue the line.
    fn continuation<'t>(&self, text: &'t str) -> (&'t str, bool) {
        let escape = self.directives.escape;
        match text.trim_end_matches([' ', '\t']).strip_suffix(escape) {
            Some(before) if !before.ends_with(escape) => (before, true),
            _ => (text, false),
        }
    }

    /// Reads a directive; false if the line is something else.
    fn directive(&mut self, text: &str) -> Result<bool, ParseError> {
        // BuildKit counts the line only afterwards, so it names the previous one.
        let (line, named) = (self.lines.number, Span::line(self.lines.number - 1));
        let (name, value) = match self.reader.read(text) {
            Ok(None) => return Ok(false),
            Ok(Some(directive)) => directive,
            Err(Repeated(name)) => {
                return Err(ParseError::new(
                    ParseErrorKind::DirectiveRepeated {
                        name: name.as_str(),
                        line,
                    },
                    named,
                ));
            }
        };
        match name {
            DirectiveName::Syntax => self.directives.syntax = Some(value.to_owned()),
            DirectiveName::Check => self.directives.check = Some(value.to_owned()),
            DirectiveName::Escape => match value {
                "\\" => self.directives.escape = '\\',
                "`" => self.directives.escape = '`',
                _ => {
                    return Err(ParseError::new(
                        ParseErrorKind::EscapeInvalid {
                            value: value.to_owned(),
                            line,
                        },
                        named,
                    ));
                }
            },
        }
        Ok(true)
    }

    /// Keeps a comment for the next statement; an empty one drops the comments before it.
    fn comment(&mut self, line: Line<'_>) {
        let mut text = line.text.chars();
        // The first character is dropped: the # or white space before it.
        text.next();
        let text = text.as_str().trim();
        if text.is_empty() {
            self.comments.clear();
        } else {
            self.comments.push(text.to_owned());
        }
    }

    /// Reads the bodies of the heredocs that the statement's text starts.
    pub(super) fn heredocs(
        &mut self,
        statement: &mut Statement<'_>,
    ) -> Result<Vec<Body>, ParseError> {
        let heredocs = heredocs_of_line(&statement.text)
            .map_err(|error| ParseError::new(ParseErrorKind::HeredocName(error), statement.span))?;
        let mut bodies = Vec::with_capacity(heredocs.len());
        for heredoc in heredocs {
            let body = self.body(heredoc);
            statement.span.last = self.lines.number;
            bodies.push(body.map_err(|kind| ParseError::new(kind, statement.span))?);
        }
        Ok(bodies)
    }

    /// Reads the lines up to the heredoc's name.
    fn body(&mut self, mut heredoc: Heredoc) -> Result<Body, ParseErrorKind> {
        let mut raw = Vec::new();
        let mut ends_at_cr = false;
        while let Some(line) = self.lines.next() {
            let end = without_line_end(line.text);
            let end = if heredoc.chomp {
                end.trim_start_matches('\t')
            } else {
                end
            };
            if end == heredoc.name {
                let raw = Some(raw).filter(|raw| raw.len() != heredoc.content.len());
                return Ok(Body { heredoc, raw });
            }
            ends_at_cr |= end.contains('\r') && end.split('\r').any(|part| part == heredoc.name);
            heredoc.content.push_str(line.text);
            raw.extend_from_slice(line.raw);
        }
        let name = heredoc.name;
        Err(match ends_at_cr {
            true => ParseErrorKind::HeredocCarriageReturns { name },
            false => ParseErrorKind::HeredocUnclosed { name },
        })
    }
}

fn without_line_end(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}
