//! Finds sources of COPY and ADD that are missing in the context's folder, before anything is
//! solved.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use prost::Message as _;

use crate::llb::{Definition, Location};
use crate::proto::pb;
use crate::suggest::nearest;

/// The identifier of the main context in the session.
const MAIN_CONTEXT: &str = "local://context";
/// The most names of a folder that are compared with a mistyped one.
const MAX_NAMES: usize = 1000;

/// Why a source of COPY or ADD was not found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MissingSource {
    /// The file does not exist.
    #[error("{path:?} is not in the context folder {}", folder.display())]
    Absent {
        /// The path within the context.
        path: String,
        /// The context.
        folder: PathBuf,
        /// An existing path with a similar name.
        nearest: Option<String>,
    },
    /// The ignore file excludes it.
    #[error(
        "{path:?} is in the context folder, but the rule {rule:?} of {} excludes it",
        ignore_file.display()
    )]
    Excluded {
        /// The path within the context.
        path: String,
        /// The last matching rule.
        rule: String,
        /// The ignore file.
        ignore_file: PathBuf,
    },
    /// The stage, image or context of `--from` does not contain the path.
    #[error("{path:?} is not in {from}, which --from names")]
    Elsewhere {
        /// The path, from the root.
        path: String,
        /// The value of `--from`.
        from: String,
    },
}

impl MissingSource {
    /// Returns the error for a missing path. `None` if it exists, or if that is uncertain: below a
    /// link, in an unreadable folder, or with wildcards.
    pub(crate) fn absent(folder: &Path, path: &str) -> Option<Self> {
        let is_plain = |name: &&str| !matches!(*name, "" | ".");
        let names: Vec<&str> = path.split('/').filter(is_plain).collect();
        if path.contains(['*', '?', '[', '\\']) || names.contains(&"..") {
            return None;
        }
        let mut parent = folder.to_owned();
        for (depth, name) in names.iter().enumerate() {
            let place = parent.join(name);
            match fs::symlink_metadata(&place) {
                Ok(found) if found.is_dir() => parent = place,
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    let before = &names[..depth];
                    return Some(Self::Absent {
                        path: names.join("/"),
                        folder: folder.to_owned(),
                        nearest: similar(&parent, name)
                            .map(|found| [before, &[found.as_str()]].concat().join("/")),
                    });
                }
                _ => return None,
            }
        }
        None
    }
}

/// Returns the most similar name in a folder.
fn similar(folder: &Path, name: &str) -> Option<String> {
    let entries = fs::read_dir(folder).ok()?.take(MAX_NAMES);
    let names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    nearest(name, &names).map(str::to_owned)
}

/// Returns the first source of a graph that is missing in the main context's folder, with the
/// step's lines.
pub(super) fn find(
    definition: &Definition,
    folder: &Path,
) -> Option<(MissingSource, Vec<Location>)> {
    definition.vertices().iter().find_map(|vertex| {
        let op = pb::Op::decode(vertex.op().clone()).ok()?;
        let Some(pb::op::Op::File(file)) = &op.op else {
            return None;
        };
        let missing = file.actions.iter().find_map(|action| {
            let Some(pb::file_action::Action::Copy(copy)) = &action.action else {
                return None;
            };
            let is_filtered =
                !copy.include_patterns.is_empty() || !copy.exclude_patterns.is_empty();
            let number = usize::try_from(action.secondary_input).ok()?;
            let input = op.inputs.get(number).filter(|_| !is_filtered)?;
            match is_main_context(definition, &input.digest) {
                true => MissingSource::absent(folder, &copy.src),
                false => None,
            }
        })?;
        Some((missing, vertex.locations().to_vec()))
    })
}

fn is_main_context(definition: &Definition, digest: &str) -> bool {
    let vertex = definition.vertex(digest);
    let op = vertex.and_then(|vertex| pb::Op::decode(vertex.op().clone()).ok());
    let op = op.and_then(|op| op.op);
    matches!(op, Some(pb::op::Op::Source(source)) if source.identifier == MAIN_CONTEXT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_what_is_certainly_not_there_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("src")).unwrap();
        fs::write(root.join("src/main.c"), "").unwrap();
        symlink("src", root.join("link")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        let absent = |path| MissingSource::absent(root, path).map(|missing| missing.to_string());
        for path in [
            "/",
            "",
            "/src/",
            "src/main.c",
            "/src/./main.c",
            "/link/x",
            "/dangling",
            "/x*",
            "/x?",
            "/[x]",
            "/a\\b",
            "/../x",
            "/src/main.c/x",
        ] {
            assert_eq!(absent(path), None, "{path}");
        }
        let expected = format!(
            "\"src/mian.c\" is not in the context folder {}",
            root.display()
        );
        assert_eq!(absent("/src/mian.c"), Some(expected));
    }

    #[test]
    fn a_similar_name_is_found_in_the_same_folder() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(folder.path().join("src/main.c"), "").unwrap();
        let nearest = |path| match MissingSource::absent(folder.path(), path) {
            Some(MissingSource::Absent { nearest, .. }) => nearest,
            other => panic!("{other:?}"),
        };
        assert_eq!(nearest("/src/mian.c").as_deref(), Some("src/main.c"));
        assert_eq!(nearest("/scr/x").as_deref(), Some("src"));
        assert_eq!(nearest("/quite/other"), None);
    }
}
