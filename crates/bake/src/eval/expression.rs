//! The evaluator: one method per kind of node; the simple ones are here.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::scope::{Globals, Scope};
use crate::diagnostic::{Diagnostic, Kind};
use crate::syntax::ast::{BinaryOperator, Item, Node, Step};
use crate::syntax::statics::keyword;
use crate::syntax::{JsonString, Range};
use crate::value::{Type, Value, convert};

/// Evaluates nodes of one file.
#[derive(Clone, Copy)]
pub(super) struct Evaluator<'a> {
    pub(super) file: &'a Arc<str>,
    pub(super) scope: Scope<'a>,
    /// The current element of the enclosing splat.
    pub(super) element: Option<&'a Value>,
}

impl<'a> Evaluator<'a> {
    /// Returns an evaluator for nodes of `file` in `scope`.
    pub(super) fn new(file: &'a Arc<str>, scope: Scope<'a>) -> Self {
        Self {
            file,
            scope,
            element: None,
        }
    }

    /// Returns the globals of the evaluation.
    pub(super) fn globals(&self) -> &'a Globals<'a> {
        self.scope.globals
    }

    /// Returns an error at `range`.
    pub(super) fn error(&self, kind: Kind, range: Range, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(kind, message).at(range.within(self.file))
    }

    /// Returns an error at `range` as a result.
    pub(super) fn fail<T>(
        &self,
        kind: Kind,
        range: Range,
        message: impl Into<String>,
    ) -> Result<T, Diagnostic> {
        Err(self.error(kind, range, message))
    }

    /// Counts a new value, of which `bytes` are new, and returns it.
    pub(super) fn made(&self, value: Value, bytes: usize, at: Range) -> Result<Value, Diagnostic> {
        self.globals()
            .charge(&value, bytes as u64)
            .map_err(|error| error.or_at(&at.within(self.file)))?;
        Ok(value)
    }

    /// Returns the value of a node.
    pub(super) fn node(&self, node: &Node) -> Result<Value, Diagnostic> {
        let before = self.count(node)?;
        let value = self.inner_node(node);
        self.globals().leave(before);
        value
    }

    /// Counts a node and one more level of nesting. Returns the previous depth.
    fn count(&self, node: &Node) -> Result<u32, Diagnostic> {
        let globals = self.globals();
        let counted = globals.spend(1).and_then(|()| globals.enter(1));
        counted.map_err(|error| error.or_at(&node.range().within(self.file)))
    }

    /// Returns the value of a counted node.
    fn inner_node(&self, node: &Node) -> Result<Value, Diagnostic> {
        match node {
            Node::Literal(value, _) => Ok(value.clone()),
            Node::Reference(reference) => self.reference(reference),
            Node::Relative(source, steps, _) => self.relative(source, steps),
            Node::Call(call) => self.call(call),
            Node::Conditional(conditional) => self.conditional(conditional),
            Node::Index(index) => self.index_node(index),
            Node::Tuple(nodes, brackets) => self.tuple(nodes, brackets.open),
            Node::Object(items, brackets) => self.object(items, brackets.open),
            Node::For(each) => self.for_node(each),
            Node::Splat(splat) => self.splat(splat),
            Node::Element(range) => self.splat_element(*range),
            Node::Template(parts, range) => self.template(parts, *range),
            Node::Joined(each) => self.joined(each),
            Node::Binary(binary) => self.binary(binary),
            Node::Unary(unary) => self.unary(unary),
            Node::Wrapped(inner, _) | Node::Parentheses(inner, _) => self.node(inner),
            Node::JsonString(string) => self.json_string(string),
            Node::JsonObject(items, brackets) => self.json_object(items, brackets.open),
        }
    }

    /// Returns the value of `[a, b]`.
    fn tuple(&self, nodes: &[Node], open: Range) -> Result<Value, Diagnostic> {
        // A loop, because iterators use more stack, and nested lists need much of it.
        let mut items = Vec::with_capacity(nodes.len());
        for node in nodes {
            items.push(self.node(node)?);
        }
        let bytes = items.len() * size_of::<Value>();
        self.made(Value::tuple(items), bytes, open)
    }

    /// Applies `steps` to the value of a node.
    fn relative(&self, source: &Node, steps: &[Step]) -> Result<Value, Diagnostic> {
        self.steps(self.node(source)?, steps)
    }

