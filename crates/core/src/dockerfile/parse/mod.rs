//! Parses text to a [`Dockerfile`]: lines become statements, statements become instructions, and
//! each FROM starts a stage.

mod source;

mod directive;

mod statement;

mod flags;

mod json;

mod arguments;

mod build;

mod trigger;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::ast::{Dockerfile, GlobalArgs, Instruction, Stage};
use super::error::{ParseError, ParseErrorKind};
use super::instruction::{ArgInstruction, CommandLine, InstructionKind};
use super::keyword::Keyword;
use super::lint::Linter;
use super::span::Span;
use arguments::cut_blanks;
use flags::split_flags;
use json::{JsonFault, string_array};
use source::to_text;
use statement::{Body, Statement, StatementReader};

pub(super) use arguments::split_blanks;
pub(super) use build::Parts;
pub(super) use directive::{DirectiveName, check_options, directive};
pub use directive::{Syntax, detect_syntax};
pub use trigger::parse_trigger;

/// The largest Dockerfile in bytes: it is part of the build request, and a daemon accepts no larger
/// message.
pub const MAX_SIZE: usize = 16 << 20;

/// The most instructions of a Dockerfile. BuildKit has no such limit.
const MAX_INSTRUCTIONS: usize = 100_000;

/// Returns true if the file is UTF-16: it begins with a byte order mark, as PowerShell 5 and some
/// editors write it.
pub fn is_utf16(source: &[u8]) -> bool {
    source.starts_with(b"\xff\xfe") || source.starts_with(b"\xfe\xff")
}

/// Parses a Dockerfile as BuildKit's own frontend does.
///
/// Bytes that are not UTF-8 are allowed anywhere and become U+FFFD.
///
/// # Errors
/// [`ParseError`] with the fault, its lines and the expected text.
///
/// ```
/// use solvekit_core::dockerfile::{parse, InstructionKind};
///
/// let dockerfile = parse(b"FROM alpine AS base\nRUN apk add \\\n  curl\n")?;
/// let stage = &dockerfile.stages[0];
/// assert_eq!((stage.base.as_str(), stage.name.as_deref()), ("alpine", Some("base")));
/// assert_eq!((stage.instructions[0].span.first, stage.instructions[0].span.last), (2, 3));
/// assert!(matches!(stage.instructions[0].kind, InstructionKind::Run(_)));
/// # Ok::<(), solvekit_core::dockerfile::ParseError>(())
/// ```
pub fn parse(source: &[u8]) -> Result<Dockerfile, ParseError> {
    Parser::new(None).parse(source)
}

/// Parses a Dockerfile and reports the findings about its text to `linter`.
///
/// # Errors
/// As [`parse`]. Findings from before the error are kept if BuildKit would report them.
pub fn parse_and_lint(source: &[u8], linter: &mut Linter) -> Result<Dockerfile, ParseError> {
    Parser::new(Some(linter)).parse(source)
}

/// A Dockerfile that is being parsed.
struct Parser<'l> {
    linter: Option<&'l mut Linter>,
    global_args: Vec<GlobalArgs>,
    stages: Vec<Stage>,
    /// The instructions of the last stage.
    instructions: Vec<Instruction>,
    /// The first error that BuildKit reports only after reading all lines.
    late: Option<ParseError>,
}

impl<'l> Parser<'l> {
    fn new(linter: Option<&'l mut Linter>) -> Self {
        Self {
            linter,
            global_args: Vec::new(),
            stages: Vec::new(),
            instructions: Vec::new(),
            late: None,
        }
    }

    fn parse(self, source: &[u8]) -> Result<Dockerfile, ParseError> {
        let parsed = self.parse_lines(source);
        let returns = |source: &[u8]| {
            let text = source.trim_ascii_end();
            text.contains(&b'\r') && !text.contains(&b'\n')
        };
        match parsed {
            Err(_) if returns(source) => Err(ParseError::new(
                ParseErrorKind::CarriageReturns,
                Span::line(1),
            )),
            parsed => parsed,
        }
    }

