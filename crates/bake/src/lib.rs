//! Bake files to build targets, as `docker buildx bake` reads them.
//!
//! A bake file names build targets: in HCL, in JSON, or as a compose file. This crate reads such
//! files and answers with the targets that were asked for, resolved and typed. It does no I/O:
//! files, environment, clock and random numbers are handed in.
//!
//! The way of an evaluation: [`files`] → [`syntax`] (text to blocks and expressions) or [`compose`]
//! → the evaluation (expressions to values) → [`target`] (typed attributes, merged) → a [`Plan`].
//! The answer of `--print` and `--list` is written by [`mod@print`].

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod files;

mod limits;

pub mod diagnostic;

pub mod syntax;

pub mod value;

pub mod functions;

mod eval;

mod definition;

pub mod plan;

mod evaluate;

pub mod compose;

pub mod target;

pub mod print;

pub mod graph;

pub mod explain;

pub mod findings;

pub mod format;

pub mod remote;

pub mod filepath;

pub use diagnostic::{Diagnostic, Kind, Position, Span};
pub use evaluate::{Evaluation, Options, evaluate};
pub use files::{Environment, FileKind, FileReader, Host, InputFile, ReadError};
pub use plan::Plan;
pub use target::{Group, Target};
