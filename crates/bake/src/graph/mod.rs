//! The graph of groups and targets, to be drawn: members, links, inheritance, shared Dockerfiles.
//!
//! It is computed from a plan, and written as Mermaid or as DOT. Nothing is read: which stages two
//! targets share is known as far as they build from the same Dockerfile in the same context.

mod collect;

mod dot;

mod mermaid;

#[cfg(test)]
mod tests;

pub use collect::graph;

/// Groups and targets, and what they have to do with each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Graph {
    /// Groups, targets and Dockerfiles; edges name them by their index.
    pub nodes: Vec<Node>,
    /// What connects them.
    pub edges: Vec<Edge>,
}

/// A group, a target or a Dockerfile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Its name; for a Dockerfile, its path.
    pub name: String,
}

/// What a node of the graph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeKind {
    /// A group.
    Group,
    /// A target that is built.
    Target,
    /// A target that is not built itself: others inherit from it.
    Base,
    /// A Dockerfile that several targets build from.
    Dockerfile,
}

/// A connection between two nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The index of the node that has the connection.
    pub from: usize,
    /// The index of the node that it leads to.
    pub to: usize,
    /// What the connection is.
    pub relation: Relation,
    /// The named context of a link, or the stage of a Dockerfile; empty if there is none.
    pub label: String,
}

/// What connects two nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// A group holds a target or another group.
    Holds,
    /// A target uses the result of another one: `contexts = { base = "target:base" }`.
    Links,
    /// A target takes over the attributes of another one.
    Inherits,
    /// A target builds a stage of a Dockerfile.
    Builds,
}
