//! Limits of a document, so that a small file cannot grow into a large one.

use super::value::Place;
use crate::diagnostic::{Diagnostic, Kind};

/// The most nodes of one document; the limit of compose-go.
pub(super) const NODES: usize = 100_000;
/// The most nodes of one document after its aliases are copied.
pub(super) const COPIES: usize = 400_000;
/// The most bytes of text of one document after its aliases are copied.
pub(super) const TEXT: usize = 64 << 20;
/// The deepest nesting.
pub(super) const DEPTH: usize = 200;

pub(super) fn exceeded(message: impl Into<String>, place: &Place) -> Diagnostic {
    Diagnostic::new(Kind::Limit, message).at(place.span())
}

pub(super) fn too_deep(place: &Place) -> Diagnostic {
    exceeded(
        format!("the document nests deeper than {DEPTH} levels"),
        place,
    )
}
