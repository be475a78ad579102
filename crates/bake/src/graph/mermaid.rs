//! Formats a graph for Mermaid, which GitHub and GitLab render in Markdown.

use std::fmt::Write as _;

use super::{Graph, NodeKind, Relation};

impl Graph {
    /// Returns the graph as a Mermaid flowchart, with a newline at its end.
    pub fn mermaid(&self) -> String {
        let mut out = String::from("flowchart LR\n");
        for (index, node) in self.nodes.iter().enumerate() {
            let (open, close) = match node.kind {
                NodeKind::Group => ("([", "])"),
                NodeKind::Target => ("[", "]"),
                NodeKind::Base => ("[/", "/]"),
                NodeKind::Dockerfile => ("[(", ")]"),
            };
            let name = escaped(&node.name);
            // Writing to a string cannot fail.
            let _ = writeln!(out, "    n{index}{open}\"{name}\"{close}");
        }
        for edge in &self.edges {
            let (plain, start, end) = match edge.relation {
                Relation::Holds => ("-->", "--", "-->"),
                Relation::Links => ("==>", "==", "==>"),
                Relation::Inherits => ("-. inherits .->", "-.", ".->"),
                Relation::Builds => ("-.-", "-.", ".-"),
            };
            let (from, to) = (edge.from, edge.to);
            let _ = match edge.label.as_str() {
                "" => writeln!(out, "    n{from} {plain} n{to}"),
                label => writeln!(
                    out,
                    "    n{from} {start} \"{}\" {end} n{to}",
                    escaped(label)
                ),
            };
        }
        out
    }
}

/// Escapes text between quotes: characters that are markup in Mermaid, Markdown or HTML become
/// character codes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for symbol in text.chars() {
        let plain = symbol.is_alphanumeric() || " ._-/:@+=,".contains(symbol);
        if plain {
            out.push(symbol);
        } else if symbol.is_control() {
            out.push(' ');
        } else {
            let _ = write!(out, "#{};", u32::from(symbol));
        }
    }
    out
}
