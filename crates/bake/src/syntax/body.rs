//! Bodies and blocks of both syntaxes.

use std::sync::Arc;

use super::ast::Attribute;
use super::range::Range;
use crate::diagnostic::Span;

/// The content of a file or a block.
#[derive(Debug, Default)]
pub struct Body {
    /// Attributes, in the order of the file.
    pub attributes: Vec<Attribute>,
    /// Blocks, in the order of the file.
    pub blocks: Vec<Block>,
}

/// A block: `target "app" { … }`.
#[derive(Debug)]
pub struct Block {
    /// The file's name.
    pub file: Arc<str>,
    /// The first word.
    pub kind: String,
    /// The range of the first word.
    pub kind_range: Range,
    /// The labels with their ranges.
    pub labels: Vec<(String, Range)>,
    /// The range of the opening brace.
    pub open: Range,
    /// The range for errors about missing parts of the body.
    pub missing: Range,
    /// The content.
    pub body: Body,
}

impl Body {
    /// Returns the attribute named `name`.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
    }
}

impl Block {
    /// Returns the name of the block: its first label.
    pub fn name(&self) -> &str {
        self.labels.first().map_or("", |(label, _)| label)
    }

    /// Returns the span of the first label.
    pub fn name_span(&self) -> Span {
        let range = self.labels.first().map_or(self.open, |(_, range)| *range);
        range.within(&self.file)
    }
}
