//! What a Dockerfile says, before any variable is expanded: directives, global arguments, stages.

use super::instruction::{ArgInstruction, InstructionKind};
use super::span::Span;

/// A parsed Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dockerfile {
    /// The text as it was given, for source maps and messages.
    pub source: Vec<u8>,
    /// The `# name=value` lines at the top.
    pub directives: Directives,
    /// The ARG instructions before the first FROM.
    pub global_args: Vec<GlobalArgs>,
    /// The stages in order of appearance; none if the file has no FROM (only ARGs).
    pub stages: Vec<Stage>,
}

/// The parser directives at the top of a Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directives {
    /// `# syntax=`: the frontend that the file asks for, with everything after the `=`.
    pub syntax: Option<String>,
    /// `# escape=`: `\` or `` ` ``; both the escape of words and the sign of a continued line.
    pub escape: char,
    /// `# check=`: options of the lint rules, see [`LintConfig`](super::LintConfig).
    pub check: Option<String>,
}

impl Default for Directives {
    fn default() -> Self {
        Self {
            syntax: None,
            escape: '\\',
            check: None,
        }
    }
}

/// One ARG instruction before the first FROM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlobalArgs {
    /// The variables that it declares.
    pub args: ArgInstruction,
    /// Its lines.
    pub span: Span,
    /// The comments directly above.
    pub comments: Vec<String>,
}

/// A FROM and the instructions up to the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The name after AS, in lower case, which is how it is looked up.
    pub name: Option<String>,
    /// The name after AS as the file has it.
    pub written_name: Option<String>,
    /// The base: an image reference or the name of an earlier stage, unexpanded.
    pub base: String,
    /// `--platform`, unexpanded; none if absent or empty.
    pub platform: Option<String>,
    /// The FROM line, its continuations joined, without surrounding white space.
    pub original: String,
    /// The lines of the FROM.
    pub span: Span,
    /// The comments directly above the FROM, without their `#`.
    pub comments: Vec<String>,
    /// What a comment of the form `# <name> <text>` says about the stage.
    pub doc: Option<String>,
    /// The FROM line had bytes that are no UTF-8 (each became U+FFFD here). It cannot be put into
    /// LLB.
    pub invalid_utf8: bool,
    /// The instructions after the FROM.
    pub instructions: Vec<Instruction>,
}

impl Stage {
    /// The keyword as the file writes it: `FROM`, `from`.
    pub fn keyword(&self) -> &str {
        first_word(&self.original)
    }
}

/// An instruction of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// What it says.
    pub kind: InstructionKind,
    /// The instruction's text, its continuations joined, without surrounding white space and
    /// heredoc bodies.
    pub original: String,
    /// Its lines, heredocs included.
    pub span: Span,
    /// The comments directly above, without their `#`.
    pub comments: Vec<String>,
    /// Bytes that are no UTF-8 (each became U+FFFD here) would have to be put into LLB as they are,
    /// which cannot be: those of a RUN in shell form, and of an ARG's name. All other text is read
    /// as characters.
    pub invalid_utf8: bool,
}

impl Instruction {
    /// The keyword as the file writes it: `RUN`, `run`.
    pub fn keyword(&self) -> &str {
        first_word(&self.original)
    }
}

/// The text up to the first white space of those that end a keyword.
pub(super) fn first_word(text: &str) -> &str {
    let end = text.bytes().position(is_blank).unwrap_or(text.len());
    &text[..end]
}

/// The white space that separates keywords and arguments: no newline, and nothing beyond ASCII.
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x0b | 0x0c | b'\r' | b' ')
}
