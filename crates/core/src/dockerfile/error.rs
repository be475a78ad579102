//! Errors of a Dockerfile's text, with the expected text.

use super::lexer::ExpandError;
use super::mount::MountError;
use super::span::Span;

/// A malformed Dockerfile. [`render_error`](super::render_error) shows it with the lines around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The fault.
    pub kind: Box<ParseErrorKind>,
    /// The lines that BuildKit names for it; none if the file is empty.
    pub span: Option<Span>,
}

/// The fault of a Dockerfile's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields say what the messages print")]
pub enum ParseErrorKind {
    /// The file is empty.
    #[error("the Dockerfile is empty")]
    Empty,
    /// The file is UTF-16, which some editors write.
    #[error("this file is UTF-16, and a Dockerfile is UTF-8")]
    Utf16,
    /// The only line ends are carriage returns, which do not end a line here.
    #[error("the lines of this file end with CR alone, so the whole file is one line")]
    CarriageReturns,
    /// The file is too large.
    #[error("the Dockerfile is larger than {} MiB, the limit of BuildKit's messages", limit >> 20)]
    TooLarge { limit: usize },
    /// There are too many instructions.
    #[error("the Dockerfile has more than {limit} instructions")]
    TooManyInstructions { limit: usize },
    /// There are only comments and blank lines.
    #[error("the Dockerfile has no instructions")]
    NoInstructions,
    /// A line is too long.
    #[error("the line is longer than 65535 bytes")]
    LineTooLong { line: u32 },
    /// A parser directive occurs twice.
    #[error("the directive {name:?} occurs twice")]
    DirectiveRepeated { name: &'static str, line: u32 },
    /// `# escape=` has another value than a backslash or a backtick.
    #[error("{value:?} cannot be the escape character")]
    EscapeInvalid { value: String, line: u32 },
    /// The word that ends a heredoc is missing.
    #[error("the heredoc <<{name} does not end")]
    HeredocUnclosed { name: String },
    /// The word that ends a heredoc is on a line that ends with CR alone.
    #[error("the heredoc <<{name} does not end: its lines end with CR alone")]
    HeredocCarriageReturns { name: String },
    /// The word of a heredoc is malformed.
    #[error("invalid name of a heredoc")]
    HeredocName(#[source] ExpandError),
    /// The exec form contains other values than strings.
    #[error("the JSON array has an element that is not a string")]
    JsonNotStrings,
    /// The first word of a line is not an instruction.
    #[error("unknown instruction {keyword:?}{}", did_you_mean(nearest.as_deref()))]
    UnknownInstruction {
        keyword: String,
        nearest: Option<&'static str>,
    },
    /// An instruction is before the first FROM.
    #[error("{instruction} comes before the first FROM")]
    NoStage { instruction: &'static str },
    /// The instruction does not support the flag.
    #[error("{instruction} has no flag \
        --{flag}{}", did_you_mean(nearest.map(|name| format!("--{name}")).as_deref()))]
    UnknownFlag {
        instruction: &'static str,
        flag: String,
        nearest: Option<&'static str>,
        known: Vec<&'static str>,
    },
    /// A flag that is allowed once is repeated.
    #[error("{instruction} repeats the flag --{flag}")]
    FlagRepeated {
        instruction: &'static str,
        flag: &'static str,
    },
    /// A flag has no value.
    #[error("the flag --{flag} of {instruction} needs a value")]
    FlagWithoutValue {
        instruction: &'static str,
        flag: &'static str,
    },
    /// A flag has an invalid value.
    #[error("the flag --{flag} of {instruction} cannot be {value:?}")]
    FlagValue {
        instruction: &'static str,
        flag: &'static str,
        value: String,
        expected: &'static str,
    },
    /// The instruction has no arguments.
    #[error("{instruction} needs arguments")]
    NoArguments {
        instruction: &'static str,
        expected: &'static str,
    },
    /// ADD or COPY has a single argument.
    #[error("{instruction} needs a destination")]
    NoDestination { instruction: &'static str },
    /// The destination of ADD or COPY is a heredoc.
    #[error("the destination of {instruction} is a heredoc")]
    HeredocDestination { instruction: &'static str },
    /// ENV or LABEL has a key without a value.
    #[error("{instruction} has no value for {key:?}")]
    NoValue {
        instruction: &'static str,
        key: String,
    },
    /// ENV or LABEL has a word that is not an assignment.
    #[error("{instruction} has {word:?}, which is not an assignment")]
    NoEqualSign {
        instruction: &'static str,
        word: String,
    },
    /// ENV, LABEL or ARG has no name before the `=`.
    #[error("{instruction} assigns to an empty name")]
    EmptyName { instruction: &'static str },
    /// VOLUME has an empty path.
    #[error("a path of VOLUME is empty")]
    EmptyVolume,
    /// FROM has two or more than three arguments.
    #[error("FROM has {count} arguments")]
    FromArguments { count: usize },
    /// A stage name is invalid.
    #[error("{name:?} cannot be the name of a stage")]
    StageName { name: String },
    /// The command of SHELL is not a JSON array.
    #[error("SHELL needs a JSON array")]
    ShellNotJson,
    /// ONBUILD ONBUILD, ONBUILD FROM, ONBUILD MAINTAINER.
    #[error("{trigger} cannot be a trigger of ONBUILD")]
    Trigger { trigger: String },
    /// A trigger's text is not a single instruction.
    #[error("the trigger has {count} instructions")]
    TriggerCount { count: usize },
    /// HEALTHCHECK has neither CMD nor NONE.
    #[error("unknown form of HEALTHCHECK: {form:?}")]
    HealthcheckForm { form: String },
    /// HEALTHCHECK CMD has no command.
    #[error("HEALTHCHECK CMD has no command")]
    HealthcheckCommand,
    /// HEALTHCHECK NONE has arguments.
    #[error("HEALTHCHECK NONE has arguments")]
    HealthcheckNone,
    /// A `--mount` is invalid even before its variables are expanded.
    #[error("invalid --mount")]
    Mount(#[source] MountError),
    /// A `--device` is malformed.
    #[error("--device cannot be {value:?}")]
    Device {
        value: String,
        reason: DeviceProblem,
    },
}

/// The fault of a `--device`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceProblem {
    /// The value is not one CSV record.
    #[error("it is not a list of comma-separated options")]
    NotCsv,
    /// `required` is neither true nor false.
    #[error("required cannot be {value:?}")]
    Required {
        /// The value.
        value: String,
    },
    /// There are two names.
    #[error("it has two names")]
    TwoNames,
    /// The option is unknown.
    #[error("unknown option {key:?}{}", did_you_mean(*nearest))]
    UnknownOption {
        /// The option.
        key: String,
        /// The known option with the nearest name.
        nearest: Option<&'static str>,
    },
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.kind.fmt(f)
    }
}

impl std::error::Error for ParseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.kind.source()
    }
}

impl ParseError {
    pub(super) fn new(kind: ParseErrorKind, span: Span) -> Self {
        Self {
            kind: Box::new(kind),
            span: Some(span),
        }
    }

    /// Returns the lines to show. For directives and for a line that is too long, BuildKit names
    /// the line above the actual one.
    pub fn shown_span(&self) -> Option<Span> {
        match *self.kind {
            ParseErrorKind::DirectiveRepeated { line, .. }
            | ParseErrorKind::EscapeInvalid { line, .. }
            | ParseErrorKind::LineTooLong { line } => Some(Span::line(line)),
            _ => self.span,
        }
    }

    /// Returns the expected text, if it is known.
    pub fn expected(&self) -> Option<String> {
        self.kind.expected()
    }
}

impl ParseErrorKind {
    /// True if BuildKit reports the error while it reads lines, before it parses instructions: it
    /// comes before all other errors.
    pub(super) fn is_lexical(&self) -> bool {
        use ParseErrorKind::*;
        matches!(
            self,
            LineTooLong { .. }
                | DirectiveRepeated { .. }
                | EscapeInvalid { .. }
                | HeredocUnclosed { .. }
                | HeredocCarriageReturns { .. }
                | HeredocName(_)
                | JsonNotStrings
                | NoValue { .. }
                | NoEqualSign { .. }
        )
    }

    fn expected(&self) -> Option<String> {
        use ParseErrorKind::*;
        let text = match self {
            Empty | NoInstructions | NoStage { .. } => {
                "a FROM instruction before all others but ARG"
            }
            Utf16 => "the same text saved as UTF-8",
            CarriageReturns => "lines that end with LF or CR LF; save the file with them",
            TooLarge { .. } => "large files in the build context, and COPY for them",
            TooManyInstructions { .. } => "several commands in one RUN, several files in one COPY",
            LineTooLong { .. } => {
                "shorter lines; a long one can be continued on the next with the escape character"
            }
            DirectiveRepeated { .. } => "each directive once",
            EscapeInvalid { .. } => "\\ or `",
            HeredocUnclosed { name } => return Some(format!("a line with nothing but {name}")),
            HeredocCarriageReturns { .. } => {
                "lines that end with LF or CR LF; save the file with them"
            }
            HeredocName(_) => "a word after <<, with its quotes closed",
            JsonNotStrings => "strings in double quotes only, as in [\"executable\", \"argument\"]",
            UnknownInstruction { .. } => return Some(super::keyword::Keyword::all_names()),
            UnknownFlag { known, .. } if known.is_empty() => "no flag",
            UnknownFlag { known, .. } => {
                return Some(
                    known
                        .iter()
                        .map(|name| format!("--{name}"))
                        .collect::<Vec<_>>()
                        .join(", "),
                );
            }
            FlagRepeated { .. } => "the flag once",
            FlagWithoutValue { flag, .. } => return Some(format!("--{flag}=<value>")),
            FlagValue { expected, .. } | NoArguments { expected, .. } => expected,
            NoDestination { .. } => "at least one source and a destination",
            HeredocDestination { .. } => "a path as the last argument",
            NoValue { .. } | NoEqualSign { .. } => {
                "name=value, with quotes around a value that has spaces"
            }
            EmptyName { .. } => "a name before the =",
            EmptyVolume => "a path",
            FromArguments { .. } => "FROM <image>, or FROM <image> AS <name>",
            StageName { .. } => "a letter, then letters, digits, - _ and .",
            ShellNotJson => "a JSON array, as in [\"/bin/bash\", \"-c\"]",
            Trigger { .. } => "an instruction other than ONBUILD, FROM and MAINTAINER",
            TriggerCount { .. } => "one instruction",
            HealthcheckForm { .. } | HealthcheckCommand => "CMD <command>, or NONE",
            HealthcheckNone => "nothing after NONE",
            Mount(_) => {
                "type=<bind|cache|tmpfs|secret|ssh>,<key>=<value>,…; from= names a stage or an \
                image and takes no variables"
            }
            Device { .. } => "<vendor>/<class>=<name>[,required]",
        };
        Some(text.to_owned())
    }
}

/// Returns the suggestion at the end of a message, if there is one.
fn did_you_mean(nearest: Option<&str>) -> String {
    nearest
        .map(|name| format!("; did you mean {name}?"))
        .unwrap_or_default()
}

/// The most known names that are compared.
const MAX_CANDIDATES: usize = 200;

/// Returns the known name that is nearest to `name`, if it is less than three edits away.
pub(super) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let distance = |candidate: &'n str| (strsim::levenshtein(name, candidate), candidate);
    known
        .into_iter()
        .take(MAX_CANDIDATES)
        .map(distance)
        .filter(|(edits, _)| *edits < 3)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name)
}
