//! Formats a graph in Graphviz's DOT language.

use std::fmt::Write as _;

use super::{Graph, NodeKind, Relation};

impl Graph {
    /// Returns the graph in the DOT language, with a newline at its end.
    pub fn dot(&self) -> String {
        let mut out = String::from("digraph bake {\n    rankdir=LR;\n");
        for (index, node) in self.nodes.iter().enumerate() {
            let shape = match node.kind {
                NodeKind::Group => "shape=oval",
                NodeKind::Target => "shape=box",
                NodeKind::Base => "shape=box, style=dashed",
                NodeKind::Dockerfile => "shape=note",
            };
            let name = escaped(&node.name);
            // Writing to a string cannot fail.
            let _ = writeln!(out, "    n{index} [label=\"{name}\", {shape}];");
        }
        for edge in &self.edges {
            let style = match edge.relation {
                Relation::Holds => "",
                Relation::Links => "style=bold",
                Relation::Inherits => "style=dashed, arrowhead=empty",
                Relation::Builds => "style=dotted, arrowhead=none",
            };
            let label = match (edge.label.as_str(), edge.relation) {
                ("", Relation::Inherits) => "label=\"inherits\"".to_owned(),
                ("", _) => String::new(),
                (label, _) => format!("label=\"{}\"", escaped(label)),
            };
            let parts: Vec<&str> = [label.as_str(), style]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect();
            let (from, to) = (edge.from, edge.to);
            let _ = match parts.is_empty() {
                true => writeln!(out, "    n{from} -> n{to};"),
                false => writeln!(out, "    n{from} -> n{to} [{}];", parts.join(", ")),
            };
        }
        out.push_str("}\n");
        out
    }
}

/// Escapes text between quotes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for symbol in text.chars() {
        match symbol {
            '"' | '\\' => out.extend(['\\', symbol]),
            _ if symbol.is_control() => out.push(' '),
            _ => out.push(symbol),
        }
    }
    out
}
