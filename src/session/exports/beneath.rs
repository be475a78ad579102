//! Opens the daemon's file names inside the export's directory. No link leads outside.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::error::ExportError;
use crate::files::{self, BeneathError, Links};

/// The longest path that the kernel accepts, in bytes.
const PATH: usize = 4096;

/// The destination of an export.
#[derive(Debug)]
pub(super) struct Beneath {
    root: Arc<files::Beneath>,
    /// The directory that was opened last. Paths arrive sorted, so the next one usually uses it
    /// too.
    last: Option<(Vec<u8>, files::Beneath)>,
}

impl Beneath {
    /// Opens the root.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        let root = Arc::new(files::Beneath::open(root)?);
        Ok(Self { root, last: None })
    }

    /// The same destination for another thread.
    pub(super) fn again(&self) -> Self {
        Self {
            root: Arc::clone(&self.root),
            last: None,
        }
    }

    /// Returns the root.
    pub(super) fn root(&self) -> &files::Beneath {
        &self.root
    }

    /// Returns the directory of the path, and the file name. Links that stay inside are followed,
    /// as in the reference.
    pub(super) fn parent<'a>(
        &mut self,
        path: &'a [u8],
    ) -> Result<(&files::Beneath, &'a [u8]), ExportError> {
        check(path)?;
        let (parent, name) = split(path);
        if self.last.as_ref().is_none_or(|(last, _)| last != parent) {
            let opened = self.root.directory(parent, Links::Inside);
            let opened = opened.map_err(|error| match error {
                BeneathError::Io(error) => ExportError::file("open", parent, error),
                _ => outside(path),
            })?;
            self.last = Some((parent.to_owned(), opened));
        }
        match &self.last {
            Some((_, directory)) => Ok((directory, name)),
            None => Ok((&self.root, name)),
        }
    }
}

/// Splits a path into folder and name.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (b".", path),
    }
}

/// Refuses any path that is not clean, relative and downwards.
pub(super) fn check(path: &[u8]) -> Result<(), ExportError> {
    let mut names = path.split(|&byte| byte == b'/');
    let inside = !path.contains(&0) && names.all(|name| !matches!(name, b"" | b"." | b".."));
    if path.len() > PATH {
        return Err(ExportError::Limit {
            what: "a path",
            limit: "4 KiB",
        });
    }
    match inside {
        true => Ok(()),
        false => Err(outside(path)),
    }
}

fn outside(path: &[u8]) -> ExportError {
    ExportError::Outside {
        path: String::from_utf8_lossy(path).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn paths_that_do_not_go_down_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut beneath = Beneath::open(dir.path()).unwrap();
        for path in [
            "",
            ".",
            "..",
            "/etc/x",
            "a/../../x",
            "a//b",
            "a/./b",
            "a/",
            "a\0b",
        ] {
            assert!(
                matches!(
                    beneath.parent(path.as_bytes()),
                    Err(ExportError::Outside { .. })
                ),
                "{path:?}"
            );
        }
    }

    #[test]
    fn links_are_followed_inside_only() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("real/sub")).unwrap();
        symlink("real", dir.path().join("inside")).unwrap();
        symlink("/etc", dir.path().join("absolute")).unwrap();
        symlink("../..", dir.path().join("up")).unwrap();
        let mut beneath = Beneath::open(dir.path()).unwrap();
        assert!(beneath.parent(b"inside/sub/x").is_ok());
        for path in ["absolute/x", "up/x", "real/../up/x"] {
            assert!(
                matches!(
                    beneath.parent(path.as_bytes()),
                    Err(ExportError::Outside { .. })
                ),
                "{path}"
            );
        }
    }
}
