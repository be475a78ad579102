//! Parses Dockerfiles into instructions with their lines; heredocs, flags, `${…}` expansion, lint
//! rules. Pure: no I/O.
//!
//! [`parse`] parses a file and leaves all words unexpanded. [`Lexer`] expands them, once the values
//! of variables are known. [`parse_and_lint`] reports findings to a [`Linter`]. The behaviour is
//! that of BuildKit v0.32's `frontend/dockerfile`.
//!
//! ```
//! use solvekit_core::dockerfile::{CommandLine, InstructionKind, parse};
//!
//! let dockerfile = parse(b"ARG TAG=3\nFROM alpine:$TAG\nCMD [\"sh\"]\n")?;
//! assert_eq!(dockerfile.global_args[0].args.variables[0].name, "TAG");
//! assert_eq!(dockerfile.stages[0].base, "alpine:$TAG");
//! let command = CommandLine::Exec(vec!["sh".into()]);
//! assert_eq!(dockerfile.stages[0].instructions[0].kind, InstructionKind::Cmd(command));
//! # Ok::<(), solvekit_core::dockerfile::ParseError>(())
//! ```

mod span;

mod ast;

mod instruction;

mod mount;

mod parse;

mod keyword;

mod heredoc;

mod csv;

mod lexer;

mod lint;

mod targets;

mod ignore;

mod error;

mod render;

#[doc(hidden)]
pub use csv::fields as csv_fields;
#[doc(hidden)]
pub use mount::go_bool;

pub use ast::{Directives, Dockerfile, GlobalArgs, Instruction, Stage};
pub use error::{DeviceProblem, ParseError, ParseErrorKind};
pub use heredoc::{chomp, parse_heredoc};
pub use ignore::parse_ignore;
pub use instruction::{
    AddInstruction, ArgInstruction, ArgVariable, CommandLine, CopyInstruction, EnvInstruction,
    ExposeInstruction, Healthcheck, HealthcheckInstruction, Heredoc, InlineFile, InstructionKind,
    KeyValue, LabelInstruction, OnbuildInstruction, RunDevice, RunInstruction, RunMount,
    RunNetwork, RunSecurity, Sources,
};
pub use lexer::{Environment, ExpandError, ExpandErrorReason, Expansion, Lexer, MAX_EXPANSION};
pub use lint::{Finding, LintConfig, LintConfigError, Linter, Place, Rule, RuleSet, Wording};
pub use mount::{CacheSharing, Mount, MountError, MountType, parse_mount};
pub use parse::{MAX_SIZE, Syntax, detect_syntax, is_utf16, parse, parse_and_lint, parse_trigger};
pub use render::{render_error, render_source};
pub use span::{Position, Range, Span};
pub use targets::Target;
