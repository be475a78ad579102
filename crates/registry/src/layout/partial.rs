//! Partial blobs: an interrupted transfer resumes.

use std::fs::OpenOptions;
use std::io::{Read as _, Seek as _, SeekFrom};

use solvekit_host::files::{is_at, without_links};

use super::upload::{file_error, open_in};
use super::{Error, Layout, Upload};
use crate::oci::{Descriptor, Hasher};

impl Layout {
    /// Resumes a blob that an [`Upload`] left incomplete, or starts it. The received part stays on
    /// disk if the upload is dropped before its commit. If another program is writing the same
    /// blob, this starts an independent upload that leaves nothing. Blocking: the existing part is
    /// read for its digest.
    pub fn resume(&self, blob: &Descriptor) -> Result<Upload, Error> {
        let folder = self.ingest();
        let (algorithm, hex) = (blob.digest.algorithm(), blob.digest.hex());
        let path = folder.join(format!("{algorithm}-{hex}.part"));
        let mut open = OpenOptions::new();
        open.read(true).write(true).create(true).truncate(false);
        // The name can be guessed, so others who can write to the folder could place a link here.
        let mut file = open_in(&folder, &path, without_links(&mut open))?;
        if file.try_lock().is_err() {
            return self.upload(algorithm);
        }
        if !is_at(&file, &path) {
            // The previous lock holder has just moved the blob into place.
            return self.upload(algorithm);
        }
        let mut hasher = Hasher::new(algorithm);
        let mut size = 0;
        let mut buffer = vec![0; 64 << 10];
        let read = loop {
            match file.read(&mut buffer) {
                Ok(0) => break Ok(()),
                Ok(read) => {
                    hasher.update(&buffer[..read]);
                    size += read as u64;
                }
                Err(error) => break Err(error),
            }
        };
        let ready = read.and_then(|()| {
            if size > blob.size {
                hasher = Hasher::new(algorithm);
                size = 0;
                file.set_len(0)?;
            }
            file.seek(SeekFrom::Start(size)).map(drop)
        });
        ready.map_err(|error| file_error("read", &path, error))?;
        Ok(Upload::of_part(self, file, path, hasher, size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::CommitError;

    #[test]
    fn what_was_left_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        let hello = Descriptor::of("a/b", b"hello");
        let mut upload = layout.resume(&hello).unwrap();
        upload.write(b"he").unwrap();
        // A second writer of the same blob has its own file.
        let mut other = layout.resume(&hello).unwrap();
        assert_eq!(other.size(), 0);
        other.write(b"x").unwrap();
        drop((upload, other));
        let mut upload = layout.resume(&hello).unwrap();
        assert_eq!(upload.size(), 2);
        upload.write(b"llo").unwrap();
        upload.commit(Some(5), Some(&hello.digest)).unwrap();
        assert_eq!(layout.is_intact(&hello.digest).unwrap(), Some(true));
        assert!(!layout.ingest().exists());
    }

    #[test]
    fn a_part_of_something_else_does_not_stay() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        let hello = Descriptor::of("a/b", b"hello");
        let mut upload = layout.resume(&hello).unwrap();
        upload.write(b"wrong").unwrap();
        let wrong = upload.commit(Some(5), Some(&hello.digest)).unwrap_err();
        assert!(matches!(wrong, CommitError::Digest { .. }));
        let mut upload = layout.resume(&hello).unwrap();
        assert_eq!(upload.size(), 0);
        upload.write(b"far too long").unwrap();
        drop(upload);
        assert_eq!(layout.resume(&hello).unwrap().size(), 0);
    }

    #[test]
    fn partial_blobs_at_the_same_time_do_not_disturb_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path());
        std::thread::scope(|scope| {
            for thread in 0..8_u32 {
                let layout = &layout;
                scope.spawn(move || {
                    for number in 0..50 {
                        let text = format!("{thread} {number}");
                        let blob = Descriptor::of("a/b", text.as_bytes());
                        let mut upload = layout.resume(&blob).unwrap();
                        upload.write(text.as_bytes()).unwrap();
                        upload.commit(Some(blob.size), Some(&blob.digest)).unwrap();
                    }
                });
            }
        });
        assert_eq!(layout.blobs().unwrap().len(), 400);
        assert!(!layout.ingest().exists());
    }
}
