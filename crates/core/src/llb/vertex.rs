//! The nodes of the graph. A vertex is immutable, except that a deferred one is resolved once.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use super::defined::DefinedOp;
use super::exec::ExecOp;
use super::file::FileOp;
use super::metadata::Constraints;
use super::source::SourceOp;

/// One output of a vertex: the file system of a state.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    pub(super) vertex: Arc<Vertex>,
    pub(super) index: i64,
}

impl Output {
    /// Returns another output of the vertex.
    pub(super) fn at(&self, index: i64) -> Self {
        Self {
            vertex: self.vertex.clone(),
            index,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Vertex {
    pub(super) kind: Kind,
    pub(super) constraints: Constraints,
}

#[derive(Debug)]
pub(super) enum Kind {
    Source(SourceOp),
    Exec(Box<ExecOp>),
    File(FileOp),
    Merge(Vec<Output>),
    Diff {
        lower: Option<Output>,
        upper: Option<Output>,
    },
    Passthrough {
        id: String,
        inputs: Vec<Output>,
        /// The inputs that are outputs too.
        outputs: Vec<usize>,
    },
    /// From a definition that came from elsewhere.
    Defined(DefinedOp),
    /// A placeholder for an output that is resolved later.
    Deferred(OnceLock<Output>),
}

impl Vertex {
    pub(super) fn output(kind: Kind, constraints: Constraints) -> Output {
        Output {
            vertex: Arc::new(Self { kind, constraints }),
            index: 0,
        }
    }

    /// Returns the `at`-th input in the reference's walking order, which decides the order of a
    /// definition: an exec's mounts by target; of a file op the base, then the copy sources from
    /// the last action to the first. `Some(None)` is an input that is scratch.
    pub(super) fn input(&self, at: usize) -> Option<Option<&Output>> {
        match &self.kind {
            Kind::Source(_) => None,
            Kind::Exec(exec) => exec.mounts.get(at).map(|mount| mount.source.as_ref()),
            Kind::File(file) => match at.checked_sub(1) {
                None => Some(file.base.as_ref()),
                Some(back) => {
                    let step = file.steps.len().checked_sub(back + 1)?;
                    Some(file.steps[step].source())
                }
            },
            Kind::Merge(inputs) | Kind::Passthrough { inputs, .. } => inputs.get(at).map(Some),
            Kind::Defined(defined) => defined.inputs.get(at).map(Some),
            Kind::Diff { lower, upper } => [lower, upper].get(at).map(|side| side.as_ref()),
            Kind::Deferred(output) => (at == 0).then(|| output.get()),
        }
    }

    /// Returns identifier and attributes if it is a source.
    pub(super) fn source(&self) -> Option<(String, BTreeMap<String, String>)> {
        match &self.kind {
            Kind::Source(source) => {
                let attributes = source.attributes.iter();
                let attributes =
                    attributes.map(|(key, value)| (key.clone().into_owned(), value.clone()));
                Some((source.identifier.clone(), attributes.collect()))
            }
            Kind::Defined(defined) => defined.source(),
            _ => None,
        }
    }

    fn take_inputs(&mut self, taken: &mut Vec<Output>) {
        match &mut self.kind {
            Kind::Source(_) => {}
            Kind::Exec(exec) => taken.extend(
                exec.mounts
                    .iter_mut()
                    .filter_map(|mount| mount.source.take()),
            ),
            Kind::File(file) => {
                taken.extend(file.base.take());
                taken.extend(file.steps.iter_mut().filter_map(|step| step.take_source()));
            }
            Kind::Merge(inputs) | Kind::Passthrough { inputs, .. } => taken.append(inputs),
            Kind::Defined(defined) => taken.append(&mut defined.inputs),
            Kind::Diff { lower, upper } => {
                taken.extend(lower.take().into_iter().chain(upper.take()))
            }
            Kind::Deferred(output) => taken.extend(output.take()),
        }
    }
}

impl Drop for Vertex {
    /// Takes long chains apart in a loop: recursion would overflow the stack.
    fn drop(&mut self) {
        let mut inputs = Vec::new();
        self.take_inputs(&mut inputs);
        while let Some(output) = inputs.pop() {
            if let Some(mut vertex) = Arc::into_inner(output.vertex) {
                vertex.take_inputs(&mut inputs);
            }
        }
    }
}
