//! Writing blobs: into `ingest/` under a random name, then verified and moved into place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::{Error, Layout};
use crate::oci::Digest;
use crate::oci::Hasher;

/// A blob that is being written. Nothing remains if it is dropped before its commit.
#[derive(Debug)]
pub struct Upload {
    layout: Layout,
    file: File,
    path: PathBuf,
    algorithm: String,
    hasher: Hasher,
    size: u64,
    /// True if the partial file is kept when the upload is dropped.
    stays: bool,
}

/// The reason a blob was not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The blob has the wrong size.
    #[error("the blob has {actual} bytes, and {expected} were announced")]
    Size {
        /// The expected size in bytes.
        expected: u64,
        /// The received size in bytes.
        actual: u64,
    },
    /// The blob has the wrong digest.
    #[error("the blob's digest is {actual}, and {expected} was announced")]
    Digest {
        /// The expected digest.
        expected: Digest,
        /// The digest of the received bytes.
        actual: Digest,
    },
    /// The layout could not be written.
    #[error(transparent)]
    Layout(#[from] Error),
}

impl Layout {
    pub(super) fn ingest(&self) -> PathBuf {
        self.root().join("ingest")
    }

    /// Starts a blob with a digest of this algorithm.
    pub fn upload(&self, algorithm: &str) -> Result<Upload, Error> {
        let folder = self.ingest();
        let mut random = [0; 16];
        getrandom::fill(&mut random)
            .map_err(|error| file_error("create", &folder, error.into()))?;
        let path = folder.join(format!("{:032x}", u128::from_le_bytes(random)));
        let mut create = OpenOptions::new();
        create.write(true).create_new(true);
        let file = open_in(&folder, &path, &create)?;
        Ok(Upload {
            layout: self.clone(),
            file,
            path,
            algorithm: algorithm.to_owned(),
            hasher: Hasher::new(algorithm),
            size: 0,
            stays: false,
        })
    }
}

impl Upload {
    /// Resumes from an open file whose content was hashed already. The file stays if the upload is
    /// dropped.
    pub(super) fn of_part(
        layout: &Layout,
        file: File,
        path: PathBuf,
        hasher: Hasher,
        size: u64,
    ) -> Self {
        Self {
            layout: layout.clone(),
            file,
            path,
            algorithm: hasher.digest().algorithm().to_owned(),
            hasher,
            size,
            stays: true,
        }
    }

    /// Returns the number of bytes written so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the digest of the bytes written so far.
    pub fn digest(&self) -> Digest {
        self.hasher.digest()
    }

    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = self.file.write_all(bytes);
        written.map_err(|error| file_error("write", &self.path, error))?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    /// Discards the bytes and starts again.
    pub fn restart(&mut self) -> Result<(), Error> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(|error| file_error("write", &self.path, error))?;
        self.hasher = Hasher::new(&self.algorithm);
        self.size = 0;
        Ok(())
    }

    /// Moves the blob into place if its size and digest match.
    pub fn commit(
        mut self,
        size: Option<u64>,
        digest: Option<&Digest>,
    ) -> Result<Digest, CommitError> {
        if let Some(expected) = size.filter(|size| *size != self.size) {
            let actual = self.size;
            self.stays = self.stays && actual < expected;
            return Err(CommitError::Size { expected, actual });
        }
        let actual = self.digest();
        if let Some(expected) = digest.filter(|digest| **digest != actual) {
            let expected = expected.clone();
            self.stays = false;
            return Err(CommitError::Digest { expected, actual });
        }
        // Without this sync, a power failure could leave the name without the bytes.
        let synced = self.file.sync_data();
        synced.map_err(|error| file_error("write", &self.path, error))?;
        let place = self.layout.blob_path(&actual);
        if let Some(folder) = place.parent() {
            make(folder)?;
        }
        fs::rename(&self.path, &place).map_err(|error| file_error("write", &place, error))?;
        self.stays = false;
        Ok(actual)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        // The file was renamed, or a failed removal cannot be helped. The folder is kept while
        // others use it.
        if !self.stays {
            let _ = fs::remove_file(&self.path);
        }
        let _ = fs::remove_dir(self.layout.ingest());
    }
}

