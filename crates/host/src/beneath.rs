//! Paths inside a folder: types and code for all systems.

use std::io;

use crate::is_missing;

/// The most links that are followed on the way to a file, as in Linux.
const MAX_LINKS: usize = 40;

/// The treatment of symbolic links in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// Follows links that stay inside the folder. Absolute links count as leading out of it.
    Inside,
    /// Follows no link.
    Never,
}

/// The reason a path in a folder could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BeneathError {
    /// A link leads out of the folder, or links are not allowed.
    #[error("a symbolic link leads out of the folder")]
    Outside,
    /// The path is a folder, a pipe, a socket or a device.
    #[error("it is not a regular file")]
    NotRegular,
    /// The path is a socket, which cannot be opened.
    #[error("it is a socket")]
    Socket,
    /// The system call failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl BeneathError {
    /// Returns true if nothing exists at the path.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io(error) if is_missing(error))
    }
}

/// The type of a directory entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link. On Windows also a junction.
    Link,
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
    /// A block device.
    BlockDevice,
    /// A character device.
    CharacterDevice,
    /// A type that the folder's listing omits, or another type of the system.
    Unknown,
}

/// The metadata of a directory entry. Links are not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The type.
    pub kind: Kind,
    /// Permissions, set-id bits and the sticky bit of Unix. On Windows 0755, or 0555 for a
    /// read-only file, as BuildKit's own clients send them.
    pub permissions: u32,
    /// The size in bytes.
    pub size: u64,
    /// The modification time of the content, in nanoseconds since 1970.
    pub modified: i64,
    /// The number of a device, as the system encodes it.
    pub device: u64,
    /// The device and inode numbers of an entry with several names; `None` for folders, and on
    /// Windows.
    pub shared: Option<(u64, u64)>,
    /// The owner. Root on Windows, as BuildKit's own clients send it.
    pub owner: Owner,
}

/// A user and a group of Unix, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Owner {
    /// The user.
    pub user: u32,
    /// The group.
    pub group: u32,
}

/// A pipe or device to create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Special {
    /// The type.
    pub kind: Kind,
    /// The permissions of Unix.
    pub permissions: u32,
    /// The major number of a device.
    pub major: u32,
    /// The minor number of a device.
    pub minor: u32,
}

/// The result of opening one name.
pub(crate) enum Step<H> {
    Opened(H),
    /// A link with this target; `/` separates its names.
    Link(Vec<u8>),
}

/// Opens one path element after the other, for systems that cannot confine a whole path. `open`
/// opens a name in a folder (`None`: the root) without following a link. The last name is the
/// requested entry, the others are folders. Returns `None` for the root itself.
pub(crate) fn resolve<H>(
    path: &[u8],
    links: Links,
    open: impl Fn(Option<&H>, &[u8], Last) -> Result<Step<H>, BeneathError>,
) -> Result<Option<H>, BeneathError> {
    let mut pending: Vec<Vec<u8>> = Vec::new();
    push(&mut pending, path)?;
    let mut folders: Vec<H> = Vec::new();
    let mut followed = 0;
    while let Some(name) = pending.pop() {
        match name.as_slice() {
            b"" | b"." => continue,
            b".." => {
                folders.pop().ok_or(BeneathError::Outside)?;
                continue;
            }
            _ => {}
        }
        let last = match pending.is_empty() {
            true => Last::Yes,
            false => Last::No,
        };
        match open(folders.last(), &name, last)? {
            Step::Opened(opened) => folders.push(opened),
            Step::Link(target) => {
                followed += 1;
                if links == Links::Never || followed > MAX_LINKS {
                    return Err(BeneathError::Outside);
                }
                push(&mut pending, &target)?;
            }
        }
    }
    Ok(folders.pop())
}

/// The position of a path element: `Yes` for the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    Yes,
    No,
}

/// Adds the names of a path, the first on top. Absolute paths lead outside.
fn push(pending: &mut Vec<Vec<u8>>, path: &[u8]) -> Result<(), BeneathError> {
    if path.first() == Some(&b'/') {
        return Err(BeneathError::Outside);
    }
    let names = path.split(|&byte| byte == b'/').rev();
    pending.extend(names.map(<[u8]>::to_vec));
    Ok(())
}

impl crate::Beneath {
    /// Returns the type of a name in the folder, or `None` if there is no such name.
    ///
    /// # Errors
    /// As [`status`](Self::status).
    pub fn kind(&self, name: &[u8]) -> io::Result<Option<Kind>> {
        match self.status(name) {
            Ok(status) => Ok(Some(status.kind)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree of names: `d` is a folder, `f` a file in each folder, the others are links.
    fn steps(path: &str, links: Links) -> Result<Option<String>, BeneathError> {
        resolve(
            path.as_bytes(),
            links,
            |folder: Option<&String>, name, last| {
                let name = std::str::from_utf8(name).unwrap();
                let at = folder.map_or(String::new(), |folder| format!("{folder}/")) + name;
                match name {
                    "d" => Ok(Step::Opened(at)),
                    "f" if last == Last::Yes => Ok(Step::Opened(at)),
                    "in" => Ok(Step::Link(b"d/f".to_vec())),
                    "up" => Ok(Step::Link(b"..".to_vec())),
                    "absolute" => Ok(Step::Link(b"/d".to_vec())),
                    "loop" => Ok(Step::Link(b"loop".to_vec())),
                    _ => Err(io::Error::from(io::ErrorKind::NotFound).into()),
                }
            },
        )
    }

    #[test]
    fn links_are_followed_inside_only() {
        for (path, found) in [
            ("d/f", "d/f"),
            ("d/./d//f", "d/d/f"),
            ("in", "d/f"),
            ("d/in", "d/d/f"),
            ("d/up/d", "d"),
            ("d/../f", "f"),
        ] {
            assert_eq!(steps(path, Links::Inside).unwrap().as_deref(), Some(found));
        }
        assert_eq!(steps(".", Links::Never).unwrap(), None);
        assert_eq!(steps("d/up", Links::Inside).unwrap(), None);
        for path in [
            "up",
            "..",
            "d/../..",
            "/d",
            "absolute",
            "d/absolute",
            "loop",
        ] {
            let error = steps(path, Links::Inside).unwrap_err();
            assert!(matches!(error, BeneathError::Outside), "{path}: {error}");
        }
        for path in ["in", "d/in", "d/up/f"] {
            let error = steps(path, Links::Never).unwrap_err();
            assert!(matches!(error, BeneathError::Outside), "{path}: {error}");
        }
        assert!(steps("none", Links::Inside).unwrap_err().is_missing());
    }
}
