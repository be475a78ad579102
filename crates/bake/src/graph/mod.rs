//! The graph of groups and targets, for drawing: members, links, inheritance, shared Dockerfiles.
//!
//! It is computed from a plan, and formatted as Mermaid or DOT. No files are read: shared stages
//! are known only for targets with the same Dockerfile in the same context.

mod collect;

mod dot;

mod mermaid;

#[cfg(test)]
mod tests;

pub use collect::graph;

/// Groups and targets, and their relations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Graph {
    /// Groups, targets and Dockerfiles; edges refer to them by index.
    pub nodes: Vec<Node>,
    /// The relations between nodes.
    pub edges: Vec<Edge>,
}

/// A group, a target or a Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The kind of node.
    pub kind: NodeKind,
    /// Its name; for a Dockerfile, its path.
    pub name: String,
}

/// The kind of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeKind {
    /// A group.
    Group,
    /// A target that is built.
    Target,
    /// A target that is not built itself: others inherit it.
    Base,
    /// A Dockerfile that several targets share.
    Dockerfile,
}

/// A relation between two nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The index of the first node.
    pub from: usize,
    /// The index of the second node.
    pub to: usize,
    /// The kind of relation.
    pub relation: Relation,
    /// The named context of a link, or the stage of a Dockerfile; empty if there is none.
    pub label: String,
}

/// The kind of a relation between two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// A group contains a target or another group.
    Holds,
    /// A target uses the result of another one: `contexts = { base = "target:base" }`.
    Links,
    /// A target inherits the attributes of another one.
    Inherits,
    /// A target builds a stage of a Dockerfile.
    Builds,
}
