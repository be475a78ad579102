//! Reads archives of images: finds each blob's position. Nothing is unpacked.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::entries::choose;
use super::untar::{self, Span};
use super::{ArchiveProblem, Error, docker_save, error};
use crate::oci::{Descriptor, Digest, Index, Reference};

/// The read limit in bytes; no real manifest or config is larger.
const LIMIT: u64 = 8 << 20;

/// An archive of images.
#[derive(Debug)]
pub(super) struct Archive {
    pub(super) path: PathBuf,
    pub(super) files: BTreeMap<String, Span>,
    /// Blobs whose names in the archive are not their digests.
    pub(super) named: HashMap<Digest, Span>,
    /// Manifests that were generated, because the archive has them in another form.
    pub(super) made: HashMap<Digest, Bytes>,
}

impl Archive {
    /// Opens an archive and finds an image in it, by tag or name if there are several. Blocking.
    pub(super) fn open(path: &Path, wanted: Option<&str>) -> Result<(Self, Descriptor), Error> {
        let mut archive = Self {
            path: path.to_owned(),
            files: untar::files(path)?,
            named: HashMap::new(),
            made: HashMap::new(),
        };
        if archive.files.contains_key("index.json") {
            let index: Index = archive.json("index.json")?;
            let root = choose(&path.display().to_string(), &index, wanted)?;
            return Ok((archive, root));
        }
        if archive.files.contains_key("manifest.json") {
            let wanted = wanted.map(|name| {
                let whole = Reference::parse(name).map(Reference::with_default_tag);
                whole.map_or_else(|_| name.to_owned(), |whole| whole.to_string())
            });
            let root = docker_save::find(&mut archive, wanted.as_deref())?;
            return Ok((archive, root));
        }
        Err(archive.broken(ArchiveProblem::NoIndex))
    }

    /// Returns the position of a blob.
    pub(super) fn blob(&self, digest: &Digest) -> Option<Span> {
        let name = format!("blobs/{}/{}", digest.algorithm(), digest.hex());
        let span = self.files.get(&name).or_else(|| self.named.get(digest));
        span.copied()
    }

    /// Reads a small file of the archive.
    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        let span = self.files.get(name);
        let span = span.ok_or_else(|| self.missing(name))?;
        self.read_small(name, *span)
    }

    /// Reads a small part of the archive.
    pub(super) fn read_small(&self, name: &str, span: Span) -> Result<Vec<u8>, Error> {
        if span.size > LIMIT {
            return Err(self.broken(ArchiveProblem::TooLarge {
                name: name.to_owned(),
                mebibytes: LIMIT >> 20,
            }));
        }
        self.read_span(span)
    }

    pub(super) fn read_span(&self, span: Span) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let read = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(span.offset))?;
            file.take(span.size).read_to_end(&mut bytes)
        });
        read.map_err(error::file("read", &self.path))?;
        Ok(bytes)
    }

    pub(super) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        let bytes = self.read(name)?;
        serde_json::from_slice(&bytes).map_err(|error| self.not_json(name, error))
    }

    pub(super) fn missing(&self, name: &str) -> Error {
        let name = name.to_owned();
        self.broken(ArchiveProblem::Missing { name })
    }

    pub(super) fn not_json(&self, name: &str, source: serde_json::Error) -> Error {
        let name = name.to_owned();
        self.broken(ArchiveProblem::Json { name, source })
    }

    pub(super) fn broken(&self, reason: ArchiveProblem) -> Error {
        Error::Archive {
            path: self.path.clone(),
            reason,
        }
    }
}
