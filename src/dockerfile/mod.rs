//! Dockerfile text to spanned instructions; heredocs, flags, `${…}` expansion, lint rules. Pure: no I/O.

mod span;

mod ast;

mod instruction;

mod mount;

mod lexer;

pub use ast::{Directives, Dockerfile, GlobalArgs, Instruction, Stage};
pub use instruction::{
    AddInstruction, ArgInstruction, ArgVariable, CommandLine, CopyInstruction, EnvInstruction,
    ExposeInstruction, Healthcheck, HealthcheckInstruction, Heredoc, InlineFile, InstructionKind,
    KeyValue, LabelInstruction, OnbuildInstruction, RunDevice, RunInstruction, RunMount,
    RunNetwork, RunSecurity, Sources,
};
pub use lexer::{Environment, ExpandError, ExpandErrorReason, Expansion, Lexer, MAX_EXPANSION};
pub use mount::{CacheSharing, Mount, MountType};
pub use span::{Position, Range, Span};
