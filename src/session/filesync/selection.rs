//! Decides for a single path if a transfer would send it. The path need not exist.

use std::io;
use std::path::{Path, PathBuf};

use super::error::TransferError;
use super::filter::{Decision, Filter, State};
use super::request::Request;
use crate::files::Beneath;

/// The part of a folder that a `local://` source selects.
///
/// ```
/// use solvekit::session::Selection;
///
/// let follow = vec!["src".to_owned()];
/// let exclude = vec!["**/*.md".to_owned()];
/// let selection = Selection::new(".", &[], &exclude, &follow)?;
/// assert!(selection.has("src/lib.rs"));
/// assert!(!selection.has("src/notes.md"));
/// assert!(!selection.has("tests/main.rs"));
/// # Ok::<(), solvekit::session::SelectionError>(())
/// ```
#[derive(Debug)]
pub struct Selection {
    filter: Filter,
}

/// Why a selection could not be created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelectionError {
    /// The folder could not be opened.
    #[error("cannot open the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A pattern is invalid, or a link could not be followed.
    #[error("cannot tell which files of {} are sent", path.display())]
    Patterns {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Selection {
    /// Creates a selection from a source's patterns (`local.includepattern`,
    /// `local.excludepatterns`, `local.followpaths`). Links on the way of `follow` are resolved in
    /// the folder now. Blocking.
    ///
    /// # Errors
    /// If the folder cannot be opened, or a pattern is invalid.
    pub fn new(
        root: impl AsRef<Path>,
        include: &[String],
        exclude: &[String],
        follow: &[String],
    ) -> Result<Self, SelectionError> {
        let path = root.as_ref().to_owned();
        let request = Request {
            include: include.to_vec(),
            exclude: exclude.to_vec(),
            follow: follow.to_vec(),
            ..Request::default()
        };
        let folder = match Beneath::open(&path) {
            Ok(folder) => folder,
            Err(source) => return Err(SelectionError::Folder { path, source }),
        };
        let filter = Filter::new(&folder, &request).map_err(|error: TransferError| {
            let source = Box::new(error);
            SelectionError::Patterns { path, source }
        })?;
        Ok(Self { filter })
    }

    /// Returns true if a file, link or folder at this relative path would be sent.
    pub fn has(&self, path: &str) -> bool {
        self.decide(path, false).send
    }

    /// Returns true if something below this relative path could be sent.
    pub fn may_have_inside(&self, path: &str) -> bool {
        self.decide(path, true).enter
    }

    fn decide(&self, path: &str, is_folder: bool) -> Decision {
        let mut parent = State::default();
        for (end, _) in path.match_indices('/') {
            let mut state = State::default();
            self.filter.decide(&path[..end], &parent, Some(&mut state));
            parent = state;
        }
        let mut own = State::default();
        let inside = is_folder.then_some(&mut own);
        self.filter.decide(path, &parent, inside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(root: &Path, exclude: &[&str], follow: &[&str]) -> Selection {
        let owned =
            |list: &[&str]| -> Vec<String> { list.iter().map(|&text| text.to_owned()).collect() };
        Selection::new(root, &[], &owned(exclude), &owned(follow)).unwrap()
    }

    #[test]
    fn paths_that_are_gone_are_selected_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let some = selection(
            folder.path(),
            &["**/*.md", "!src/keep.md", "out"],
            &["src", "go.*"],
        );
        for sent in ["src/a/b", "src/keep.md", "go.mod", "src"] {
            assert!(some.has(sent), "{sent}");
        }
        for left in ["src/a/x.md", "out/a", "gone", "srcs/a"] {
            assert!(!some.has(left), "{left}");
        }
        let all = selection(folder.path(), &["out", "!out/bin"], &[]);
        assert!(all.has("any/thing") && all.has("out/bin/x") && !all.has("out/lib/x"));
        assert!(all.may_have_inside("out") && !all.may_have_inside("out/lib"));
    }

    #[test]
    fn links_on_the_way_are_selected_with_what_they_lead_to() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("v2", folder.path().join("current")).unwrap();
        let followed = selection(folder.path(), &[], &["current/file"]);
        assert!(followed.has("current") && followed.has("v2/file"));
        assert!(!followed.has("v1/file") && !followed.has("v2/other"));
        let below = selection(folder.path(), &[], &["lib/deep/file"]);
        assert!(!below.has("lib") && below.may_have_inside("lib"));
    }

    #[test]
    fn patterns_that_are_none_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        let wrong = ["[".to_owned()];
        let error = Selection::new(folder.path(), &[], &wrong, &[]).unwrap_err();
        assert!(matches!(error, SelectionError::Patterns { .. }), "{error}");
        let error = Selection::new(folder.path().join("nowhere"), &[], &[], &[]).unwrap_err();
        assert!(matches!(error, SelectionError::Folder { .. }), "{error}");
    }
}
