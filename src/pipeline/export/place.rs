//! Checks of output paths that are made before the build starts.

use std::io;
use std::path::{Path, PathBuf};

use solvekit_host::{files, is_missing};

/// Why a path cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// The path should be a file but is a folder.
    #[error("it is a folder")]
    IsFolder,
    /// The path should be a folder but is something else.
    #[error("it is there and no folder")]
    NotAFolder,
    /// A parent of the path is not a folder.
    #[error("{} is not a folder", path.display())]
    ParentNotAFolder {
        /// The parent.
        path: PathBuf,
    },
    /// Nothing can be created in the nearest existing parent.
    #[error("nothing can be made in {}", path.display())]
    Closed {
        /// The nearest existing parent of the path.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The path cannot be inspected.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Checks that a file can be written at the path. Missing folders are created later.
///
/// # Errors
/// [`PlaceError`]
pub fn check_file(path: &Path) -> Result<(), PlaceError> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(PlaceError::IsFolder),
        // Devices and pipes are written to directly.
        Ok(found) if !found.is_file() => Ok(()),
        Ok(_) => check_parents(path),
        Err(error) if is_missing(&error) => check_parents(path),
        Err(error) => Err(error.into()),
    }
}

/// Checks that a folder can be written at the path.
///
/// # Errors
/// [`PlaceError`]
pub fn check_folder(path: &Path) -> Result<(), PlaceError> {
    match std::fs::metadata(path) {
        Ok(found) if !found.is_dir() => Err(PlaceError::NotAFolder),
        Ok(_) => check_writable(path),
        Err(error) if is_missing(&error) => check_parents(path),
        Err(error) => Err(error.into()),
    }
}

/// Creates the folder of a file.
///
/// # Errors
/// The error of the operating system.
pub fn make_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => std::fs::create_dir_all(parent),
        _ => Ok(()),
    }
}

/// Checks the nearest existing parent.
fn check_parents(path: &Path) -> Result<(), PlaceError> {
    let path = std::path::absolute(path)?;
    for parent in path.ancestors().skip(1) {
        match std::fs::metadata(parent) {
            Ok(found) if found.is_dir() => return check_writable(parent),
            Ok(_) => {
                return Err(PlaceError::ParentNotAFolder {
                    path: parent.to_owned(),
                });
            }
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn check_writable(folder: &Path) -> Result<(), PlaceError> {
    files::check_writable(folder).map_err(|source| PlaceError::Closed {
        path: folder.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_checked_without_touching_them() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("file"), "").unwrap();
        assert!(check_file(&at("new/deep/file")).is_ok());
        assert!(check_file(&at("file")).is_ok());
        assert!(check_file(Path::new("/dev/null")).is_ok());
        assert!(check_folder(&at("new/deep")).is_ok());
        assert!(!at("new").exists());
        assert!(matches!(
            check_file(folder.path()),
            Err(PlaceError::IsFolder)
        ));
        assert!(matches!(
            check_folder(&at("file")),
            Err(PlaceError::NotAFolder)
        ));
        for wrong in [check_file(&at("file/x")), check_folder(&at("file/x/y"))] {
            assert!(
                matches!(wrong, Err(PlaceError::ParentNotAFolder { path }) if path == at("file"))
            );
        }
    }
}
