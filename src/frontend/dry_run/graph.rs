//! A graph in parts, and a variant of it whose commands cannot start.

use std::collections::{HashMap, HashSet};

use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::frontend::Error;
use crate::frontend::refusal::platform_of;
use crate::llb::Definition;
use crate::oci::Platform;
use crate::proto::pb;
use crate::text::redact;

/// Linux rejects longer strings in the environment (`MAX_ARG_STRLEN`).
const TOO_LONG: usize = 128 << 10;
/// The most commands in a graph: the daemon's limit for a message is 16 MiB.
const MAX_COMMANDS: usize = 100;
/// A graph that is solved in parts.
pub(super) struct Asked {
    proto: pb::Definition,
    pub(super) vertices: Vec<Vertex>,
}

/// A vertex of the graph.
pub(super) struct Vertex {
    pub(super) digest: String,
    pub(super) inputs: Vec<usize>,
    /// The input that the step modifies.
    pub(super) base: Option<usize>,
    pub(super) is_source: bool,
    /// It runs a process.
    pub(super) is_command: bool,
    /// It, or a step that it needs, does not use the cache.
    pub(super) ignores_cache: bool,
    pub(super) platform: Option<Platform>,
    pub(super) name: String,
    pub(super) line: u32,
}

/// The treatment of a graph's commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Commands {
    /// Keep them unchanged.
    Kept,
    /// Change them so that they cannot start.
    Impossible,
}

impl Asked {
    pub(super) fn new(definition: &Definition, kind: Commands) -> Result<Self, Error> {
        let mut proto = definition.to_proto();
        let mut renamed: HashMap<String, (usize, String)> = HashMap::new();
        let mut vertices: Vec<Vertex> = Vec::new();
        let mut commands = 0;
        // The last op refers to the result.
        let count = definition.vertices().len();
        for (number, bytes) in proto.def.iter_mut().enumerate() {
            let Ok(mut op) = pb::Op::decode(bytes.clone()) else {
                continue;
            };
            let mut inputs = Vec::new();
            let mut is_changed = false;
            for input in &mut op.inputs {
                if let Some((at, digest)) = renamed.get(&input.digest) {
                    is_changed |= input.digest != *digest;
                    input.digest.clone_from(digest);
                    inputs.push(*at);
                }
            }
            if let (Some(pb::op::Op::Exec(exec)), Commands::Impossible) = (&mut op.op, kind) {
                commands += 1;
                exec.meta.get_or_insert_default().proxy_env = Some(impossible());
                is_changed = true;
            }
            let encoded = match is_changed {
                true => encoded(&op),
                false => bytes.to_vec(),
            };
            if let Some(old) = definition.vertices().get(number).filter(|_| number < count) {
                let hash = Sha256::digest(&encoded);
                let digest: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                let digest = format!("sha256:{digest}");
                renamed.insert(old.digest_str().to_owned(), (number, digest.clone()));
                let line = old
                    .locations()
                    .first()
                    .and_then(|place| place.ranges.first());
                let ignores = |at: &usize| vertices[*at].ignores_cache;
                let ignores_cache = old.metadata().ignore_cache || inputs.iter().any(ignores);
                vertices.push(Vertex {
                    digest,
                    ignores_cache,
                    base: base(&op).and_then(|at| inputs.get(at).copied()),
                    inputs,
                    is_source: matches!(op.op, Some(pb::op::Op::Source(_))),
                    is_command: matches!(op.op, Some(pb::op::Op::Exec(_))),
                    platform: op.platform.as_ref().and_then(platform_of),
                    name: redact(old.metadata().name().unwrap_or_default()).into_owned(),
                    line: line.map_or(0, |range| u32::try_from(range.start.line).unwrap_or(0)),
                });
            }
            *bytes = encoded.into();
        }
        for entry in &mut proto.metadata {
            if let Some((_, digest)) = renamed.get(&entry.key) {
                entry.key.clone_from(digest);
            }
        }
        let places = proto.source.iter_mut().flat_map(|it| &mut it.locations);
        for entry in places {
            if let Some((_, digest)) = renamed.get(&entry.key) {
                entry.key.clone_from(digest);
            }
        }
        if commands > MAX_COMMANDS {
            return Err(Error::TooManyCommands { commands });
        }
        Ok(Self { proto, vertices })
    }

