//! Reading the blobs of a layout.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::PathBuf;
use std::time::SystemTime;

use serde_json::Value;
use solvekit_host::files::without_waiting;

use super::{Error, Layout};
use crate::files::take_at_most;
use crate::oci::Hasher;
use crate::oci::{Descriptor, Digest, media_type};

/// The largest manifest that is read, in bytes: the reference client's limit.
const MANIFEST: u64 = 4 << 20;

/// A blob of a layout.
#[derive(Debug)]
pub struct Blob {
    pub file: File,
    pub size: u64,
    pub modified: SystemTime,
}

impl Layout {
    /// Returns the path of a blob, which need not exist.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        // A parsed digest has a known algorithm and hexadecimal digits, so the path cannot leave
        // the folder.
        let blobs = self.root().join("blobs");
        blobs.join(digest.algorithm()).join(digest.hex())
    }

    /// Opens a blob; returns `None` if it does not exist. Links are followed, because some build
    /// tools create layouts of links.
    pub fn blob(&self, digest: &Digest) -> Result<Option<Blob>, Error> {
        let path = self.blob_path(digest);
        let failed = |source| Error::File {
            action: "read",
            path: path.clone(),
            source,
        };
        // Opening a pipe must not block.
        let file = match without_waiting(OpenOptions::new().read(true)).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(failed(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is not a file",
            )));
        }
        Ok(Some(Blob {
            size: metadata.len(),
            modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            file,
        }))
    }

    /// Reads a blob of at most `limit` bytes; returns `None` if it does not exist. The bytes are
    /// not verified.
    pub fn read(&self, digest: &Digest, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(blob) = self.blob(digest)? else {
            return Ok(None);
        };
        let read = take_at_most(blob.file, limit);
        read.map(Some).map_err(|source| Error::File {
            action: "read",
            path: self.blob_path(digest),
            source,
        })
    }

    /// Returns true if a blob's bytes match its digest, and `None` if the blob does not exist.
    pub fn is_intact(&self, digest: &Digest) -> Result<Option<bool>, Error> {
        let Some(mut blob) = self.blob(digest)? else {
            return Ok(None);
        };
        let mut hasher = Hasher::new(digest.algorithm());
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = blob.file.read(&mut buffer).map_err(|source| Error::File {
                action: "read",
                path: self.blob_path(digest),
                source,
            })?;
            if read == 0 {
                return Ok(Some(hasher.digest() == *digest));
            }
            hasher.update(&buffer[..read]);
        }
    }

    /// Returns the descriptor of a stored manifest or index, derived from its content.
    pub fn descriptor(&self, digest: &Digest) -> Result<Option<Descriptor>, Error> {
        let (Some(blob), Some(text)) = (self.blob(digest)?, self.read(digest, MANIFEST)?) else {
            return Ok(None);
        };
        let text: Value = serde_json::from_slice(&text).unwrap_or_default();
        let media_type = match text["mediaType"].as_str() {
            Some(named) => named,
            None if text["manifests"].is_array() => media_type::OCI_INDEX,
            None => media_type::OCI_MANIFEST,
        };
        Ok(Some(Descriptor::new(media_type, digest.clone(), blob.size)))
    }

    /// Returns the digests of all blobs, unsorted. Files with other names are skipped.
    pub fn blobs(&self) -> Result<Vec<Digest>, Error> {
        let mut found = Vec::new();
        for algorithm in ["sha256", "sha384", "sha512"] {
            let folder = self.root().join("blobs").join(algorithm);
            let failed = |source| Error::File {
                action: "read",
                path: folder.clone(),
                source,
            };
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(error)),
            };
            for entry in entries {
                let name = entry.map_err(failed)?.file_name();
                let digest = format!("{algorithm}:{}", name.to_string_lossy());
                found.extend(Digest::parse(&digest));
            }
        }
        Ok(found)
    }
}
