//! Ranges of expressions: the whole range, and the range that errors point to.

use super::ast::{Call, Expression, Node};
use super::range::Range;
use crate::diagnostic::Span;

impl Node {
    /// Returns the range of the whole expression.
    pub fn range(&self) -> Range {
        match self {
            Self::Literal(_, range)
            | Self::Relative(_, _, range)
            | Self::Element(range)
            | Self::Template(_, range)
            | Self::Wrapped(_, range)
            | Self::Parentheses(_, range) => *range,
            Self::Reference(reference) => reference.range,
            Self::Call(call) => call.range(),
            Self::Conditional(conditional) => conditional.range,
            Self::Index(index) => index.range,
            Self::Tuple(_, brackets)
            | Self::Object(_, brackets)
            | Self::JsonObject(_, brackets) => brackets.range,
            Self::For(each) => each.brackets.range,
            Self::Splat(splat) => splat.range,
            Self::Joined(each) => each.range(),
            Self::Binary(binary) => binary.range,
            Self::Unary(unary) => unary.range,
            Self::JsonString(string) => string.range,
        }
    }

    /// Returns the range for errors about the expression's value: usually its first token.
    pub fn start_range(&self) -> Range {
        match self {
            Self::Call(call) => call.name_range.to(call.open),
            Self::Conditional(conditional) => conditional.condition.start_range(),
            Self::Index(index) => index.open,
            Self::Tuple(_, brackets)
            | Self::Object(_, brackets)
            | Self::JsonObject(_, brackets) => brackets.open,
            Self::For(each) => each.brackets.open,
            Self::Splat(splat) => splat.marker,
            Self::Template(parts, range) => parts.first().map_or(*range, Self::start_range),
            Self::Joined(each) => each.start_range(),
            Self::Binary(binary) => binary.left.start_range(),
            Self::Unary(unary) => unary.symbol,
            Self::Parentheses(inner, _) => inner.start_range(),
            _ => self.range(),
        }
    }
}

impl Call {
    /// Returns the range from the name to the closing parenthesis.
    pub fn range(&self) -> Range {
        self.name_range.to(self.close)
    }
}

impl Expression {
    /// Returns the span of the whole expression.
    pub fn span(&self) -> Span {
        self.node.range().within(&self.file)
    }

    /// Returns the span for errors about the expression's value.
    pub fn start_span(&self) -> Span {
        self.node.start_range().within(&self.file)
    }
}
