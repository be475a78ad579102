//! Follow-paths: what COPY names, together with what the symbolic links on the way point to, as include patterns.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::error::TransferError;
use crate::filepath;

/// Resolves the paths inside of `root` as fsutil's `FollowLinks` does. Links never lead out of the root: absolute ones
/// start there. Wildcards in an element stand for all links that match. `None` when one of the paths is the root.
pub(super) fn follow_links(
    root: &Path,
    paths: &[String],
) -> Result<Option<Vec<String>>, TransferError> {
    let mut links = Links {
        root,
        resolved: BTreeSet::new(),
    };
    for path in paths {
        links.add(path)?;
    }
    Ok(dedupe(links.resolved))
}

/// Drops paths below their predecessor; `None` when one of them is the root, so that there is nothing to restrict to.
/// On an unsorted list this does what the reference does with one.
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
    root: &'a Path,
    resolved: BTreeSet<String>,
}

impl Links<'_> {
    /// Adds a path: up to its first link, and then where that leads, until nothing new comes.
    fn add(&mut self, path: &str) -> Result<(), TransferError> {
        let mut pending = vec![filepath::join(".", path)];
        while let Some(path) = pending.pop() {
            self.resolve(&path, &mut pending)?;
        }
        Ok(())
    }

    fn resolve(&mut self, path: &str, pending: &mut Vec<String>) -> Result<(), TransferError> {
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
            if self.resolved.insert(current) {
                pending.extend(targets.iter().map(|target| filepath::join(target, rest)));
            }
            return Ok(());
        }
        Ok(())
    }

    /// Where the links named by `path` point to, from the root on. Only the last element may have wildcards.
    fn targets(&self, path: &str) -> Result<Vec<String>, TransferError> {
        let (parent, name) = filepath::split_parent(path);
        if !has_wildcards(name) {
            return Ok(self.target(path)?.into_iter().collect());
        }
        let error = |source| TransferError::file("list", parent.as_bytes(), source);
        let entries = match std::fs::read_dir(self.root.join(parent)) {
            Ok(entries) => entries,
            Err(source) if is_missing(&source) => return Ok(Vec::new()),
            Err(source) => return Err(error(source)),
        };
        let mut targets = Vec::new();
        for entry in entries {
            let entry = entry.map_err(error)?;
            let Ok(entry_name) = entry.file_name().into_string() else {
                continue;
            };
            if filepath::glob_matches(name, &entry_name) == Ok(true) {
                targets.extend(self.target(&filepath::join(parent, &entry_name))?);
            }
        }
        Ok(targets)
    }

    /// Where the link points to; `None` for what is no link, or not there, or outside of the root.
    fn target(&self, path: &str) -> Result<Option<String>, TransferError> {
        if path == "." || path == ".." || path.starts_with("../") {
            return Ok(None);
        }
        let error = |source| TransferError::file("read link", path.as_bytes(), source);
        match self.root.join(path).symlink_metadata() {
            Ok(metadata) if metadata.is_symlink() => {}
            Ok(_) => return Ok(None),
            Err(source) if is_missing(&source) => return Ok(None),
            Err(source) => return Err(error(source)),
        }
        let target = std::fs::read_link(self.root.join(path)).map_err(error)?;
        let target = filepath::clean(&target.to_string_lossy());
        Ok(Some(match target.starts_with('/') {
            true => target,
            false => filepath::clean(&format!("/{}/{target}", filepath::split_parent(path).0)),
        }))
    }
}

fn has_wildcards(name: &str) -> bool {
    let mut escaped = false;
    name.chars().any(|c| {
        let special = !escaped && matches!(c, '*' | '?' | '[');
        escaped = !escaped && c == '\\';
        special
    })
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
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
        follow_links(dir.path(), &paths).unwrap()
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
        assert_eq!(follow(&[("a", "a/x")], &["a"]), some(&["a"]));
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