    /// The graph that ends with a vertex.
    pub(super) fn until(&self, number: usize) -> Result<Definition, Error> {
        let mut needed = vec![false; self.vertices.len()];
        needed[number] = true;
        for at in (0..=number).rev() {
            if needed[at] {
                for input in &self.vertices[at].inputs {
                    needed[*input] = true;
                }
            }
        }
        let ops = self.proto.def.iter().take(self.vertices.len()).zip(&needed);
        let mut def: Vec<_> = ops
            .filter(|(_, is)| **is)
            .map(|(op, _)| op.clone())
            .collect();
        let end = pb::Op {
            inputs: vec![pb::Input {
                digest: self.vertices[number].digest.clone(),
                index: 0,
            }],
            ..pb::Op::default()
        };
        def.push(end.encode_to_vec().into());
        let needed = self.vertices.iter().zip(&needed).filter(|(_, is)| **is);
        let digests: HashSet<&str> = needed.map(|(it, _)| it.digest.as_str()).collect();
        let metadata = self.proto.metadata.iter();
        let metadata = metadata.filter(|entry| digests.contains(entry.key.as_str()));
        let proto = pb::Definition {
            def,
            metadata: metadata.cloned().collect(),
            source: self.proto.source.clone(),
        };
        read(proto)
    }
}

/// Encodes an op as BuildKit does: the field of the `oneof` comes last. Newer daemons encode each
/// op again, and report the digest of the new bytes.
fn encoded(op: &pb::Op) -> Vec<u8> {
    let kind = pb::Op {
        op: op.op.clone(),
        ..pb::Op::default()
    };
    let rest = pb::Op {
        op: None,
        ..op.clone()
    };
    let mut bytes = rest.encode_to_vec();
    bytes.extend(kind.encode_to_vec());
    bytes
}

/// Decodes a graph that this library has made.
fn read(proto: pb::Definition) -> Result<Definition, Error> {
    Definition::from_proto(proto).map_err(|source| Error::DryRunGraph { source })
}

/// Proxy settings that prevent every process from starting.
fn impossible() -> pb::ProxyEnv {
    pb::ProxyEnv {
        http_proxy: "solvekit-dry-run.".repeat(TOO_LONG / 17 + 1),
        ftp_proxy: "\0".to_owned(),
        ..pb::ProxyEnv::default()
    }
}

/// The index of the input that the step modifies.
fn base(op: &pb::Op) -> Option<usize> {
    let index = match op.op.as_ref()? {
        pb::op::Op::Exec(exec) => exec.mounts.iter().find(|mount| mount.dest == "/")?.input,
        pb::op::Op::File(file) => file.actions.first()?.input,
        _ => 0,
    };
    usize::try_from(index).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llb::{self, Constraints, Copy, Exec, File, MarshalOptions, ResolveMode};

    #[test]
    fn an_op_is_encoded_as_it_was() {
        let image = llb::image("alpine", ResolveMode::Default, Constraints::new());
        let run = image.run(Exec::new(["true"])).root();
        let copied = run.file(
            File::new().copy(&image, "/a", "/b", Copy::default()),
            Constraints::new().on(Platform::host()),
        );
        let graph = copied.marshal(&MarshalOptions::default()).unwrap();
        assert_eq!(graph.vertices().len(), 3);
        for vertex in graph.vertices() {
            let op = pb::Op::decode(vertex.op().clone()).unwrap();
            assert_eq!(encoded(&op), vertex.op().to_vec());
        }
    }
}
