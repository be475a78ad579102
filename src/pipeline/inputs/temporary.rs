//! Temporary folders that are removed when a build no longer needs them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use solvekit_host::files::make_private_folder;

use crate::pipeline::{Error, Folders};
use crate::session;

/// A private folder of this user, removed when the value is dropped.
#[derive(Debug)]
pub(crate) struct TemporaryFolder {
    path: PathBuf,
}

impl TemporaryFolder {
    pub(crate) fn new(folders: &Folders) -> Result<Self, Error> {
        let parent = folders.temporary.as_ref().ok_or(Error::NoTemporaryFolder)?;
        Self::at(parent.join(format!("solvekit-{}", session::new_id()?)))
    }

    /// Creates a folder beside a file, so on the same disk.
    pub(crate) fn beside(file: &Path) -> Result<Self, Error> {
        let mut path = file.as_os_str().to_owned();
        path.push(format!(".{}.parts", session::new_id()?));
        Self::at(path.into())
    }

    fn at(path: PathBuf) -> Result<Self, Error> {
        let made = make_private_folder(&path);
        made.map_err(|source| Error::TemporaryFolder {
            path: path.clone(),
            source,
        })?;
        Ok(Self { path })
    }

    /// Creates a folder with this file in it.
    pub(in crate::pipeline) fn with_file(
        folders: &Folders,
        name: &str,
        content: &[u8],
    ) -> Result<Self, Error> {
        let folder = Self::new(folders)?;
        let written: io::Result<()> = fs::write(folder.path.join(name), content);
        written.map_err(|source| Error::TemporaryFolder {
            path: folder.path.clone(),
            source,
        })?;
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // The operating system cleans up whatever is left.
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_gone_afterwards() {
        let folder = TemporaryFolder::with_file(
            &Folders::from_environment(),
            "Dockerfile",
            b"FROM scratch\n",
        )
        .unwrap();
        let path = folder.path().to_owned();
        assert_eq!(
            fs::read(path.join("Dockerfile")).unwrap(),
            b"FROM scratch\n"
        );
        drop(folder);
        assert!(!path.exists());
    }
}
