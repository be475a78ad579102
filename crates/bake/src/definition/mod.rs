//! Evaluates files to groups and targets.
//!
//! All HCL and JSON files are merged into one body. Its variables are evaluated first, then
//! functions, then groups and targets, each attribute on demand.

mod declarations;

mod interpreter;

mod load;

mod variables;

mod override_text;

mod validate;

mod functions;

mod matrix;

mod names;

mod blocks;

mod decode;

mod decode_text;

mod collect;

mod variable_info;

mod input;

mod sources;

mod rebase;

pub(crate) use decode::attribute_names;
pub(crate) use sources::{Named, Sources};

pub(crate) use input::{Declared, declare};
pub(crate) use rebase::rebased;
pub(crate) use variable_info::Variable;
