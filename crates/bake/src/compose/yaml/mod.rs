//! The YAML of compose files: values with their positions.
//!
//! `read` converts the parser's events to nodes: anchors, merge keys and the compose tags `!reset`
//! and `!override`. `scalar` determines the type of a plain scalar, as go-yaml does.

mod read;
mod scalar;
mod value;

pub(super) use read::{Document, documents};
pub(super) use value::{Map, Node, Place, Value};
