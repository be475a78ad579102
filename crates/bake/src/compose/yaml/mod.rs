//! The YAML of compose files: values that know where they were written.
//!
//! `read` turns the events of the parser into nodes: anchors, merge keys and the compose tags
//! `!reset` and `!override`. `scalar` decides what a plain scalar is, as go-yaml does.

mod read;
mod scalar;
mod value;

pub(super) use read::{Document, documents};
pub(super) use value::{Map, Node, Place, Value};
