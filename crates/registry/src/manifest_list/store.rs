//! Lists on disk: `FOLDER/LIST/MANIFEST`, with `-` for `:` and `_` for `/` in both names, as in
//! docker.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::{Entry, Error};
use crate::files::{AtomicFile, read_at_most};
use crate::oci::Reference;

/// The lists of a user. Methods block.
#[derive(Debug, Clone)]
pub struct Lists {
    folder: PathBuf,
}

impl Lists {
    /// Opens the lists in a folder, which need not exist yet: `$DOCKER_CONFIG/manifests`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Returns the manifests of a list, sorted by name.
    ///
    /// # Errors
    /// [`Error::NoList`] if the list does not exist; [`Error::Malformed`] with the malformed file.
    pub fn get(&self, list: &Reference) -> Result<Vec<Entry>, Error> {
        let folder = self.folder_of(list);
        let found = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(Error::NoList { list: list.clone() });
            }
            found => found.map_err(|source| failed("read", &folder, source))?,
        };
        let mut paths = Vec::new();
        for file in found {
            paths.push(
                file.map_err(|source| failed("read", &folder, source))?
                    .path(),
            );
        }
        paths.sort();
        paths.iter().map(|path| read(path)).collect()
    }

    /// Returns a manifest of a list.
    ///
    /// # Errors
    /// [`Error::NoManifest`], which lists the existing ones.
    pub fn get_one(&self, list: &Reference, manifest: &Reference) -> Result<Entry, Error> {
        let path = self.folder_of(list).join(file_name(manifest));
        if path.exists() {
            return read(&path);
        }
        let known = self.get(list)?;
        Err(Error::NoManifest {
            list: Box::new(list.clone()),
            manifest: Box::new(manifest.clone()),
            known: known
                .iter()
                .map(|entry| entry.reference.to_string())
                .collect(),
        })
    }

    /// Stores a manifest in a list and replaces one with the same name.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be written.
    pub fn save(&self, list: &Reference, entry: &Entry) -> Result<(), Error> {
        let folder = self.folder_of(list);
        fs::create_dir_all(&folder).map_err(|source| failed("make", &folder, source))?;
        let path = folder.join(file_name(&entry.reference));
        // The temporary file is beside the lists, because every file in a list's folder is a
        // manifest.
        let written = || {
            let mut file = AtomicFile::create_in(&self.folder, &path, 0o666)?;
            file.write_all(entry.to_json().as_ref())?;
            file.commit()
        };
        written().map_err(|source| failed("write", &path, source))
    }

    /// Removes a list.
    ///
    /// # Errors
    /// [`Error::NoList`] if the list does not exist; [`Error::File`] if it cannot be removed.
    pub fn remove(&self, list: &Reference) -> Result<(), Error> {
        let folder = self.folder_of(list);
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(Error::NoList { list: list.clone() })
            }
            removed => removed.map_err(|source| failed("remove", &folder, source)),
        }
    }

    fn folder_of(&self, list: &Reference) -> PathBuf {
        self.folder.join(file_name(list))
    }
}

fn file_name(name: &Reference) -> String {
    name.to_string().replace(':', "-").replace('/', "_")
}

/// The largest entry that is read, in bytes; it contains its manifest.
const LIMIT: u64 = 32 << 20;

fn read(path: &Path) -> Result<Entry, Error> {
    let json = read_at_most(path, LIMIT).map_err(|source| failed("read", path, source))?;
    Entry::parse(&json).map_err(|reason| Error::Malformed {
        path: path.to_owned(),
        reason,
    })
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::File {
        action,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::oci::{Descriptor, media_type};

    #[test]
    fn files_are_where_docker_looks_for_them() {
        let folder = tempfile::tempdir().unwrap();
        let lists = Lists::new(folder.path().join("manifests"));
        let list = Reference::parse("localhost:5000/a/b:1").unwrap();
        let raw = Bytes::from_static(b"{}");
        let name = Reference::parse("alpine:3").unwrap();
        let entry = Entry::new(
            name.clone(),
            Descriptor::of(media_type::OCI_MANIFEST, &raw),
            raw,
        );
        assert!(matches!(lists.get(&list), Err(Error::NoList { .. })));
        lists.save(&list, &entry).unwrap();
        let path = folder
            .path()
            .join("manifests/localhost-5000_a_b-1/docker.io_library_alpine-3");
        assert!(path.exists());
        assert_eq!(lists.get(&list).unwrap(), std::slice::from_ref(&entry));
        assert_eq!(lists.get_one(&list, &name).unwrap(), entry);
        let error = lists.get_one(&list, &list).unwrap_err().to_string();
        assert!(
            error.contains("it has docker.io/library/alpine:3"),
            "{error}"
        );
        fs::write(&path, "{").unwrap();
        let error = lists.get(&list).unwrap_err().to_string();
        assert!(error.contains("docker.io_library_alpine-3"), "{error}");
        lists.remove(&list).unwrap();
        assert!(matches!(lists.remove(&list), Err(Error::NoList { .. })));
    }
}
