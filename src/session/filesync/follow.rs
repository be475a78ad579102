//! Follow-paths: turns the paths of COPY, and the targets of symbolic links on the way, into
//! include patterns.

use std::collections::{BTreeSet, HashSet};
use std::io;

use super::error::TransferError;
use super::listing::Listing;
use crate::filepath;
use crate::files::{self, Beneath, BeneathError};

/// The kernel's limit for followed links.
const DEPTH: usize = 40;
/// The maximum total size of paths through links, in bytes: in a hostile repository each link can
/// lead to many others.
const BYTES: usize = 16 << 20;

/// Resolves the paths inside `root` as fsutil's `FollowLinks` does. Links never lead outside:
/// absolute ones start at the root. A wildcard matches all links with such a name. Returns `None`
/// if a path is the root.
///
/// Unlike fsutil, which follows a link only for the first path through it, this follows it for each
/// path.
pub(super) fn follow_links(
    root: &Beneath,
    paths: &[String],
) -> Result<Option<Vec<String>>, TransferError> {
    let mut links = Links {
        root,
        resolved: BTreeSet::new(),
        seen: HashSet::new(),
        bytes: 0,
    };
    for path in paths {
        links.add(path)?;
    }
    Ok(dedupe(links.resolved))
}

/// Drops paths below their predecessor. Returns `None` if one of them is the root, because then
/// everything is included. It treats an unsorted list like the reference.
pub(super) fn dedupe(paths: impl IntoIterator<Item = String>) -> Option<Vec<String>> {
    let mut kept: Vec<String> = Vec::new();
    for path in paths {
        if path == "." {
            return None;
        }
        let parent = kept.last().map_or("", String::as_str);
        if path
            .strip_prefix(parent)
            .is_some_and(|rest| rest.starts_with('/'))
        {
            continue;
        }
        kept.push(path);
    }
    Some(kept)
}

struct Links<'a> {
    root: &'a Beneath,
    resolved: BTreeSet<String>,
    /// The paths with links that were seen.
    seen: HashSet<String>,
    /// The total length of all paths.
    bytes: usize,
}

impl Links<'_> {
    /// Adds a path up to its first link, then the link's target, until nothing new is found.
    fn add(&mut self, path: &str) -> Result<(), TransferError> {
        let mut pending = vec![(filepath::join(".", path), 0)];
        while let Some((path, depth)) = pending.pop() {
            self.resolve(path, depth, &mut pending)?;
        }
        Ok(())
    }

    fn resolve(
        &mut self,
        path: String,
        depth: usize,
        pending: &mut Vec<(String, usize)>,
    ) -> Result<(), TransferError> {
        let path = path.trim_start_matches('/');
        let ends = path
            .match_indices('/')
            .map(|(end, _)| end)
            .chain([path.len()]);
        for end in ends {
            let (current, rest) = (filepath::clean(&path[..end]), &path[end..]);
            let targets = self.targets(&current)?;
            if targets.is_empty() {
                if rest.is_empty() {
                    self.resolved.insert(current);
                }
                continue;
            }
            self.resolved.insert(current);
            // A cycle ends when a path repeats, or is longer than the kernel would follow.
            if depth < DEPTH && self.seen.insert(path.to_owned()) {
                for target in &targets {
                    let next = filepath::join(target, rest);
                    self.bytes += next.len();
                    if self.bytes > BYTES {
                        return Err(TransferError::TooManyLinks);
                    }
                    pending.push((next, depth + 1));
                }
            }
            return Ok(());
        }
        Ok(())
    }

    /// Returns the targets of the links that match `path`, relative to the root. Only the last
    /// element may have wildcards.
    fn targets(&self, path: &str) -> Result<Vec<String>, TransferError> {
        let (parent, name) = filepath::split_parent(path);
        if !has_wildcards(name) {
            return Ok(self.target(path)?.into_iter().collect());
        }
        let error = |source| TransferError::file("list", parent.as_bytes(), source);
        let Some(folder) = self.folder(parent).map_err(error)? else {
            return Ok(Vec::new());
        };
        let mut names = Listing::read(&folder).map_err(error)?;
        let mut targets = Vec::new();
        while let Some((entry, _)) = names.next() {
            let Ok(entry) = std::str::from_utf8(entry) else {
                continue;
            };
            if filepath::glob_matches(name, entry) == Ok(true) {
                targets.extend(self.target(&filepath::join(parent, entry))?);
            }
        }
        Ok(targets)
    }

    /// Returns the link's target; `None` if there is no link, or it is outside the root.
    fn target(&self, path: &str) -> Result<Option<String>, TransferError> {
        if path == "." || path == ".." || path.starts_with("../") {
            return Ok(None);
        }
        let error = |source| TransferError::file("read link", path.as_bytes(), source);
        let (parent, name) = filepath::split_parent(path);
        let Some(folder) = self.folder(parent).map_err(error)? else {
            return Ok(None);
        };
        let target = match folder.read_link(name.as_bytes()) {
            Ok(target) => target,
            Err(source) if is_no_link(&source) => return Ok(None),
            Err(source) => return Err(error(source)),
        };
        let target = filepath::clean(&String::from_utf8_lossy(&target));
        Ok(Some(match target.starts_with('/') {
            true => target,
            false => filepath::clean(&format!("/{parent}/{target}")),
        }))
    }

    /// Opens a folder of the root; `None` if it does not exist or has become a link.
    fn folder(&self, path: &str) -> io::Result<Option<Beneath>> {
        match self.root.directory(path.as_bytes(), files::Links::Never) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if error.is_missing() => Ok(None),
            Err(BeneathError::Io(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }
}

/// True if nothing has that name, or it is not a link.
fn is_no_link(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound};
    matches!(
        error.kind(),
        InvalidInput | InvalidFilename | NotFound | NotADirectory
    )
}

