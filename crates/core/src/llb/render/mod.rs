//! Graphs as text: a tree for people, dot and mermaid for drawing programs. Pure.

mod dot;
mod graph;
mod mermaid;
mod tree;

use super::Definition;

/// Several graphs with their titles, usually platforms, as a tree of stages and steps.
///
/// Each step has its name and the first twelve digits of its digest; below stands what it reads.
/// `width` is the number of columns of a line, at least 40.
pub fn tree(graphs: &[(String, &Definition)], width: usize) -> String {
    tree::render(graphs, width.max(40))
}

/// Several graphs as one drawing in the DOT language of Graphviz.
pub fn dot(graphs: &[(String, &Definition)]) -> String {
    dot::render(graphs)
}

/// Several graphs as one flowchart in Mermaid's language, which many forges draw.
pub fn mermaid(graphs: &[(String, &Definition)]) -> String {
    mermaid::render(graphs)
}

#[cfg(test)]
mod tests;
