//! Expressions that are parsed but not evaluated: types, names of parameters.

use super::ast::{Call, Node};
use super::range::Range;

/// Returns the bare name, if `node` is one. `true`, `false` and `null` are names here.
pub fn keyword(node: &Node) -> Option<&str> {
    use crate::value::Value;
    match node {
        Node::Reference(reference) if reference.steps.is_empty() => Some(&reference.root),
        Node::Literal(Value::Null(_), _) => Some("null"),
        Node::Literal(Value::Bool(true), _) => Some("true"),
        Node::Literal(Value::Bool(false), _) => Some("false"),
        Node::JsonString(string) => match string.expression()? {
            node @ Node::Reference(_) => keyword(node),
            Node::Literal(Value::Null(_) | Value::Bool(_), _) => Some(&string.text),
            _ => None,
        },
        _ => None,
    }
}

/// A call that is inspected, not evaluated.
pub type StaticCall<'a> = &'a Call;

/// Returns the call, if `node` is one.
pub fn call(node: &Node) -> Option<StaticCall<'_>> {
    match node {
        Node::Call(call) => Some(call),
        Node::JsonString(string) => match string.expression()? {
            Node::Call(call) => Some(call),
            _ => None,
        },
        _ => None,
    }
}

/// A list whose items are inspected, not evaluated.
pub type StaticList<'a> = &'a [Node];

/// Returns the list, if `node` is one.
pub fn list(node: &Node) -> Option<StaticList<'_>> {
    match node {
        Node::Tuple(nodes, _) => Some(nodes),
        _ => None,
    }
}

/// Returns the pairs of an object: the key if it is a bare name, its range, and the value.
pub fn pairs(node: &Node) -> Option<Vec<(Option<&str>, Range, &Node)>> {
    match node {
        Node::Object(items, _) => Some(
            items
                .iter()
                .map(|item| (keyword(&item.key), item.key.range(), &item.value))
                .collect(),
        ),
        Node::JsonObject(items, _) => Some(
            items
                .iter()
                .map(|(name, value)| (Some(name.text.as_str()), name.range, value))
                .collect(),
        ),
        _ => None,
    }
}