fn has_wildcards(name: &str) -> bool {
    let mut escaped = false;
    name.chars().any(|c| {
        let special = !escaped && matches!(c, '*' | '?' | '[');
        escaped = !escaped && c == '\\';
        special
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn follow(links: &[(&str, &str)], paths: &[&str]) -> Option<Vec<String>> {
        let dir = tempfile::tempdir().unwrap();
        for (link, target) in links {
            let link = dir.path().join(link);
            std::fs::create_dir_all(link.parent().unwrap()).unwrap();
            symlink(target, link).unwrap();
        }
        let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
        follow_links(&Beneath::open(dir.path()).unwrap(), &paths).unwrap()
    }

    fn some(paths: &[&str]) -> Option<Vec<String>> {
        Some(paths.iter().map(|&path| path.to_owned()).collect())
    }

    #[test]
    fn plain_paths_stay_even_when_missing() {
        assert_eq!(
            follow(&[], &["a/b", "./c/", "/d"]),
            some(&["a/b", "c", "d"])
        );
    }

    #[test]
    fn links_are_named_with_their_targets() {
        let links = [("dir/l1", "../bar"), ("bar", "x/y"), ("x/y", "/abs")];
        assert_eq!(
            follow(&links, &["dir/l1/file"]),
            some(&["abs/file", "bar", "dir/l1", "x/y"])
        );
    }

    #[test]
    fn links_do_not_leave_the_root() {
        assert_eq!(
            follow(&[("l", "../../../etc/passwd")], &["l"]),
            some(&["etc/passwd", "l"])
        );
        assert_eq!(follow(&[], &["../x"]), some(&["../x"]));
    }

    #[test]
    fn circles_end() {
        assert_eq!(
            follow(&[("a", "b"), ("b", "a")], &["a/x"]),
            some(&["a", "b"])
        );
        // The path grows up to the kernel's limit; all results are below the link.
        assert_eq!(follow(&[("a", "a/x")], &["a"]), some(&["a"]));
        assert_eq!(
            follow(&[("a", "."), ("b", "a/a/b")], &["b/x"]),
            some(&["a", "b"])
        );
    }

    #[test]
    fn every_path_through_a_link_follows_it() {
        let links = [("a", "real"), ("real/deep", "../elsewhere")];
        assert_eq!(
            follow(&links, &["a/one", "a/two", "a/deep/x", "a/deep/y"]),
            some(&[
                "a",
                "elsewhere/x",
                "elsewhere/y",
                "real/deep",
                "real/one",
                "real/two"
            ])
        );
    }

    #[test]
    fn links_that_lead_to_ever_more_links_are_given_up() {
        let dir = tempfile::tempdir().unwrap();
        symlink("l*/x", dir.path().join("l1")).unwrap();
        symlink("l*/y", dir.path().join("l2")).unwrap();
        let root = Beneath::open(dir.path()).unwrap();
        let error = follow_links(&root, &["l*".to_owned()]).unwrap_err();
        assert!(matches!(error, TransferError::TooManyLinks), "{error}");
    }

    #[test]
    fn wildcards_stand_for_the_links_they_match() {
        let links = [("d/l1", "t1"), ("d/l2", "../t2"), ("d/other", "t3")];
        assert_eq!(follow(&links, &["d/l*"]), some(&["d/l*", "d/t1", "t2"]));
        assert_eq!(follow(&links, &["missing/*"]), some(&["missing/*"]));
    }

    #[test]
    fn the_root_restricts_nothing() {
        assert_eq!(follow(&[], &["a", "."]), None);
        assert_eq!(follow(&[("l", "/")], &["l"]), None);
    }

    #[test]
    fn paths_below_another_are_dropped() {
        assert_eq!(follow(&[], &["a", "a/b", "ab"]), some(&["a", "ab"]));
    }
}
