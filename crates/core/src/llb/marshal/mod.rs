//! Marshals a graph: walks it in the reference's order and encodes every vertex once.

mod definition;
mod exec;
mod file;
mod op;
mod wire;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use self::op::Inputs;
use self::wire::Writer;
use super::Error;
use super::caps::{Cap, CapSet};
use super::definition::{DefinedVertex, Definition, DigestText, Terminal};
use super::vertex::{Kind, Output, Vertex};
use crate::oci::Platform;

/// The settings of marshalling.
#[derive(Clone, Debug)]
pub struct MarshalOptions {
    /// The platform of vertices that have none of their own.
    pub platform: Arc<Platform>,
    /// The capabilities of the daemon.
    pub caps: CapSet,
    /// The session of local sources that name none.
    pub unique_id: String,
}

impl Default for MarshalOptions {
    /// Returns settings for linux/amd64 and a daemon that supports everything.
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
    /// Finished vertices, by address.
    done: HashMap<usize, usize, BuildHasherDefault<AddressHasher>>,
    /// Positions in `vertices` by digest: equal ops are one vertex.
    by_digest: HashMap<[u8; 32], usize, BuildHasherDefault<DigestHasher>>,
    vertices: Vec<DefinedVertex>,
    /// The ranges of the vertices' bytes in the writer.
    places: Vec<Range<usize>>,
}

impl<'a> Pass<'a> {
    fn new(options: &'a MarshalOptions) -> Self {
        Self {
            options,
            writer: Writer::with_capacity(4096),
            done: HashMap::with_capacity_and_hasher(32, BuildHasherDefault::default()),
            by_digest: HashMap::with_capacity_and_hasher(32, BuildHasherDefault::default()),
            vertices: Vec::with_capacity(16),
            places: Vec::with_capacity(16),
        }
    }

    /// Walks depth first, inputs before the vertex. It is a loop because chains can have any
    /// length.
    fn walk(&mut self, root: &'a Arc<Vertex>) -> Result<(), Error> {
        let mut inputs = Inputs::default();
        let mut path: Vec<(&'a Arc<Vertex>, usize)> = vec![(root, 0)];
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
                    let at = self.encode(vertex, &mut inputs)?;
                    self.done.insert(address(vertex), at);
                }
            }
        }
        Ok(())
    }

    /// Encodes a vertex and returns its position.
    fn encode(&mut self, vertex: &'a Arc<Vertex>, inputs: &mut Inputs) -> Result<usize, Error> {
        if let Kind::Deferred(cell) = &vertex.kind {
            let output = cell.get().ok_or(Error::UnresolvedSource)?;
            return self.position(output);
        }
        let start = self.writer.len();
        // The writer is taken out so that the inputs' digests can be read while it is in use.
        let mut writer = std::mem::take(&mut self.writer);
        inputs.clear();
        let written = op::write(&mut writer, self, vertex, inputs);
        self.writer = writer;
        let caps = written?;
        let hash = sha256(self.writer.since(start));
        if let Some(&at) = self.by_digest.get(&hash) {
            self.writer.truncate(start);
            self.vertices[at].merge(&vertex.constraints, caps);
            return Ok(at);
        }
        let at = self.vertices.len();
        self.by_digest.insert(hash, at);
        self.places.push(start..self.writer.len());
        self.vertices
            .push(DefinedVertex::new(hash, vertex.clone(), caps));
        Ok(at)
    }

    fn position(&self, output: &Output) -> Result<usize, Error> {
        self.done
            .get(&address(&output.vertex))
            .copied()
            .ok_or(Error::UnresolvedSource)
    }

    /// Returns an input. For a deferred vertex the index is that of the resolved output.
    fn input(&self, output: &Output) -> Result<Input, Error> {
        let index = match &output.vertex.kind {
            Kind::Deferred(cell) => cell.get().map_or(output.index, |actual| actual.index),
            _ => output.index,
        };
        Ok(Input {
            position: self.position(output)?,
            index,
        })
    }

    fn digest(&self, input: Input) -> &[u8] {
        self.vertices[input.position].digest_text().as_bytes()
    }

    fn finish(mut self, root: &Output) -> Result<Definition, Error> {
        let start = self.writer.len();
        let mut writer = std::mem::take(&mut self.writer);
        let input = self.input(root)?;
        writer.message(1, |w| op::write_input(w, self.digest(input), input.index));
        let digest = DigestText::new(sha256(writer.since(start)));
        let bytes = Bytes::from(writer.into_inner());
        let mut caps = CapSet::EMPTY.with(Cap::Constraints).with(Cap::Platform);
        for (vertex, place) in self.vertices.iter_mut().zip(self.places) {
            vertex.op = bytes.slice(place);
            caps = caps.union(vertex.metadata().caps());
        }
        Ok(Definition::new(
            self.vertices,
            Terminal {
                digest,
                op: bytes.slice(start..),
                caps,
            },
        ))
    }
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// An input: the position of a finished vertex, and the index of its output.
#[derive(PartialEq, Eq, Hash, Clone, Copy)]
struct Input {
    position: usize,
    index: i64,
}

fn address(vertex: &Vertex) -> usize {
    std::ptr::from_ref(vertex).addr()
}

/// Hashes addresses: they are aligned, and spread well enough by a multiplication.
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

/// Hashes digests: a digest is its own hash.
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
