//! The finished part of the graph of a failed build.

use std::collections::{BTreeSet, HashMap};

use prost::Message;

use super::Error;
use super::defined::{Made, protobuf};
use super::definition::Definition;
use super::marshal::MarshalOptions;
use super::metadata::Constraints;
use super::state::State;
use crate::proto::pb;

impl Definition {
    /// Returns graphs that end with the last steps that have a result. Together they contain every
    /// step for which `has_result` is true, and the dependencies of these steps. Sources alone are
    /// omitted. The steps may take their results from the cache, even if this graph ignores it.
    ///
    /// # Errors
    /// [`Error::InvalidDefinition`] if an op cannot be decoded, or needs a missing one.
    pub fn finished(&self, has_result: impl Fn(&str) -> bool) -> Result<Vec<Self>, Error> {
        let mut made = Made::default();
        // The outputs that other steps use, by digest.
        let mut taken: HashMap<String, BTreeSet<i64>> = HashMap::new();
        let mut last: Vec<&str> = Vec::new();
        let mut used: BTreeSet<String> = BTreeSet::new();
        for vertex in self.vertices() {
            let mut constraints = Constraints {
                metadata: vertex.metadata().clone(),
                locations: vertex.locations().to_vec(),
                ..Constraints::default()
            };
            constraints.metadata.ignore_cache = false;
            let digest = vertex.digest_str();
            made.add(digest, vertex.op(), vertex.caps(), constraints)?;
            let op = pb::Op::decode(vertex.op().clone()).map_err(protobuf)?;
            let is_step = !matches!(op.op, Some(pb::op::Op::Source(_)) | None);
            let is_finished = is_step && has_result(digest);
            for input in op.inputs {
                taken
                    .entry(input.digest.clone())
                    .or_default()
                    .insert(input.index);
                if is_finished {
                    used.insert(input.digest);
                }
            }
            if is_finished {
                last.push(digest);
            }
        }
        if let Some(terminal) = self.terminal() {
            let op = pb::Op::decode(terminal.op.clone()).map_err(protobuf)?;
            for input in op.inputs {
                taken.entry(input.digest).or_default().insert(input.index);
            }
        }
        let last = last.into_iter().filter(|digest| !used.contains(*digest));
        let outputs = last.flat_map(|digest| {
            let indexes = taken.remove(digest).unwrap_or_default();
            indexes.into_iter().map(move |index| (digest, index))
        });
        let graphs = outputs.map(|(digest, index)| {
            let output = made.output(digest, index)?;
            State::on(output).marshal(&MarshalOptions::default())
        });
        graphs.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llb::{Copy, Exec, File, Local, local};

    fn run(state: &State, command: &str) -> State {
        let exec = Exec::new(["sh", "-c", command]);
        let options = Constraints::new()
            .named(command.to_owned())
            .ignoring_cache(true);
        state.run(exec.constraints(options)).root()
    }

    fn names(graph: &Definition) -> Vec<String> {
        let named = |vertex: &crate::llb::DefinedVertex| {
            assert!(!vertex.metadata().ignore_cache);
            vertex.metadata().name().unwrap_or_default().to_owned()
        };
        graph.vertices().iter().map(named).collect()
    }

    /// Two branches `a1 a2` and `b1 b2` of a context, merged.
    fn graph() -> Definition {
        let context = local(
            "context",
            &Local::default(),
            Constraints::new().named("context"),
        );
        let (a, b) = (
            run(&run(&context, "a1"), "a2"),
            run(&run(&context, "b1"), "b2"),
        );
        let both = a.file(
            File::new().copy(&b, "/b", "/b", Copy::default()),
            Constraints::new().named("both"),
        );
        both.marshal(&MarshalOptions::default()).unwrap()
    }

    fn finished(done: &[&str]) -> Vec<Vec<String>> {
        let graph = graph();
        let digests: Vec<&str> = graph
            .vertices()
            .iter()
            .filter(|vertex| done.contains(&vertex.metadata().name().unwrap_or_default()))
            .map(|vertex| vertex.digest_str())
            .collect();
        let parts = graph.finished(|digest| digests.contains(&digest)).unwrap();
        parts.iter().map(names).collect()
    }

    #[test]
    fn each_branch_ends_where_it_failed() {
        assert_eq!(
            finished(&["context", "a1", "b1", "b2"]),
            [vec!["context", "a1"], vec!["context", "b1", "b2"]]
        );
    }

    #[test]
    fn what_a_cached_step_needs_is_there_although_nobody_reported_it() {
        assert_eq!(finished(&["a2"]), [["context", "a1", "a2"]]);
    }

    #[test]
    fn sources_alone_are_nothing() {
        assert!(finished(&["context"]).is_empty());
        assert!(finished(&[]).is_empty());
        assert!(Definition::default().finished(|_| true).unwrap().is_empty());
    }

    #[test]
    fn a_graph_that_is_done_is_one_part_with_the_same_steps() {
        let parts = graph().finished(|_| true).unwrap();
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].head(), graph().head());
        assert_eq!(parts[0].vertices().len(), graph().vertices().len());
    }
}
