//! File ops: creating, copying and removing files without running a process.

use std::sync::Arc;

use super::metadata::Constraints;
use super::state::State;
use super::vertex::{Kind, Output, Vertex};
use super::{path, vertex};

/// A sequence of file actions in one vertex.
#[derive(Debug, Default)]
pub struct File {
    steps: Vec<Step>,
}

/// A file op in the graph.
#[derive(Debug)]
pub(crate) struct FileOp {
    pub(super) base: Option<Output>,
    pub(super) steps: Vec<Step>,
    /// The base directory of relative paths.
    pub(super) dir: Arc<str>,
}

#[derive(Debug)]
pub(super) enum Step {
    Copy {
        source: Option<vertex::Output>,
        from: String,
        to: String,
        copy: Box<Copy>,
    },
    MakeFile {
        path: String,
        mode: u32,
        data: Vec<u8>,
        owner: Option<Owner>,
        created: Option<i64>,
    },
    MakeDir {
        path: String,
        mode: u32,
        dir: MakeDir,
    },
    Remove {
        path: String,
        allow_not_found: bool,
        allow_wildcard: bool,
    },
    Symlink {
        target: String,
        path: String,
        owner: Option<Owner>,
        created: Option<i64>,
    },
}

impl Step {
    pub(super) fn source(&self) -> Option<&Output> {
        match self {
            Self::Copy { source, .. } => source.as_ref(),
            _ => None,
        }
    }

    pub(super) fn take_source(&mut self) -> Option<Output> {
        match self {
            Self::Copy { source, .. } => source.take(),
            _ => None,
        }
    }
}

/// The options of a copy. The default copies one path to an existing directory.
#[derive(Clone, Debug, Default)]
pub struct Copy {
    /// The new owner; `None` keeps 0:0.
    pub owner: Option<Owner>,
    /// The new mode; `None` keeps the mode.
    pub mode: Option<Mode>,
    /// True to copy the target of a symlink.
    pub follow_symlinks: bool,
    /// True to copy the content of a directory instead of the directory.
    pub dir_contents: bool,
    /// True to unpack archives.
    pub unpack: bool,
    /// True to create the destination's directories.
    pub create_dest: bool,
    /// True if `*`, `?` and `[` in the source are wildcards.
    pub allow_wildcard: bool,
    /// True if a wildcard may match nothing.
    pub allow_empty_wildcard: bool,
    /// Only matching files are copied; empty means all.
    pub include_patterns: Vec<String>,
    /// Matching files are not copied.
    pub exclude_patterns: Vec<String>,
    /// Paths that must exist.
    pub required_paths: Vec<String>,
    /// True to replace a directory by a file and the reverse.
    pub always_replace: bool,
    /// The time of the copied files, in nanoseconds since 1970.
    pub created: Option<i64>,
}

/// A file mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Permission bits.
    Bits(u32),
    /// Symbolic changes as in chmod(1): `u+x,go=`.
    Symbolic(String),
}

/// The options of a new directory.
#[derive(Clone, Debug, Default)]
pub struct MakeDir {
    /// True to create its parents too; the directory may then exist already.
    pub parents: bool,
    /// The owner.
    pub owner: Option<Owner>,
    /// The time, in nanoseconds since 1970.
    pub created: Option<i64>,
}

/// Owner and group of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user: Option<Principal>,
    /// The group.
    pub group: Option<Principal>,
}

/// A user or group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A numeric id.
    Id(u32),
    /// A name, looked up in the base file system.
    Name(String),
}

impl Owner {
    /// Parses `user[:group]`; numbers and `root` are ids, anything else is a name. An empty group
    /// is id 0, as in the reference.
    pub fn parse(text: &str) -> Self {
        let (user, group) = match text.split_once(':') {
            Some((user, group)) => (user, Some(group)),
            None => (text, None),
        };
        Self {
            user: Some(Principal::parse(user)),
            group: group.map(Principal::parse),
        }
    }

    /// Returns an owner with numeric ids.
    pub fn ids(uid: u32, gid: u32) -> Self {
        Self {
            user: Some(Principal::Id(uid)),
            group: Some(Principal::Id(gid)),
        }
    }
}

impl Principal {
    fn parse(text: &str) -> Self {
        match text {
            "root" | "" => Self::Id(0),
            // Go's ParseInt accepts a sign, and negative ids wrap around in the uint32 field.
            _ => text
                .parse::<i32>()
                .map_or_else(|_| Self::Name(text.to_owned()), |id| Self::Id(id as u32)),
        }
    }
}

impl File {
    /// Returns a file op without actions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Copies `from` in `source` to `to`; a relative source path is relative to the source state's
    /// directory.
    #[must_use]
    pub fn copy(mut self, source: &State, from: &str, to: impl Into<String>, copy: Copy) -> Self {
        let from = match path::cleaned(from) {
            absolute if absolute.starts_with('/') => absolute.into_owned(),
            relative => path::join(source.dir(), &relative),
        };
        self.steps.push(Step::Copy {
            source: source.output().cloned(),
            from,
            to: to.into(),
            copy: Box::new(copy),
        });
        self
    }

    /// Creates a file; only the permission bits of `mode` are used.
    #[must_use]
    pub fn make_file(
        mut self,
        path: impl Into<String>,
        mode: u32,
        data: impl Into<Vec<u8>>,
    ) -> Self {
        self.steps.push(Step::MakeFile {
            path: path.into(),
            mode: mode & 0o777,
            data: data.into(),
            owner: None,
            created: None,
        });
        self
    }

    /// Creates a directory; only the permission bits of `mode` are used.
    #[must_use]
    pub fn make_dir(mut self, path: impl Into<String>, mode: u32, dir: MakeDir) -> Self {
        self.steps.push(Step::MakeDir {
            path: path.into(),
            mode: mode & 0o777,
            dir,
        });
        self
    }

    /// Removes a file or directory.
    #[must_use]
    pub fn remove(
        mut self,
        path: impl Into<String>,
        allow_not_found: bool,
        allow_wildcard: bool,
    ) -> Self {
        self.steps.push(Step::Remove {
            path: path.into(),
            allow_not_found,
            allow_wildcard,
        });
        self
    }

    /// Creates a symlink at `path` that points to `target`.
    #[must_use]
    pub fn symlink(mut self, target: impl Into<String>, path: impl Into<String>) -> Self {
        self.steps.push(Step::Symlink {
            target: target.into(),
            path: path.into(),
            owner: None,
            created: None,
        });
        self
    }
}

/// Returns the output of `file` on `base`; without an action that is `base`.
pub(super) fn vertex(
    file: File,
    base: Option<Output>,
    dir: &Arc<str>,
    constraints: Constraints,
) -> Option<Output> {
    if file.steps.is_empty() {
        return base;
    }
    let op = FileOp {
        base,
        steps: file.steps,
        dir: dir.clone(),
    };
    Some(Vertex::output(Kind::File(op), constraints))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_ids_when_they_look_like_numbers() {
        assert_eq!(Owner::parse("1000:root"), Owner::ids(1000, 0));
        assert_eq!(Owner::parse("-1").user, Some(Principal::Id(u32::MAX)));
        assert_eq!(
            Owner::parse("99999999999").user,
            Some(Principal::Name("99999999999".into()))
        );
        assert_eq!(Owner::parse("app:").group, Some(Principal::Id(0)));
        assert_eq!(Owner::parse("app").group, None);
    }
}
