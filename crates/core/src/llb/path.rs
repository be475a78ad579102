//! Slash-separated paths as Go's package `path` cleans and joins them.

use std::borrow::Cow;

/// Returns the shortest equivalent path: no `.`, no inner `..`, no doubled or trailing slash; `.`
/// if nothing is left.
pub fn clean(path: &str) -> String {
    cleaned(path).into_owned()
}

/// Like [`clean`], but borrows a path that is clean, except for a slash at its end.
pub(crate) fn cleaned(path: &str) -> Cow<'_, str> {
    if is_clean(path) {
        return Cow::Borrowed(path);
    }
    match path.strip_suffix('/') {
        Some(folder) if is_clean(folder) => Cow::Borrowed(folder),
        _ => Cow::Owned(shortest(path)),
    }
}

fn shortest(path: &str) -> String {
    let root = match path.starts_with('/') {
        true => "/",
        false => "",
    };
    let mut clean = String::with_capacity(path.len() + 1);
    clean.push_str(root);
    // The end of the `..` that lead out of a relative path.
    let mut fixed = root.len();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if clean.len() > fixed => {
                let last = clean[fixed..].rfind('/').map_or(fixed, |at| fixed + at);
                clean.truncate(last);
            }
            ".." if !root.is_empty() => {}
            _ => {
                if clean.len() > root.len() {
                    clean.push('/');
                }
                clean.push_str(part);
                if part == ".." {
                    fixed = clean.len();
                }
            }
        }
    }
    if clean.is_empty() {
        clean.push('.');
    }
    clean
}

/// True if `clean` would not change `path`. No false positives; not every clean path is detected.
fn is_clean(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else {
        return !path.is_empty() && parts_are_clean(path);
    };
    rest.is_empty() || parts_are_clean(rest)
}

fn parts_are_clean(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Joins the parts with slashes and cleans the result; empty parts are skipped. Without parts the
/// result is empty.
pub fn join(base: &str, path: &str) -> String {
    match (base.is_empty(), path.is_empty()) {
        (true, true) => String::new(),
        (true, false) => clean(path),
        (false, true) => clean(base),
        (false, false) if base == "/" && path.starts_with('/') => clean(path),
        (false, false) => {
            let joined = [base, "/", path].concat();
            match is_clean(&joined) {
                true => joined,
                false => clean(&joined),
            }
        }
    }
}

/// Returns the path below the root, clean; borrowed if it is like that already.
pub(crate) fn rooted(path: &str) -> Cow<'_, str> {
    match path.starts_with('/') {
        true => cleaned(path),
        false => Cow::Owned(join("/", path)),
    }
}

/// Returns the last part; `.` for the empty path, `/` for slashes only.
pub fn base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit('/').next() {
        None | Some("") => "/",
        Some(last) => last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_is_go_s() {
        for (path, want) in [
            ("", "."),
            ("/", "/"),
            ("//a//b/", "/a/b"),
            ("a/./b/..", "a"),
            ("../a", "../a"),
            ("/../a", "/a"),
            ("a/../..", ".."),
            (".", "."),
            ("./x", "x"),
            ("..", ".."),
            ("/..", "/"),
            ("a/b", "a/b"),
            ("a...", "a..."),
            ("a/", "a"),
            ("/a/b/", "/a/b"),
            ("../", ".."),
            ("../../a/../../b/", "../../../b"),
            ("a/b/../../../c/..", ".."),
            ("/a/../../b/c/./../", "/b"),
            ("./", "."),
            ("a/../", "."),
        ] {
            assert_eq!(clean(path), want, "{path}");
        }
    }

    #[test]
    fn join_and_base_are_go_s() {
        assert_eq!(join("/", "a"), "/a");
        assert_eq!(join("/", "/a"), "/a");
        assert_eq!(join("/", "//"), "/");
        assert_eq!(join("/x", "../y"), "/y");
        assert_eq!(join("", ""), "");
        assert_eq!(join(".", "/a/b"), "a/b");
        for path in ["", ".", "/", "a/", "/a/../b", "../a"] {
            assert_eq!(rooted(path), join("/", path), "{path}");
        }
        assert_eq!(base("/a/b//"), "b");
        assert_eq!(base("//"), "/");
        assert_eq!(base(""), ".");
    }
}
