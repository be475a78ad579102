//! Definitions from elsewhere: decoded into a graph, and marshalled again byte for byte.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;
use prost::Message;

use super::caps::{Cap, CapSet};
use super::definition::{DefinedVertex, Definition, DigestText, Terminal};
use super::marshal::sha256;
use super::metadata::{
    Constraints, LinuxResources, Location, Metadata, Position, ProgressGroup, Range, SourceFile,
};
use super::state::State;
use super::vertex::{Kind, Output, Vertex};
use super::{DefinitionProblem, Error};
use crate::proto::pb;

/// An op that keeps its original bytes: decoding and encoding it could change its digest.
#[derive(Debug)]
pub(super) struct DefinedOp {
    pub(super) op: Bytes,
    pub(super) caps: CapSet,
    pub(super) inputs: Vec<Output>,
}

impl DefinedOp {
    /// Returns identifier and attributes if it is a source.
    pub(super) fn source(&self) -> Option<(String, BTreeMap<String, String>)> {
        match pb::Op::decode(self.op.clone()).ok()?.op? {
            pb::op::Op::Source(source) => Some((source.identifier, source.attrs)),
            _ => None,
        }
    }
}

impl Definition {
    /// Decodes a marshalled `pb.Definition`.
    ///
    /// # Errors
    /// [`Error::InvalidDefinition`] if the bytes are something else, or the last op does not name a
    /// result.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let definition = pb::Definition::decode(bytes).map_err(protobuf)?;
        Self::from_proto(definition)
    }

    /// Converts a protobuf message.
    ///
    /// # Errors
    /// [`Error::InvalidDefinition`] if the message is not a valid definition.
    #[doc(hidden)]
    pub fn from_proto(found: pb::Definition) -> Result<Self, Error> {
        let mut ops = found.def;
        let Some(last) = ops.pop() else {
            return Ok(Self::default());
        };
        let terminal_inputs = inputs(&last)?;
        if terminal_inputs.len() != 1 {
            return Err(Error::InvalidDefinition(DefinitionProblem::NoResult));
        }
        let mut metadata: HashMap<String, pb::OpMetadata> = found
            .metadata
            .into_iter()
            .filter_map(|entry| Some((entry.key, entry.value?)))
            .collect();
        let mut locations = locations(found.source.unwrap_or_default())?;
        let mut made = Made::default();
        let mut vertices = Vec::with_capacity(ops.len());
        for op in ops {
            let hash = sha256(&op);
            let digest = DigestText::new(hash);
            let (metadata, caps) = metadata
                .remove(digest.as_str())
                .map(read_metadata)
                .unwrap_or_default();
            let constraints = Constraints {
                metadata,
                locations: locations.remove(digest.as_str()).unwrap_or_default(),
                ..Constraints::default()
            };
            let vertex = made.add(digest.as_str(), &op, caps, constraints)?;
            let mut defined = DefinedVertex::new(hash, vertex, caps);
            defined.op = op;
            vertices.push(defined);
        }
        made.outputs(&last)?;
        let digest = DigestText::new(sha256(&last));
        let caps = metadata.remove(digest.as_str()).map(read_metadata);
        let terminal = Terminal {
            digest,
            op: last,
            caps: caps.map(|(_, caps)| caps).unwrap_or_default(),
        };
        Ok(Self::new(vertices, terminal))
    }
}

impl State {
    /// Returns the file system of a definition, for use in another graph.
    ///
    /// # Errors
    /// [`Error::InvalidDefinition`] if an op needs another one that is missing or comes later.
    pub fn from_definition(definition: &Definition) -> Result<Self, Error> {
        let Some(terminal) = definition.terminal() else {
            return Ok(Self::scratch());
        };
        let mut made = Made::default();
        for vertex in definition.vertices() {
            let constraints = Constraints {
                metadata: vertex.metadata().clone(),
                locations: vertex.locations().to_vec(),
                ..Constraints::default()
            };
            made.add(vertex.digest_str(), &vertex.op, vertex.caps(), constraints)?;
        }
        let result = made.outputs(&terminal.op)?.pop();
        Ok(result.map_or_else(Self::scratch, Self::on))
    }
}

/// Vertices by digest.
#[derive(Default)]
pub(super) struct Made(HashMap<String, Arc<Vertex>>);

impl Made {
    pub(super) fn add(
        &mut self,
        digest: &str,
        op: &Bytes,
        caps: CapSet,
        constraints: Constraints,
    ) -> Result<Arc<Vertex>, Error> {
        let op = DefinedOp {
            op: op.clone(),
            caps,
            inputs: self.outputs(op)?,
        };
        let vertex = Vertex::output(Kind::Defined(op), constraints).vertex;
        self.0.insert(digest.to_owned(), vertex.clone());
        Ok(vertex)
    }

    fn outputs(&self, op: &Bytes) -> Result<Vec<Output>, Error> {
        let find = |input: pb::Input| self.output(&input.digest, input.index);
        inputs(op)?.into_iter().map(find).collect()
    }

