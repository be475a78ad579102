//! Finds the point where a path typed by the user enters a folder with untrusted content.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

/// The kernel's limit for followed links.
const LINKS: usize = 40;

/// The destination of a typed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Into the folder. Holds the rest of the path, to be opened with [`Beneath`](super::Beneath).
    Into(PathBuf),
    /// Not through the folder. Holds the whole path.
    Past(PathBuf),
}

/// Follows an absolute path until it enters `root`. The user typed the path up to there, so its
/// links are followed; the rest is the folder's content. `root` must contain no links.
///
/// `..` is resolved first, without looking at links, as Go's `filepath.Clean` does.
///
/// # Errors
/// If there are too many links. A missing file is not an error.
pub fn way(root: &Path, path: &Path) -> io::Result<Way> {
    let path = clean(path);
    let mut to_go: VecDeque<OsString> = names(&path).collect();
    let mut at = start(&path);
    let mut links = 0;
    while let Some(name) = to_go.pop_front() {
        if let Ok(inside) = at.strip_prefix(root) {
            let mut inside = inside.join(name);
            inside.extend(to_go);
            return Ok(Way::Into(inside));
        }
        if name == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&name);
        match std::fs::read_link(&next) {
            Ok(target) => {
                links += 1;
                if links > LINKS {
                    return Err(io::Error::other("there are too many symbolic links"));
                }
                if target.is_absolute() {
                    at = start(&target);
                }
                let target: Vec<_> = names(&target).collect();
                target
                    .into_iter()
                    .rev()
                    .for_each(|name| to_go.push_front(name));
            }
            Err(_) => at = next,
        }
    }
    Ok(Way::Past(path))
}

/// Removes `.` and resolves `..` without looking at the disk.
fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                cleaned.pop();
            }
            Component::CurDir => {}
            part => cleaned.push(part),
        }
    }
    cleaned
}

/// Returns where an absolute path begins: the root, on Windows that of a drive.
fn start(path: &Path) -> PathBuf {
    let is_start = |part: &Component<'_>| matches!(part, Component::Prefix(_) | Component::RootDir);
    path.components().take_while(is_start).collect()
}

/// Splits a path into names; `..` is one of them.
fn names(path: &Path) -> impl Iterator<Item = OsString> {
    let names: Vec<OsString> = path
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
        })
        .collect();
    names.into_iter()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_path_is_the_typist_s_until_it_goes_into_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path().canonicalize().unwrap();
        let root = top.join("root");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::create_dir(top.join("other")).unwrap();
        symlink("root", top.join("to-root")).unwrap();
        symlink("root/sub/file", top.join("to-file")).unwrap();
        symlink(&top, root.join("out")).unwrap();
        symlink("loop", top.join("loop")).unwrap();
        let inside = |path: &str| match way(&root, &top.join(path)).unwrap() {
            Way::Into(path) => Some(path.to_str().unwrap().to_owned()),
            Way::Past(_) => None,
        };
        assert_eq!(inside("root/file").as_deref(), Some("file"));
        assert_eq!(inside("root/sub/file").as_deref(), Some("sub/file"));
        assert_eq!(inside("to-root/sub/file").as_deref(), Some("sub/file"));
        assert_eq!(inside("to-file").as_deref(), Some("sub/file"));
        assert_eq!(inside("other/../root/./file").as_deref(), Some("file"));
        // The folder's content is opened through it, wherever its links point.
        assert_eq!(inside("root/out/other/x").as_deref(), Some("out/other/x"));
        assert_eq!(inside("other/file"), None);
        assert_eq!(inside("root/../other/file"), None);
        assert_eq!(inside("root"), None);
        let cleaned = Way::Past(top.join("x"));
        assert_eq!(way(&root, &top.join("root/out/../../x")).unwrap(), cleaned);
        assert!(way(&root, &top.join("loop/x")).is_err());
    }
}
