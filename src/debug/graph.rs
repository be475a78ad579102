//! A graph with its ops decoded.

use std::collections::HashMap;
use std::sync::Arc;

use prost::Message as _;

use crate::client::AnswerProblem;
use crate::gateway::Error;
use crate::llb::{DefinedVertex, Definition, Range, SourceFile};
use crate::proto::pb;

/// The metadata keys with a step's name.
const NAMES: [&str; 2] = ["llb.customname", "com.docker.dockerfile.v1.command"];

/// A graph with its decoded ops, by their digests.
#[derive(Debug)]
pub(super) struct Graph {
    definition: Definition,
    nodes: HashMap<String, Node>,
}

/// An op.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) op: pb::Op,
    pub(super) name: String,
    pub(super) places: Vec<Place>,
}

/// A place in a source file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Place {
    /// The file.
    pub file: Arc<SourceFile>,
    /// The lines.
    pub range: Range,
}

impl Graph {
    pub(super) fn new(definition: &Definition) -> Self {
        let vertices = definition.vertices().iter();
        let nodes = vertices.map(|vertex| (vertex.digest_str().to_owned(), Node::new(vertex)));
        Self {
            nodes: nodes.collect(),
            definition: definition.clone(),
        }
    }

    pub(super) fn node(&self, digest: &str) -> Option<&Node> {
        self.nodes.get(digest)
    }

    /// An op with its digest, both borrowed from the graph.
    pub(super) fn entry(&self, digest: &str) -> Option<(&str, &Node)> {
        let entry = self.nodes.get_key_value(digest);
        entry.map(|(digest, node)| (digest.as_str(), node))
    }

    pub(super) fn head(&self) -> Option<&str> {
        self.definition.head_str()
    }

    /// The first place of each step, with the step's digest.
    pub(super) fn places(&self) -> impl Iterator<Item = (&str, &Place)> {
        let nodes = self.nodes.iter();
        nodes.flat_map(|(digest, node)| node.places.iter().map(|place| (digest.as_str(), place)))
    }

    /// The graph that makes an input of a step.
    pub(super) fn of_input(&self, input: &pb::Input) -> Result<Definition, Error> {
        let mut message = self.definition.to_proto();
        let terminal = pb::Op {
            inputs: vec![input.clone()],
            ..Default::default()
        };
        if let Some(last) = message.def.last_mut() {
            *last = terminal.encode_to_vec().into();
        }
        Definition::from_proto(message).map_err(|source| {
            let name = "the graph of a step".to_owned();
            Error::invalid("solving", AnswerProblem::Input { name, source })
        })
    }

    /// The source files of the graph's steps.
    pub(super) fn files(&self) -> Vec<Arc<SourceFile>> {
        let mut files: Vec<Arc<SourceFile>> = Vec::new();
        for vertex in self.definition.vertices() {
            for location in vertex.locations() {
                if !files.iter().any(|file| Arc::ptr_eq(file, &location.file)) {
                    files.push(Arc::clone(&location.file));
                }
            }
        }
        files
    }
}

impl Node {
    fn new(vertex: &DefinedVertex) -> Self {
        let names = vertex.metadata().description();
        let names: HashMap<&str, &str> = names.collect();
        let name = NAMES.iter().find_map(|key| names.get(key));
        let places = vertex.locations().iter().flat_map(|location| {
            let ranges = location.ranges.iter();
            ranges.map(|range| Place {
                file: Arc::clone(&location.file),
                range: *range,
            })
        });
        Self {
            // This program's own ops always decode; others are rejected by the daemon.
            op: pb::Op::decode(vertex.op().clone()).unwrap_or_default(),
            name: name.map(|name| (*name).to_owned()).unwrap_or_default(),
            places: places.collect(),
        }
    }

    /// The index of the input that the step modifies.
    pub(super) fn parent(&self) -> Option<usize> {
        let count = self.op.inputs.len();
        let input = match self.op.op.as_ref()? {
            pb::op::Op::Exec(exec) => exec.mounts.iter().find(|it| it.dest == "/")?.input,
            pb::op::Op::File(file) => {
                let mut inputs = file.actions.iter().map(|action| action.input);
                inputs.find(|input| usize::try_from(*input).is_ok_and(|it| it < count))?
            }
            _ => 0,
        };
        usize::try_from(input).ok().filter(|input| *input < count)
    }

    pub(super) fn exec(&self) -> Option<&pb::ExecOp> {
        match self.op.op.as_ref()? {
            pb::op::Op::Exec(exec) => Some(exec),
            _ => None,
        }
    }
}
