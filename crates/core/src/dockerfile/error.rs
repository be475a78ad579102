//! What can be wrong with a Dockerfile's text, and what should have been there.

use super::lexer::ExpandError;
use super::mount::MountError;
use super::span::Span;

/// A Dockerfile that cannot be read; [`render_error`](super::render_error) shows it with the lines
/// around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong.
    pub kind: Box<ParseErrorKind>,
    /// The lines that BuildKit names for it; none if there is no text at all.
    pub span: Option<Span>,
}

/// What is wrong with a Dockerfile's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields say what the messages print")]
pub enum ParseErrorKind {
    /// The file has no bytes.
    #[error("the Dockerfile is empty")]
    Empty,
    /// The file is UTF-16, as some editors write it.
    #[error("this file is UTF-16, and a Dockerfile is UTF-8")]
    Utf16,
    /// No line ends but carriage returns, which end no line here.
    #[error("the lines of this file end with CR alone, so the whole file is one line")]
    CarriageReturns,
    /// The file is larger than can be built.
    #[error("the Dockerfile is larger than {} MiB, the limit of BuildKit's messages", limit >> 20)]
    TooLarge { limit: usize },
    /// There are more instructions than can be built.
    #[error("the Dockerfile has more than {limit} instructions")]
    TooManyInstructions { limit: usize },
    /// There are only comments and blank lines.
    #[error("the Dockerfile has no instructions")]
    NoInstructions,
    /// A line is longer than can be read.
    #[error("the line is longer than 65535 bytes")]
    LineTooLong { line: u32 },
    /// A parser directive occurs twice.
    #[error("the directive {name:?} occurs twice")]
    DirectiveRepeated { name: &'static str, line: u32 },
    /// `# escape=` with something else than a backslash or a backtick.
    #[error("{value:?} cannot be the escape character")]
    EscapeInvalid { value: String, line: u32 },
    /// The word that ends a heredoc never comes.
    #[error("the heredoc <<{name} does not end")]
    HeredocUnclosed { name: String },
    /// The word that ends a heredoc stands on a line that ends with CR alone.
    #[error("the heredoc <<{name} does not end: its lines end with CR alone")]
    HeredocCarriageReturns { name: String },
    /// The word of a heredoc cannot be read.
    #[error("invalid name of a heredoc")]
    HeredocName(#[source] ExpandError),
    /// The exec form with something else than strings in it.
    #[error("the JSON array has an element that is not a string")]
    JsonNotStrings,
    /// The first word of a line is not an instruction.
    #[error("unknown instruction {keyword:?}{}", did_you_mean(nearest.as_deref()))]
    UnknownInstruction {
        keyword: String,
        nearest: Option<&'static str>,
    },
    /// An instruction stands before the first FROM.
    #[error("{instruction} comes before the first FROM")]
    NoStage { instruction: &'static str },
    /// A flag that the instruction does not have.
    #[error("{instruction} has no flag \
        --{flag}{}", did_you_mean(nearest.map(|name| format!("--{name}")).as_deref()))]
    UnknownFlag {
        instruction: &'static str,
        flag: String,
        nearest: Option<&'static str>,
        known: Vec<&'static str>,
    },
    /// A flag that may stand once is repeated.
    #[error("{instruction} repeats the flag --{flag}")]
    FlagRepeated {
        instruction: &'static str,
        flag: &'static str,
    },
    /// A flag without its value.
    #[error("the flag --{flag} of {instruction} needs a value")]
    FlagWithoutValue {
        instruction: &'static str,
        flag: &'static str,
    },
    /// A flag with a value that it cannot have.
    #[error("the flag --{flag} of {instruction} cannot be {value:?}")]
    FlagValue {
        instruction: &'static str,
        flag: &'static str,
        value: String,
        expected: &'static str,
    },
    /// Nothing follows the instruction.
    #[error("{instruction} needs arguments")]
    NoArguments {
        instruction: &'static str,
        expected: &'static str,
    },
    /// ADD or COPY with a single argument.
    #[error("{instruction} needs a destination")]
    NoDestination { instruction: &'static str },
    /// The destination of ADD or COPY is a heredoc.
    #[error("the destination of {instruction} is a heredoc")]
    HeredocDestination { instruction: &'static str },
    /// ENV or LABEL with a key alone.
    #[error("{instruction} has no value for {key:?}")]
    NoValue {
        instruction: &'static str,
        key: String,
    },
    /// ENV or LABEL with a word that is not an assignment.
    #[error("{instruction} has {word:?}, which is not an assignment")]
    NoEqualSign {
        instruction: &'static str,
        word: String,
    },
    /// ENV, LABEL or ARG with nothing before the `=`.
    #[error("{instruction} assigns to an empty name")]
    EmptyName { instruction: &'static str },
    /// VOLUME with an empty path.
    #[error("a path of VOLUME is empty")]
    EmptyVolume,
    /// FROM with two or more than three arguments.
    #[error("FROM has {count} arguments")]
    FromArguments { count: usize },
    /// A stage name that cannot be one.
    #[error("{name:?} cannot be the name of a stage")]
    StageName { name: String },
    /// SHELL with a command that is no JSON array.
    #[error("SHELL needs a JSON array")]
    ShellNotJson,
    /// ONBUILD ONBUILD, ONBUILD FROM, ONBUILD MAINTAINER.
    #[error("{trigger} cannot be a trigger of ONBUILD")]
    Trigger { trigger: String },
    /// A trigger text that is not a single instruction.
    #[error("the trigger has {count} instructions")]
    TriggerCount { count: usize },
    /// HEALTHCHECK with neither CMD nor NONE.
    #[error("unknown form of HEALTHCHECK: {form:?}")]
    HealthcheckForm { form: String },
    /// HEALTHCHECK CMD without a command.
    #[error("HEALTHCHECK CMD has no command")]
    HealthcheckCommand,
    /// HEALTHCHECK NONE with arguments.
    #[error("HEALTHCHECK NONE has arguments")]
    HealthcheckNone,
    /// A `--mount` that is known to be wrong before its variables are expanded.
    #[error("invalid --mount")]
    Mount(#[source] MountError),
    /// A `--device` that cannot be read.
    #[error("--device cannot be {value:?}")]
    Device {
        value: String,
        reason: DeviceProblem,
    },
}

/// What is wrong with a `--device`.
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
        /// The option with the nearest name.
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

    /// The lines to show. For directives, and for a line that is too long, BuildKit names the line
    /// above the wrong one.
    pub fn shown_span(&self) -> Option<Span> {
        match *self.kind {
            ParseErrorKind::DirectiveRepeated { line, .. }
            | ParseErrorKind::EscapeInvalid { line, .. }
            | ParseErrorKind::LineTooLong { line } => Some(Span::line(line)),
            _ => self.span,
        }
    }

    /// What should have been there, if that can be said.
    pub fn expected(&self) -> Option<String> {
        self.kind.expected()
    }
}

impl ParseErrorKind {
    /// BuildKit notices it while it reads lines, before it looks at any instruction as such: it
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

/// The suggestion at the end of a message, if there is one.
fn did_you_mean(nearest: Option<&str>) -> String {
    nearest
        .map(|name| format!("; did you mean {name}?"))
        .unwrap_or_default()
}

/// Of more known names only so many are compared.
const MAX_CANDIDATES: usize = 200;

/// The known name that is nearest to the one given, if it is less than three edits away.
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
