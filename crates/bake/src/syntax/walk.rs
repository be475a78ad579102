//! Collects the variables and functions of an expression.

use super::ast::{Item, Node, Reference};
use super::statics::keyword;

/// The names that an expression needs from outside, in the order of the text.
#[derive(Debug, Default)]
pub struct References<'a> {
    /// The called functions.
    pub functions: Vec<&'a str>,
    /// Variables, without those that the expression itself defines.
    pub variables: Vec<&'a Reference>,
}

/// Returns the names in `node`.
pub fn references(node: &Node) -> References<'_> {
    let mut walker = Walker::default();
    walker.visit(node);
    walker.found
}

/// A walk over an expression.
#[derive(Default)]
struct Walker<'a> {
    found: References<'a>,
    /// The names that enclosing `for` expressions define.
    local: Vec<&'a str>,
}

impl<'a> Walker<'a> {
    fn visit_all(&mut self, nodes: impl IntoIterator<Item = &'a Node>) {
        nodes.into_iter().for_each(|node| self.visit(node));
    }

    fn visit(&mut self, node: &'a Node) {
        match node {
            Node::Literal(..) | Node::Element(_) => {}
            Node::Reference(reference) => {
                if !self.local.contains(&reference.root.as_str()) {
                    self.found.variables.push(reference);
                }
            }
            Node::Relative(inner, _, _)
            | Node::Wrapped(inner, _)
            | Node::Joined(inner)
            | Node::Parentheses(inner, _) => self.visit(inner),
            Node::Call(call) => {
                self.found.functions.push(&call.name);
                self.visit_all(&call.arguments);
            }
            Node::Conditional(it) => self.visit_all([&it.condition, &it.yes, &it.no]),
            Node::Index(index) => self.visit_all([&index.collection, &index.key]),
            Node::Tuple(nodes, _) | Node::Template(nodes, _) => self.visit_all(nodes),
            Node::Object(items, _) => items.iter().for_each(|item| self.visit_item(item)),
            Node::For(each) => {
                self.visit(&each.collection);
                let outer = self.local.len();
                self.local.extend(each.key_name.as_deref());
                self.local.push(&each.value_name);
                self.visit_all(&each.key);
                self.visit(&each.value);
                self.visit_all(&each.condition);
                self.local.truncate(outer);
            }
            Node::Splat(splat) => self.visit_all([&splat.source, &splat.each]),
            Node::Binary(binary) => self.visit_all([&binary.left, &binary.right]),
            Node::Unary(unary) => self.visit(&unary.operand),
            Node::JsonString(string) => self.visit_json(string),
            Node::JsonObject(items, _) => {
                for (name, value) in items {
                    self.visit_json(name);
                    self.visit(value);
                }
            }
        }
    }

    /// A bare name as the key of an object is not a variable.
    fn visit_item(&mut self, item: &'a Item) {
        if keyword(&item.key).is_none() {
            self.visit(&item.key);
        }
        self.visit(&item.value);
    }

    /// Collects variables of the template in a JSON string, but functions only if the whole string
    /// is an expression, as in the reference.
    fn visit_json(&mut self, string: &'a super::JsonString) {
        let functions = self.found.functions.len();
        if let Ok(template) = string.template() {
            self.visit(template);
        }
        self.found.functions.truncate(functions);
        if let Some(expression) = string.expression() {
            self.found
                .functions
                .extend(references(expression).functions);
        }
    }
}