    fn parse_lines(mut self, source: &[u8]) -> Result<Dockerfile, ParseError> {
        if source.is_empty() {
            return Err(ParseError {
                kind: Box::new(ParseErrorKind::Empty),
                span: None,
            });
        }
        if source.len() > MAX_SIZE {
            return Err(ParseError {
                kind: Box::new(ParseErrorKind::TooLarge { limit: MAX_SIZE }),
                span: None,
            });
        }
        if is_utf16(source) {
            return Err(ParseError::new(ParseErrorKind::Utf16, Span::line(1)));
        }
        let text = to_text(source);
        let mut reader = StatementReader::new(&text, source);
        let before = self.linter.as_ref().map(|linter| linter.mark());
        let read = self.read(&mut reader);
        if let (Err(_), Some(linter), Some(before)) = (&read, &mut self.linter, before) {
            // BuildKit lints only after all lines are read.
            linter.rewind(before);
        }
        read?;
        if let Some(error) = self.late {
            return Err(error);
        }
        self.end_stage();
        if let Some(linter) = self.linter {
            linter.check_stages(&self.stages);
        }
        Ok(Dockerfile {
            source: source.to_vec(),
            directives: reader.directives,
            global_args: self.global_args,
            stages: self.stages,
        })
    }

    /// Reads all statements; only an error that BuildKit reports while reading stops it.
    fn read(&mut self, reader: &mut StatementReader<'_>) -> Result<(), ParseError> {
        let mut count = 0;
        while let Some(mut statement) = reader.next()? {
            count += 1;
            if count > MAX_INSTRUCTIONS {
                let limit = MAX_INSTRUCTIONS;
                let kind = ParseErrorKind::TooManyInstructions { limit };
                return Err(ParseError::new(kind, statement.span));
            }
            if let (true, Some(linter)) = (statement.blank_inside, &mut self.linter) {
                linter.blank_continuation(statement.span.last);
            }
            let bodies = heredocs(reader, &mut statement)?;
            let done = match Parts::new(&statement, bodies, reader.directives.escape) {
                Ok(parts) => self.statement(&parts),
                Err(error) => Err(error),
            };
            match done {
                Ok(Built::Nothing) => {}
                Ok(built) => self.add(built, statement),
                Err(error) if error.kind.is_lexical() => return Err(error),
                Err(error) => self.late = self.late.take().or(Some(error)),
            }
        }
        let line = match (reader.line(), reader.line_too_long()) {
            // A byte order mark alone is a line too.
            (0, false) => Span::line(1),
            (line, _) => Span::line(line),
        };
        if count == 0 {
            return Err(ParseError::new(ParseErrorKind::NoInstructions, line));
        }
        if reader.line_too_long() {
            let long = reader.line() + 1;
            // BuildKit names the line before, except inside a continued statement.
            let named = match reader.is_cut_off() {
                true => Span::line(long),
                false => line,
            };
            let kind = ParseErrorKind::LineTooLong { line: long };
            return Err(ParseError::new(kind, named));
        }
        Ok(())
    }

    /// Parses a statement. After a late error it only checks for errors that BuildKit reports while
    /// reading.
    fn statement(&mut self, parts: &Parts<'_>) -> Result<Built, ParseError> {
        if self.late.is_some() {
            return instruction(parts).map(|_| Built::Nothing);
        }
        if let Some(linter) = &mut self.linter {
            linter.check_statement(parts);
        }
        if parts.keyword == Keyword::From {
            let stage = build::stage(parts).map_err(|kind| parts.error(kind))?;
            self.check_description(parts, stage.name.as_deref());
            return Ok(Built::Stage(stage));
        }
        let kind = instruction(parts)?;
        if let InstructionKind::Arg(args) = &kind {
            self.check_description(
                parts,
                args.variables.iter().map(|variable| variable.name.as_str()),
            );
        }
        match kind {
            InstructionKind::Arg(args) if self.stages.is_empty() => Ok(Built::GlobalArgs(args)),
            _ if self.stages.is_empty() => Err(parts.error(ParseErrorKind::NoStage {
                instruction: parts.keyword.as_str(),
            })),
            kind => Ok(Built::Instruction(kind)),
        }
    }