    /// Returns the current element of the enclosing splat.
    fn splat_element(&self, range: Range) -> Result<Value, Diagnostic> {
        match self.element {
            Some(value) => Ok(value.clone()),
            None => self.fail(Kind::Expression, range, "a splat needs a list before it"),
        }
    }

    /// Converts `value` to `want`, or returns an error at `range` that starts with `what`.
    pub(super) fn convert(
        &self,
        value: &Value,
        want: &Type,
        range: Range,
        what: &str,
    ) -> Result<Value, Diagnostic> {
        convert(value, want)
            .map_err(|error| self.error(Kind::Type, range, format!("{what}: {error}")))
    }

    /// Returns the value of `{ a = 1 }`. A later key replaces an earlier one.
    fn object(&self, items: &[Item], open: Range) -> Result<Value, Diagnostic> {
        let mut entries = BTreeMap::new();
        let mut bytes = 0;
        for item in items {
            let key = self.key(item)?;
            let value = self.node(&item.value)?;
            if key.is_null() {
                return self.fail(Kind::Type, item.value.range(), "the key is null");
            }
            let what = "the key cannot be text";
            let key = self.convert(&key, &Type::String, item.key.range(), what)?;
            let key = key.as_str().unwrap_or_default().to_owned();
            bytes += key.len() + 2 * size_of::<Value>();
            entries.insert(key, value);
        }
        self.made(Value::object(entries), bytes, open)
    }

    /// Returns the value of a key: a bare name stands for itself.
    fn key(&self, item: &Item) -> Result<Value, Diagnostic> {
        if item.computed {
            return self.node(&item.key);
        }
        match &item.key {
            Node::Reference(reference) if !reference.steps.is_empty() => Err(self
                .error(
                    Kind::Expression,
                    reference.range,
                    "a key with a dot is ambiguous",
                )
                .hint("put it in quotes for a name, or in parentheses for a reference")),
            key => match keyword(key) {
                Some(name) if !matches!(key, Node::JsonString(_)) => Ok(Value::string(name)),
                _ => self.node(key),
            },
        }
    }

    /// Returns the value of a JSON string, which is a template.
    fn json_string(&self, string: &JsonString) -> Result<Value, Diagnostic> {
        match string.template() {
            Ok(template) => self.node(template),
            Err((range, message)) => self.fail(Kind::Syntax, range, message),
        }
    }

    /// Returns the value of a JSON object. Keys are templates, and must be unique.
    fn json_object(&self, items: &[(JsonString, Node)], open: Range) -> Result<Value, Diagnostic> {
        let mut entries = BTreeMap::new();
        let mut bytes = 0;
        for (name, node) in items {
            let key = self.json_string(name)?;
            let value = self.node(node)?;
            let key = self.convert(&key, &Type::String, name.range, "the key cannot be text")?;
            let Some(key) = key.as_str() else {
                return self.fail(Kind::Type, name.range, "the key is null");
            };
            if entries.contains_key(key) {
                let message = format!("the key {key:?} is given twice");
                return self.fail(Kind::Expression, name.range, message);
            }
            bytes += key.len() + 2 * size_of::<Value>();
            entries.insert(key.to_owned(), value);
        }
        self.made(Value::object(entries), bytes, open)
    }
}

/// Returns the type that a node has even if its evaluation fails.
pub(super) fn type_of_failed(node: &Node) -> Type {
    match node {
        Node::Template(..) | Node::Joined(_) => Type::String,
        Node::Parentheses(inner, _) | Node::Wrapped(inner, _) => type_of_failed(inner),
        Node::Tuple(nodes, _) => Type::tuple(vec![Type::Any; nodes.len()]),
        Node::Object(items, _) => {
            let names = items.iter().map(|item| match item.computed {
                true => None,
                false => keyword(&item.key),
            });
            let names: Option<Vec<&str>> = names.collect();
            let attributes = |names: Vec<&str>| {
                Type::object(names.into_iter().map(|name| (name.to_owned(), Type::Any)))
            };
            names.map_or(Type::Any, attributes)
        }
        Node::Binary(binary) => match binary.operator {
            BinaryOperator::Add
            | BinaryOperator::Subtract
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Remainder => Type::Number,
            _ => Type::Bool,
        },
        Node::Unary(unary) => match unary.operator {
            crate::syntax::ast::UnaryOperator::Negate => Type::Number,
            crate::syntax::ast::UnaryOperator::Not => Type::Bool,
        },
        _ => Type::Any,
    }
}
