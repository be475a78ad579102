//! The YAML of compose files: values with their positions.
//!
//! `read` reads a file, with blanks that `correct` adds for the parser: `raw` has the nodes of the
//! parser's events, and `build` converts them to values, with anchors, merge keys and the compose
//! tags `!reset` and `!override`. `scalar` determines the type of a plain scalar, as go-yaml does.

mod read;

mod build;
mod correct;
mod limits;
mod raw;
mod scalar;
mod value;

pub(super) use read::{Document, documents};
pub(super) use value::{Map, Node, Place, Value};