    pub(super) fn output(&self, digest: &str, index: i64) -> Result<Output, Error> {
        let vertex = self.0.get(digest).cloned();
        let missing = || {
            Error::InvalidDefinition(DefinitionProblem::UnknownOp {
                digest: digest.to_owned(),
            })
        };
        Ok(Output {
            vertex: vertex.ok_or_else(missing)?,
            index,
        })
    }
}

pub(super) fn protobuf(error: prost::DecodeError) -> Error {
    Error::InvalidDefinition(DefinitionProblem::Protobuf(error))
}

fn inputs(op: &Bytes) -> Result<Vec<pb::Input>, Error> {
    let op = pb::Op::decode(op.clone()).map_err(protobuf)?;
    Ok(op.inputs)
}

fn read_metadata(found: pb::OpMetadata) -> (Metadata, CapSet) {
    let mut metadata = Metadata::default();
    metadata.ignore_cache = found.ignore_cache;
    metadata.export_cache = found.export_cache.map(|export| export.value);
    metadata.progress_group = found.progress_group.map(|group| ProgressGroup {
        id: group.id.into(),
        name: group.name.into(),
        weak: group.weak,
    });
    metadata.linux_resources = found.linux_resources.map(|limits| {
        Arc::new(LinuxResources {
            memory: limits.memory,
            memory_swap: limits.memory_swap,
            cpu_shares: limits.cpu_shares,
            cpu_period: limits.cpu_period,
            cpu_quota: limits.cpu_quota,
            cpuset_cpus: limits.cpuset_cpus,
            cpuset_mems: limits.cpuset_mems,
        })
    });
    for (key, value) in found.description {
        metadata.describe(key, value);
    }
    let caps = found.caps.into_iter().filter(|(_, needed)| *needed);
    let caps = caps.filter_map(|(name, _)| Cap::from_name(&name)).collect();
    (metadata, caps)
}

/// Returns the locations by the digest of the op.
fn locations(source: pb::Source) -> Result<HashMap<String, Vec<Location>>, Error> {
    let files = source.infos.into_iter().map(|info| {
        let definition = info.definition.map(Definition::from_proto).transpose()?;
        Ok(Arc::new(SourceFile {
            filename: info.filename,
            language: info.language,
            data: info.data,
            definition: definition.map(Arc::new),
        }))
    });
    let files = files.collect::<Result<Vec<_>, Error>>()?;
    let read = |location: pb::Location| {
        let file = usize::try_from(location.source_index)
            .ok()
            .and_then(|index| files.get(index))?;
        Some(Location {
            file: file.clone(),
            ranges: location.ranges.into_iter().map(read_range).collect(),
        })
    };
    let entries = source.locations.into_iter().map(|entry| {
        let locations = entry.value.unwrap_or_default().locations;
        (entry.key, locations.into_iter().filter_map(read).collect())
    });
    Ok(entries.collect())
}

fn read_range(range: pb::Range) -> Range {
    let position = |at: Option<pb::Position>| {
        let at = at.unwrap_or_default();
        Position {
            line: at.line,
            character: at.character,
        }
    };
    Range {
        start: position(range.start),
        end: position(range.end),
    }
}

#[cfg(test)]
mod tests {
    use super::super::*;
    use std::sync::Arc;

    fn graph() -> State {
        let file = Arc::new(SourceFile {
            filename: "Dockerfile".into(),
            data: b"FROM a\n".to_vec(),
            ..SourceFile::default()
        });
        let at = Location {
            file,
            ranges: Arc::from([Range::default()]),
        };
        let named = Constraints::new().named("base").at(at);
        let base = image("docker.io/library/a:1", ResolveMode::Default, named);
        base.run(Exec::new(["true"])).root()
    }

    #[test]
    fn a_definition_survives_the_wire() {
        let first = graph().marshal(&MarshalOptions::default()).unwrap();
        let read = Definition::decode(&first.encode()).unwrap();
        assert_eq!(read.encode(), first.encode());
        assert!(Definition::decode(&[]).unwrap().is_empty());
    }

    #[test]
    fn a_graph_goes_on_from_a_definition_with_the_same_digests() {
        let whole = |base: &State| {
            let made = base.file(
                File::new().make_dir("/d", 0o755, Default::default()),
                Constraints::new(),
            );
            made.marshal(&MarshalOptions::default()).unwrap()
        };
        let definition = graph().marshal(&MarshalOptions::default()).unwrap();
        let continued = State::from_definition(&definition).unwrap();
        assert_eq!(whole(&continued).encode(), whole(&graph()).encode());
    }

    #[test]
    fn a_definition_that_contradicts_itself_is_refused() {
        assert!(Definition::decode(b"\x0a\x02\x1a\x00").is_err());
        let definition = graph().marshal(&MarshalOptions::default()).unwrap();
        let mut message = definition.to_proto();
        message.def.remove(0);
        assert!(Definition::from_proto(message).is_err());
    }
}
