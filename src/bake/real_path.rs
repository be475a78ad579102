//! Resolves the links in a path, even if its last parts do not exist yet.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

use solvekit_host::is_missing;

/// The most links that are followed, as in Go's `filepath.EvalSymlinks`.
const MAX_LINKS: usize = 255;

/// The absolute path without links, `.` and `..`. Parts that do not exist are kept.
pub(super) fn real_path(path: &Path) -> io::Result<PathBuf> {
    real_path_noting(path, &mut Vec::new())
}

/// The same. Adds the followed links to `followed`, each with a link-free parent.
pub(super) fn real_path_noting(path: &Path, followed: &mut Vec<PathBuf>) -> io::Result<PathBuf> {
    let mut pending: VecDeque<OsString> = names(path).collect();
    let mut real = PathBuf::from("/");
    let mut links = 0;
    while let Some(name) = pending.pop_front() {
        match Path::new(&name).components().next() {
            // On Windows a drive precedes the root.
            Some(Component::Prefix(drive)) => real = PathBuf::from(drive.as_os_str()),
            Some(root @ Component::RootDir) => real.push(root),
            Some(Component::ParentDir) => drop(real.pop()),
            Some(Component::Normal(name)) => {
                let next = real.join(name);
                match next.symlink_metadata() {
                    Ok(found) if found.is_symlink() => {
                        links += 1;
                        if links > MAX_LINKS {
                            return Err(io::Error::other("too many links"));
                        }
                        for name in names(&next.read_link()?).rev() {
                            pending.push_front(name);
                        }
                        followed.push(next);
                    }
                    Ok(_) => real = next,
                    Err(error) if is_missing(&error) => real = next,
                    Err(error) => return Err(error),
                }
            }
            _ => {}
        }
    }
    Ok(real)
}

fn names(path: &Path) -> impl DoubleEndedIterator<Item = OsString> {
    path.components().map(|part| part.as_os_str().to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_even_to_what_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("in")).unwrap();
        symlink("../out", root.join("in/dangling")).unwrap();
        symlink("/etc", root.join("in/etc")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        let real = |path: &str| real_path(&root.join(path));
        assert_eq!(real("in/dangling/x").unwrap(), root.join("out/x"));
        assert_eq!(real("in/./new/../file").unwrap(), root.join("in/file"));
        // `..` is the parent of the link's target.
        assert_eq!(real("in/etc/..").unwrap(), Path::new("/"));
        assert_eq!(real("loop").unwrap_err().to_string(), "too many links");
        let mut followed = Vec::new();
        real_path_noting(&root.join("in/dangling/x"), &mut followed).unwrap();
        assert_eq!(followed, [root.join("in/dangling")]);
    }
}
