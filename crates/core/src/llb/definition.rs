//! A marshalled graph: the request that the daemon solves.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;

use super::caps::CapSet;
use super::metadata::{Constraints, Location, Metadata, SourceFile};
use super::vertex::Vertex;
use crate::oci::Digest;
use crate::proto::pb;

/// A graph in the daemon's form: ops with their inputs before them, then the terminal op that names
/// the result.
///
/// The definition of scratch has no ops.
#[derive(Clone, Debug, Default)]
pub struct Definition {
    vertices: Vec<DefinedVertex>,
    terminal: Option<Terminal>,
    documents: Vec<Arc<SourceFile>>,
}

/// A vertex of a definition.
#[derive(Clone, Debug)]
pub struct DefinedVertex {
    digest: DigestText,
    pub(super) op: Bytes,
    caps: CapSet,
    notes: Notes,
}

/// The metadata and locations of an op: those of its vertex, or merged from several equal ones.
#[derive(Clone, Debug)]
enum Notes {
    Of(Arc<Vertex>),
    Merged(Box<(Metadata, Vec<Location>)>),
}

/// The last op, which has the result as its only input.
#[derive(Clone, Debug)]
pub(super) struct Terminal {
    pub(super) digest: DigestText,
    pub(super) op: Bytes,
    pub(super) caps: CapSet,
}

impl DefinedVertex {
    pub(super) fn new(hash: [u8; 32], vertex: Arc<Vertex>, caps: CapSet) -> Self {
        Self {
            digest: DigestText::new(hash),
            op: Bytes::new(),
            caps,
            notes: Notes::Of(vertex),
        }
    }

    /// Adds the metadata of an equal vertex.
    pub(super) fn merge(&mut self, later: &Constraints, caps: CapSet) {
        let mut notes = match &mut self.notes {
            Notes::Merged(notes) => std::mem::take(notes),
            Notes::Of(vertex) => {
                let own = &vertex.constraints;
                Box::new((own.metadata.clone(), own.locations.clone()))
            }
        };
        notes.0.merge(&later.metadata);
        notes.1.extend(later.locations.iter().cloned());
        self.notes = Notes::Merged(notes);
        self.caps = self.caps.union(caps);
    }

    /// The digest of the op.
    pub fn digest(&self) -> Digest {
        self.digest.to_digest()
    }

    /// The digest of the op as text.
    pub fn digest_str(&self) -> &str {
        self.digest.as_str()
    }

    pub(super) fn digest_text(&self) -> &DigestText {
        &self.digest
    }

    /// The op, a marshalled `pb.Op`.
    pub fn op(&self) -> &Bytes {
        &self.op
    }

    /// Returns the op's metadata.
    pub fn metadata(&self) -> &Metadata {
        match &self.notes {
            Notes::Of(vertex) => &vertex.constraints.metadata,
            Notes::Merged(notes) => &notes.0,
        }
    }

    /// Returns the capabilities that the daemon must support.
    pub fn caps(&self) -> CapSet {
        self.caps
    }

    /// Returns the source lines of the op.
    pub fn locations(&self) -> &[Location] {
        match &self.notes {
            Notes::Of(vertex) => &vertex.constraints.locations,
            Notes::Merged(notes) => &notes.1,
        }
    }
}

impl Definition {
    pub(super) fn new(vertices: Vec<DefinedVertex>, terminal: Terminal) -> Self {
        Self {
            vertices,
            terminal: Some(terminal),
            documents: Vec::new(),
        }
    }

    /// Returns the same graph, with caching disabled for every step.
    #[must_use]
    pub fn ignoring_cache(mut self) -> Self {
        let ignoring = Constraints::new().ignoring_cache(true);
        for vertex in &mut self.vertices {
            vertex.merge(&ignoring, CapSet::EMPTY);
        }
        self
    }