pub(super) fn make(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|error| file_error("create", folder, error))
}

/// Opens a file in a folder, which is created if it is missing. Tries again if the end of another
/// upload removes the folder meanwhile.
pub(super) fn open_in(folder: &Path, path: &Path, options: &OpenOptions) -> Result<File, Error> {
    const MOST: usize = 100;
    let mut tries = 0;
    loop {
        let opened = match fs::create_dir_all(folder) {
            Ok(()) => options.open(path),
            // The folder existed, and was removed before its type was looked at.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < MOST => {
                tries += 1;
                continue;
            }
            Err(error) => return Err(file_error("create", folder, error)),
        };
        match opened {
            Ok(file) => return Ok(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound && tries < MOST => tries += 1,
            Err(error) => return Err(file_error("create", path, error)),
        }
    }
}

pub(super) fn file_error(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::File {
        action,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> (tempfile::TempDir, Layout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path().join("new"));
        (folder, layout)
    }

    #[test]
    fn a_committed_blob_has_its_name_and_nothing_else_is_left() {
        let (_folder, layout) = layout();
        let mut upload = layout.upload("sha256").unwrap();
        upload.write(b"he").unwrap();
        upload.write(b"llo").unwrap();
        let hello = Digest::sha256(b"hello");
        assert_eq!(upload.digest(), hello);
        assert!(layout.blob(&hello).unwrap().is_none());
        assert_eq!(upload.commit(Some(5), Some(&hello)).unwrap(), hello);
        assert_eq!(fs::read(layout.blob_path(&hello)).unwrap(), b"hello");
        assert_eq!(layout.blobs().unwrap().len(), 1);
        assert_eq!(layout.is_intact(&hello).unwrap(), Some(true));
        assert_eq!(fs::read_dir(layout.root()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_not_as_announced_or_given_up_leaves_nothing() {
        let (_folder, layout) = layout();
        let hello = Digest::sha256(b"hello");
        let written = || {
            let mut upload = layout.upload("sha256").unwrap();
            upload.write(b"hellO").unwrap();
            upload
        };
        let wrong = written().commit(None, Some(&hello)).unwrap_err();
        assert!(matches!(wrong, CommitError::Digest { .. }), "{wrong}");
        let wrong = written().commit(Some(6), None).unwrap_err();
        assert!(matches!(wrong, CommitError::Size { .. }), "{wrong}");
        drop(written());
        assert_eq!(layout.blobs().unwrap(), []);
        assert_eq!(fs::read_dir(layout.root()).unwrap().count(), 0);
    }

    #[test]
    fn an_upload_can_begin_again() {
        let (_folder, layout) = layout();
        let mut upload = layout.upload("sha512").unwrap();
        upload.write(b"wrong").unwrap();
        upload.restart().unwrap();
        upload.write(b"right").unwrap();
        assert_eq!(upload.size(), 5);
        let digest = upload.commit(Some(5), None).unwrap();
        assert_eq!(digest.algorithm(), "sha512");
        assert_eq!(fs::read(layout.blob_path(&digest)).unwrap(), b"right");
    }

    #[test]
    fn uploads_at_the_same_time_do_not_disturb_each_other() {
        let (_folder, layout) = layout();
        std::thread::scope(|scope| {
            for thread in 0..8_u32 {
                let layout = &layout;
                scope.spawn(move || {
                    for number in 0..50 {
                        let mut upload = layout.upload("sha256").unwrap();
                        upload
                            .write(format!("{thread} {number}").as_bytes())
                            .unwrap();
                        upload.commit(None, None).unwrap();
                    }
                });
            }
        });
        assert_eq!(layout.blobs().unwrap().len(), 400);
        assert!(!layout.ingest().exists());
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let layout = Layout::new("/proc/nowhere");
        let error = layout.upload("sha256").unwrap_err().to_string();
        assert!(error.contains("/proc/nowhere/ingest"), "{error}");
    }
}
