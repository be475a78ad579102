//! From the graph to a definition: walks it in the reference's order and encodes every vertex once.

mod exec;
mod file;
mod op;
mod wire;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use self::wire::Writer;
use super::Error;
use super::caps::{Cap, CapSet};
use super::definition::{DefinedVertex, Definition, DigestText, Terminal};
use super::vertex::{Kind, Output, Vertex};
use crate::oci::Platform;

/// What a definition is marshalled for.
#[derive(Clone, Debug)]
pub struct MarshalOptions {
    /// The platform of vertices that have none of their own.
    pub platform: Arc<Platform>,
    /// What the daemon supports.
    pub caps: CapSet,
    /// Stands in for the session of local sources that name none.
    pub unique_id: String,
}

impl Default for MarshalOptions {
    /// linux/amd64, and a daemon that supports everything.
    fn default() -> Self {
        let platform = Platform {
            os: "linux".into(),
            architecture: "amd64".into(),
            ..Platform::default()
        };
        Self {
            platform: Arc::new(platform),
            caps: CapSet::all(),
            unique_id: String::new(),
        }
    }
}

pub(super) fn marshal(
    root: Option<&Output>,
    options: &MarshalOptions,
) -> Result<Definition, Error> {
    let Some(root) = root else {
        return Ok(Definition::default());
    };
    let mut pass = Pass::new(options);
    pass.walk(&root.vertex)?;
    pass.finish(root)
}

/// One walk over a graph.
struct Pass<'a> {
    options: &'a MarshalOptions,
    writer: Writer,
    /// Vertices that are done, by address.
    done: HashMap<usize, usize, BuildHasherDefault<AddressHasher>>,
    /// Positions in `vertices` by digest: the same op twice is one vertex.
    by_digest: HashMap<[u8; 32], usize, BuildHasherDefault<DigestHasher>>,
    vertices: Vec<Draft>,
}

/// A vertex whose bytes still lie in the shared buffer.
struct Draft {
    digest: DigestText,
    start: usize,
    end: usize,
    vertex: DefinedVertex,
}

impl<'a> Pass<'a> {
    fn new(options: &'a MarshalOptions) -> Self {
        Self {
            options,
            writer: Writer::with_capacity(4096),
            done: HashMap::default(),
            by_digest: HashMap::default(),
            vertices: Vec::new(),
        }
    }

    /// Depth first, inputs before the vertex; a loop, for chains of any length.
    fn walk(&mut self, root: &'a Arc<Vertex>) -> Result<(), Error> {
        let mut path: Vec<(&'a Vertex, usize)> = vec![(root, 0)];
        while let Some((vertex, next)) = path.last_mut() {
            let vertex = *vertex;
            match vertex.input(*next) {
                Some(input) => {
                    *next += 1;
                    if let Some(input) = input
                        && !self.done.contains_key(&address(&input.vertex))
                    {
                        path.push((&input.vertex, 0));
                    }
                }
                None => {
                    path.pop();
                    let at = self.encode(vertex)?;
                    self.done.insert(address(vertex), at);
                }
            }
        }
        Ok(())
    }

    /// The position of the finished vertex.
    fn encode(&mut self, vertex: &'a Vertex) -> Result<usize, Error> {
        if let Kind::Deferred(cell) = &vertex.kind {
            let output = cell.get().ok_or(Error::UnresolvedSource)?;
            return self.position(output);
        }
        let start = self.writer.len();
        // Taken out for the time of writing, so that the inputs' digests can be read meanwhile.
        let mut writer = std::mem::take(&mut self.writer);
        let written = op::write(&mut writer, self, vertex);
        self.writer = writer;
        let caps = written?;
        let hash: [u8; 32] = Sha256::digest(self.writer.since(start)).into();
        let constraints = &vertex.constraints;
        if let Some(&at) = self.by_digest.get(&hash) {
            self.writer.truncate(start);
            let known = &mut self.vertices[at].vertex;
            known.metadata.merge(&constraints.metadata);
            known.caps = known.caps.union(caps);
            known
                .locations
                .extend(constraints.locations.iter().cloned());
            return Ok(at);
        }
        let at = self.vertices.len();
        self.by_digest.insert(hash, at);
        self.vertices.push(Draft {
            digest: DigestText::new(hash),
            start,
            end: self.writer.len(),
            vertex: DefinedVertex {
                digest: DigestText::new(hash),
                op: Bytes::new(),
                metadata: constraints.metadata.clone(),
                caps,
                locations: constraints.locations.clone(),
            },
        });
        Ok(at)
    }

    fn position(&self, output: &Output) -> Result<usize, Error> {
        self.done
            .get(&address(&output.vertex))
            .copied()
            .ok_or(Error::UnresolvedSource)
    }

    /// The index is the deferred output's own when the vertex stands for another.
    fn input(&self, output: &Output) -> Result<Input<'_>, Error> {
        let index = match &output.vertex.kind {
            Kind::Deferred(cell) => cell.get().map_or(output.index, |actual| actual.index),
            _ => output.index,
        };
        Ok(Input {
            digest: self.vertices[self.position(output)?].digest.as_str(),
            index,
        })
    }

    fn finish(mut self, root: &Output) -> Result<Definition, Error> {
        let start = self.writer.len();
        let mut writer = std::mem::take(&mut self.writer);
        let input = self.input(root)?;
        writer.message(1, |w| op::write_input(w, &input));
        let end = writer.len();
        let digest = DigestText::new(Sha256::digest(writer.since(start)).into());
        let bytes = Bytes::from(writer.into_inner());
        let mut caps = CapSet::EMPTY.with(Cap::Constraints).with(Cap::Platform);
        let vertices = self.vertices.into_iter().map(|draft| {
            let metadata = &draft.vertex.metadata;
            for (needed, cap) in [
                (metadata.ignore_cache, Cap::MetaIgnoreCache),
                (
                    metadata.description().next().is_some(),
                    Cap::MetaDescription,
                ),
                (metadata.export_cache.is_some(), Cap::MetaExportCache),
            ] {
                if needed {
                    caps.insert(cap);
                }
            }
            DefinedVertex {
                op: bytes.slice(draft.start..draft.end),
                ..draft.vertex
            }
        });
        let vertices = vertices.collect();
        Ok(Definition::new(
            vertices,
            Terminal {
                digest,
                op: bytes.slice(start..end),
                caps,
            },
        ))
    }
}

/// An input as it is written into an op.
#[derive(PartialEq, Eq, Clone, Copy)]
struct Input<'a> {
    digest: &'a str,
    index: i64,
}

fn address(vertex: &Vertex) -> usize {
    std::ptr::from_ref(vertex).addr()
}

/// Addresses are aligned and spread well enough once multiplied.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte) ^ self.0 as usize);
        }
    }

    fn write_usize(&mut self, address: usize) {
        self.0 = (address as u64)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(26);
    }
}

/// A digest is its own hash.
#[derive(Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(word);
        }
    }
}