    /// Disables caching for the steps with these digests and for the steps that they read from.
    pub fn ignore_cache_of(&mut self, digests: &BTreeSet<String>) {
        let is_named = |vertex: &&DefinedVertex| digests.contains(vertex.digest_str());
        let mut ignoring = digests.clone();
        for vertex in self.vertices.iter().filter(is_named) {
            let op = pb::Op::decode(vertex.op.clone()).unwrap_or_default();
            ignoring.extend(op.inputs.into_iter().map(|input| input.digest));
        }
        let constraints = Constraints::new().ignoring_cache(true);
        for vertex in &mut self.vertices {
            if ignoring.contains(vertex.digest_str()) {
                vertex.merge(&constraints, CapSet::EMPTY);
            }
        }
    }

    /// Appends a file to the source files of the definition; the provenance contains all of them.
    #[must_use]
    pub fn with_document(mut self, file: Arc<SourceFile>) -> Self {
        self.documents.push(file);
        self
    }

    pub(super) fn documents(&self) -> &[Arc<SourceFile>] {
        &self.documents
    }

    /// The vertices, inputs first, without the terminal op.
    pub fn vertices(&self) -> &[DefinedVertex] {
        &self.vertices
    }

    /// All ops, the terminal one last.
    pub fn ops(&self) -> impl Iterator<Item = &Bytes> {
        self.vertices
            .iter()
            .map(|vertex| &vertex.op)
            .chain(self.terminal.iter().map(|terminal| &terminal.op))
    }

    /// True for the definition of scratch.
    pub fn is_empty(&self) -> bool {
        self.terminal.is_none()
    }

    /// Returns the digest of the vertex whose output is the result.
    pub fn head(&self) -> Option<Digest> {
        self.head_str().and_then(|head| Digest::parse(head).ok())
    }

    /// Returns the digest of the vertex whose output is the result, as text. The walk visits it
    /// last, so it is the last vertex unless an equal one came before.
    pub fn head_str(&self) -> Option<&str> {
        let op = &self.terminal.as_ref()?.op;
        // 0a <length> 0a 47 <71 characters>: pb.Op.inputs, pb.Input.digest.
        std::str::from_utf8(op.get(4..4 + DigestText::LEN)?).ok()
    }

    /// Returns the vertex with this digest.
    pub fn vertex(&self, digest: &str) -> Option<&DefinedVertex> {
        self.vertices
            .iter()
            .find(|vertex| vertex.digest_str() == digest)
    }

    pub(super) fn terminal(&self) -> Option<&Terminal> {
        self.terminal.as_ref()
    }
}

/// `sha256:` and 64 hexadecimal digits, without an allocation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DigestText {
    text: [u8; Self::LEN],
}

impl DigestText {
    const LEN: usize = 71;

    pub(super) fn new(hash: [u8; 32]) -> Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; Self::LEN];
        text[..7].copy_from_slice(b"sha256:");
        for (pair, byte) in text[7..].chunks_exact_mut(2).zip(hash) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        Self { text }
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).unwrap_or_default()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.text
    }

    fn to_digest(self) -> Digest {
        let mut hash = [0; 32];
        let nibble = |digit: u8| {
            if digit > b'9' {
                digit - b'a' + 10
            } else {
                digit - b'0'
            }
        };
        for (byte, pair) in hash.iter_mut().zip(self.text[7..].chunks_exact(2)) {
            *byte = nibble(pair[0]) << 4 | nibble(pair[1]);
        }
        Digest::from_sha256(hash)
    }
}

impl fmt::Debug for DigestText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_text_and_digest_agree() {
        let digest = Digest::sha256(b"x");
        let hash: [u8; 32] =
            sha2::Digest::finalize(<sha2::Sha256 as sha2::Digest>::new_with_prefix(b"x")).into();
        assert_eq!(DigestText::new(hash).as_str(), digest.as_str());
        assert_eq!(DigestText::new(hash).to_digest(), digest);
    }
}
