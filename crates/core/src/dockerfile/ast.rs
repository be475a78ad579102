//! The parsed form of a Dockerfile, before variables are expanded: directives, global arguments,
//! stages.

use super::instruction::{ArgInstruction, InstructionKind};
use super::span::Span;

/// A parsed Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dockerfile {
    /// The original text, for source maps and messages.
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
    /// `# syntax=`: the frontend to use, with everything after the `=`.
    pub syntax: Option<String>,
    /// `# escape=`: `\` or `` ` ``; it escapes characters in words and continues lines.
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
    /// The declared variables.
    pub args: ArgInstruction,
    /// Its lines.
    pub span: Span,
    /// The comments directly above.
    pub comments: Vec<String>,
}

/// A FROM and the instructions up to the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The name after AS, in lower case, as stages are looked up.
    pub name: Option<String>,
    /// The name after AS, as in the file.
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
    /// The description from a comment of the form `# <name> <text>`.
    pub doc: Option<String>,
    /// True if the FROM line had bytes that are not UTF-8 (each became U+FFFD here). LLB cannot
    /// represent it.
    pub invalid_utf8: bool,
    /// The instructions after the FROM.
    pub instructions: Vec<Instruction>,
}

impl Stage {
    /// Returns the keyword as in the file: `FROM`, `from`.
    pub fn keyword(&self) -> &str {
        first_word(&self.original)
    }
}

/// An instruction of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// The parsed instruction.
    pub kind: InstructionKind,
    /// The instruction's text, its continuations joined, without surrounding white space and
    /// heredoc bodies.
    pub original: String,
    /// Its lines, heredocs included.
    pub span: Span,
    /// The comments directly above, without their `#`.
    pub comments: Vec<String>,
    /// True if LLB would need bytes that are not UTF-8 (each became U+FFFD here), which it cannot
    /// represent: those of a RUN in shell form, or of an ARG's name. All other text is read as
    /// characters.
    pub invalid_utf8: bool,
}

impl Instruction {
    /// Returns the keyword as in the file: `RUN`, `run`.
    pub fn keyword(&self) -> &str {
        first_word(&self.original)
    }
}

/// Returns the text before the first blank.
pub(super) fn first_word(text: &str) -> &str {
    let end = text.bytes().position(is_blank).unwrap_or(text.len());
    &text[..end]
}

/// True for white space that separates keywords and arguments: no newline, ASCII only.
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x0b | 0x0c | b'\r' | b' ')
}
