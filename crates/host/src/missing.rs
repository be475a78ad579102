//! Errors for paths that do not exist.

use std::io;

/// Returns true if the path of the failed call does not exist: it is missing itself, or a file is
/// in the place of one of its parent folders.
pub fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_path_beneath_a_file_is_missing_too() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [folder.path().join("none"), file.join("beneath")] {
            assert!(is_missing(&fs::read(&path).unwrap_err()), "{path:?}");
        }
        assert!(!is_missing(&fs::read(folder.path()).unwrap_err()));
    }
}