    fn check_description<'n>(
        &mut self,
        parts: &Parts<'_>,
        names: impl IntoIterator<Item = &'n str>,
    ) {
        if let Some(linter) = &mut self.linter {
            linter.check_description(parts, names);
        }
    }

    fn add(&mut self, built: Built, statement: Statement<'_>) {
        match built {
            Built::Nothing => {}
            Built::GlobalArgs(args) => {
                self.global_args.push(GlobalArgs {
                    args,
                    span: statement.span,
                    comments: statement.comments,
                });
            }
            Built::Stage(stage) => {
                self.end_stage();
                self.stages.push(Stage {
                    comments: statement.comments,
                    ..stage
                });
            }
            Built::Instruction(kind) => self.instructions.push(place(kind, statement)),
        }
    }

    /// Gives the last stage its instructions. They are collected in a list that all stages use,
    /// because a list of its own would grow with each of them.
    fn end_stage(&mut self) {
        if let Some(stage) = self.stages.last_mut() {
            stage.instructions = self.instructions.drain(..).collect();
        }
    }
}

/// The result of a statement.
enum Built {
    Nothing,
    GlobalArgs(ArgInstruction),
    Stage(Stage),
    Instruction(InstructionKind),
}

fn instruction(parts: &Parts<'_>) -> Result<InstructionKind, ParseError> {
    build::instruction(parts).map_err(|kind| parts.error(kind))
}

fn place(kind: InstructionKind, statement: Statement<'_>) -> Instruction {
    let invalid_utf8 = statement.invalid_utf8 && keeps_bytes(&kind);
    Instruction {
        kind,
        original: statement.text.trim().to_owned(),
        span: statement.span,
        comments: statement.comments,
        invalid_utf8,
    }
}

/// True if BuildKit copies text of the instruction to LLB byte by byte. It reads all other text as
/// characters, with U+FFFD for each byte that is not UTF-8, when it expands words or writes JSON.
fn keeps_bytes(kind: &InstructionKind) -> bool {
    match kind {
        InstructionKind::Run(run) => matches!(run.command, CommandLine::Shell(_)),
        InstructionKind::Arg(args) => {
            let mut names = args.variables.iter().map(|variable| &variable.name);
            names.any(|name| name.contains(char::REPLACEMENT_CHARACTER))
        }
        _ => false,
    }
}

/// Reads the heredocs of a statement that may have some.
fn heredocs(
    reader: &mut StatementReader<'_>,
    statement: &mut Statement<'_>,
) -> Result<Vec<Body>, ParseError> {
    if !statement.text.contains("<<") {
        return Ok(Vec::new());
    }
    let escape = reader.directives.escape;
    let (mut word, _, mut args) = split(&statement.text, escape);
    // After a second ONBUILD, which is an error anyway, BuildKit looks for none.
    if Keyword::parse(word) == Some(Keyword::Onbuild) {
        (word, _, args) = split(args, escape);
    }
    let keyword = Keyword::parse(word);
    if !keyword.is_some_and(Keyword::takes_heredocs) {
        return Ok(Vec::new());
    }
    match string_array(args) {
        Ok(_) => Ok(Vec::new()),
        Err(JsonFault::NotStrings) => Err(ParseError::new(
            ParseErrorKind::JsonNotStrings,
            statement.span,
        )),
        Err(JsonFault::NotArray) => {
            let bodies = reader.heredocs(statement)?;
            // The bodies of RUN are for the shell; those of COPY and ADD are files with any
            // content.
            let is_run = keyword == Some(Keyword::Run);
            statement.invalid_utf8 |= is_run && bodies.iter().any(|body| body.raw.is_some());
            Ok(bodies)
        }
    }
}

/// Returns the keyword, the flags, and the arguments without surrounding white space.
fn split(text: &str, escape: char) -> (&str, Vec<Cow<'_, str>>, &str) {
    let text = text.trim();
    let Some((word, rest)) = cut_blanks(text) else {
        return (text, Vec::new(), "");
    };
    let (flags, args) = split_flags(rest, escape);
    (word, flags, args.trim())
}
