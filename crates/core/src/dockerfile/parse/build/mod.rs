//! Parses a statement's parts into an instruction: one function per keyword.

mod from;

mod copy;

mod run;

mod variables;

mod healthcheck;

mod onbuild;

use std::borrow::Cow;

use super::super::error::{ParseError, ParseErrorKind};
use super::super::instruction::{CommandLine, ExposeInstruction, InstructionKind};
use super::super::keyword::Keyword;
use super::super::span::Span;
use super::arguments::{command_line, list, split_blanks};
use super::flags::Flags;
use super::split;
use super::statement::{Body, Statement};

pub(super) use from::stage;

type Result<T> = std::result::Result<T, ParseErrorKind>;

/// A statement, split into its parts.
#[derive(Debug)]
pub(in crate::dockerfile) struct Parts<'s> {
    pub(in crate::dockerfile) keyword: Keyword,
    /// The keyword as in the file.
    pub(in crate::dockerfile) word: &'s str,
    /// The words before the arguments that begin with `--`.
    flags: Vec<Cow<'s, str>>,
    /// Everything after the flags, without surrounding white space.
    pub(in crate::dockerfile) args: &'s str,
    /// The whole statement.
    text: &'s str,
    bodies: Vec<Body>,
    escape: char,
    pub(in crate::dockerfile) comments: &'s [String],
    pub(in crate::dockerfile) span: Span,
    invalid_utf8: bool,
}

impl<'s> Parts<'s> {
    pub(super) fn new(
        statement: &'s Statement<'_>,
        bodies: Vec<Body>,
        escape: char,
    ) -> std::result::Result<Self, ParseError> {
        let (word, flags, args) = split(&statement.text, escape);
        let keyword = Keyword::parse(word).ok_or_else(|| {
            let kind = ParseErrorKind::UnknownInstruction {
                keyword: word.to_owned(),
                nearest: Keyword::nearest(word),
            };
            ParseError::new(kind, statement.span)
        })?;
        Ok(Self {
            keyword,
            word,
            flags,
            args,
            text: &statement.text,
            bodies,
            escape,
            comments: &statement.comments,
            span: statement.span,
            invalid_utf8: statement.invalid_utf8,
        })
    }

    /// Returns the error with the statement's lines.
    pub(super) fn error(&self, kind: ParseErrorKind) -> ParseError {
        ParseError::new(kind, self.span)
    }

    /// Returns the keyword for messages.
    const fn name(&self) -> &'static str {
        self.keyword.as_str()
    }

    /// Fails if there are flags.
    fn no_flags(&self) -> Result<()> {
        Flags::parse(&self.flags, &[], self.name()).map(|_| ())
    }

    /// Returns all arguments as one text; fails if it is empty.
    fn argument(&self, expected: &'static str) -> Result<String> {
        if self.args.is_empty() {
            return Err(self.no_arguments(expected));
        }
        Ok(self.args.to_owned())
    }

    const fn no_arguments(&self, expected: &'static str) -> ParseErrorKind {
        ParseErrorKind::NoArguments {
            instruction: self.name(),
            expected,
        }
    }
}

/// Parses the instruction of a statement, except FROM.
pub(super) fn instruction(parts: &Parts<'_>) -> Result<InstructionKind> {
    Ok(match parts.keyword {
        Keyword::Add => InstructionKind::Add(copy::add(parts)?),
        Keyword::Arg => InstructionKind::Arg(variables::arg(parts)?),
        Keyword::Cmd => InstructionKind::Cmd(command(parts)?),
        Keyword::Copy => InstructionKind::Copy(copy::copy(parts)?),
        Keyword::Entrypoint => InstructionKind::Entrypoint(command(parts)?),
        Keyword::Env => InstructionKind::Env(variables::env(parts)?),
        Keyword::Expose => InstructionKind::Expose(expose(parts)?),
        Keyword::From => {
            return Err(ParseErrorKind::Trigger {
                trigger: parts.name().to_owned(),
            });
        }
        Keyword::Healthcheck => InstructionKind::Healthcheck(healthcheck::healthcheck(parts)?),
        Keyword::Label => InstructionKind::Label(variables::label(parts)?),
        Keyword::Maintainer => InstructionKind::Maintainer(maintainer(parts)?),
        Keyword::Onbuild => InstructionKind::Onbuild(onbuild::onbuild(parts)?),
        Keyword::Run => InstructionKind::Run(run::run(parts)?),
        Keyword::Shell => InstructionKind::Shell(shell(parts)?),
        Keyword::StopSignal => InstructionKind::StopSignal(parts.argument("a signal")?),
        Keyword::User => InstructionKind::User(user(parts)?),
        Keyword::Volume => InstructionKind::Volume(volume(parts)?),
        Keyword::Workdir => InstructionKind::Workdir(workdir(parts)?),
    })
}

/// CMD and ENTRYPOINT.
fn command(parts: &Parts<'_>) -> Result<CommandLine> {
    let command = command_line(parts.args)?;
    parts.no_flags()?;
    Ok(command)
}

fn expose(parts: &Parts<'_>) -> Result<ExposeInstruction> {
    let mut ports: Vec<_> = split_blanks(parts.args).map(str::to_owned).collect();
    if ports.is_empty() {
        return Err(parts.no_arguments("<port>[-<port>][/<protocol>]"));
    }
    parts.no_flags()?;
    ports.sort_unstable();
    Ok(ExposeInstruction { ports })
}

fn maintainer(parts: &Parts<'_>) -> Result<String> {
    parts.no_flags()?;
    parts.argument("the author's name")
}

fn shell(parts: &Parts<'_>) -> Result<Vec<String>> {
    let command = command_line(parts.args)?;
    parts.no_flags()?;
    match command {
        CommandLine::Exec(words) if !words.is_empty() => Ok(words),
        CommandLine::Shell(text) if !text.is_empty() => Err(ParseErrorKind::ShellNotJson),
        _ => Err(parts.no_arguments("a JSON array, as in [\"/bin/bash\", \"-c\"]")),
    }
}

fn user(parts: &Parts<'_>) -> Result<String> {
    parts.no_flags()?;
    parts.argument("<user>[:<group>]")
}

fn volume(parts: &Parts<'_>) -> Result<Vec<String>> {
    let paths = list(parts.args)?;
    if paths.is_empty() {
        return Err(parts.no_arguments("a path"));
    }
    parts.no_flags()?;
    let paths: Vec<_> = paths.into_iter().map(trimmed).collect();
    if paths.iter().any(String::is_empty) {
        return Err(ParseErrorKind::EmptyVolume);
    }
    Ok(paths)
}

fn trimmed(path: String) -> String {
    let inner = path.trim();
    if inner.len() == path.len() {
        path
    } else {
        inner.to_owned()
    }
}

fn workdir(parts: &Parts<'_>) -> Result<String> {
    parts.no_flags()?;
    parts.argument("a path")
}
