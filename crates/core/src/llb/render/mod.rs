//! Graphs as text: a tree for people, dot and mermaid for drawing programs. Pure.

mod dot;
mod graph;
mod mermaid;
mod tree;

use super::Definition;

/// Renders several graphs with their titles, usually platforms, as a tree of stages and steps.
///
/// Each step has its name and the first twelve digits of its digest; its inputs are listed below
/// it. `width` is the number of columns of a line, at least 40.
pub fn tree(graphs: &[(String, &Definition)], width: usize) -> String {
    tree::render(graphs, width.max(40))
}

/// Renders several graphs as one drawing in Graphviz's DOT language.
pub fn dot(graphs: &[(String, &Definition)]) -> String {
    dot::render(graphs)
}

/// Renders several graphs as one flowchart in Mermaid's language, which many forges render.
pub fn mermaid(graphs: &[(String, &Definition)]) -> String {
    mermaid::render(graphs)
}

#[cfg(test)]
mod tests;
