//! File ops: making, copying and removing files without running anything.

use std::sync::Arc;

use super::metadata::Constraints;
use super::state::State;
use super::vertex::{Kind, Output, Vertex};
use super::{path, vertex};

/// Actions on files, one after the other, in one vertex.
#[derive(Debug, Default)]
pub struct File {
    steps: Vec<Step>,
}

/// A file op in the graph.
#[derive(Debug)]
pub(crate) struct FileOp {
    pub(super) base: Option<Output>,
    pub(super) steps: Vec<Step>,
    /// The directory that relative paths start from.
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

/// How files are copied. The default copies one path to an existing directory.
#[derive(Clone, Debug, Default)]
pub struct Copy {
    /// The new owner; none keeps 0:0.
    pub owner: Option<Owner>,
    /// The new mode.
    pub mode: Option<Mode>,
    /// Copy what a symlink leads to.
    pub follow_symlinks: bool,
    /// Copy what a directory holds rather than itself.
    pub dir_contents: bool,
    /// Unpack archives.
    pub unpack: bool,
    /// Make the destination's directories.
    pub create_dest: bool,
    /// `*`, `?` and `[` in the source match names.
    pub allow_wildcard: bool,
    /// A wildcard may match nothing.
    pub allow_empty_wildcard: bool,
    /// Only what matches.
    pub include_patterns: Vec<String>,
    /// Not what matches.
    pub exclude_patterns: Vec<String>,
    /// Paths that must be there.
    pub required_paths: Vec<String>,
    /// Replace a directory by a file and the reverse.
    pub always_replace: bool,
    /// The time of the copied files, nanoseconds since 1970.
    pub created: Option<i64>,
}

/// A file mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Its bits.
    Bits(u32),
    /// A symbolic change as of chmod(1): `u+x,go=`.
    Symbolic(String),
}

/// How a directory is made.
#[derive(Clone, Debug, Default)]
pub struct MakeDir {
    /// Make its parents; it may be there already.
    pub parents: bool,
    /// Its owner.
    pub owner: Option<Owner>,
    /// Its time, nanoseconds since 1970.
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
    /// By number.
    Id(u32),
    /// By name, looked up in the base file system.
    Name(String),
}

impl Owner {
    /// `user[:group]`; numbers and `root` are ids, anything else is a name. An empty group is id 0,
    /// as in the reference.
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

    /// By numbers.
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
            // Go's ParseInt takes a sign, and negative ids wrap around in the uint32 field.
            _ => text
                .parse::<i32>()
                .map_or_else(|_| Self::Name(text.to_owned()), |id| Self::Id(id as u32)),
        }
    }
}

impl File {
    /// No action yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Copies `from` in `source` to `to`; a relative source path starts from the source state's
    /// directory.
    #[must_use]
    pub fn copy(mut self, source: &State, from: &str, to: impl Into<String>, copy: Copy) -> Self {
        let from = match path::clean(from) {
            absolute if absolute.starts_with('/') => absolute,
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

    /// Makes a file; only the permission bits of `mode` count.
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

    /// Makes a directory; only the permission bits of `mode` count.
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

    /// Makes a symlink at `path` that leads to `target`.
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

/// The vertex of `file` on `base`; without an action nothing changes.
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
