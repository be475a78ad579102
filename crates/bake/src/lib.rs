//! Evaluates bake files to build targets, like `docker buildx bake`.
//!
//! A bake file declares build targets in HCL, in JSON, or as a compose file. This crate parses such
//! files and returns the requested targets, resolved and typed. It does no I/O: the caller provides
//! files, environment, clock and random numbers.
//!
//! The steps of an evaluation: [`files`] → [`syntax`] (text to blocks and expressions) or
//! [`compose`] → evaluation (expressions to values) → [`target`] (typed attributes, merged) → a
//! [`Plan`]. [`mod@print`] formats the output of `--print` and `--list`.

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
pub use files::{Environment, FileKind, FileReader, Host, InputFile, Isolated, ReadError};
pub use plan::Plan;
pub use target::{Group, Target};
