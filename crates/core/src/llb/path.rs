//! Slash-separated paths as Go's package `path` cleans and joins them.

/// Returns the shortest equivalent path: no `.`, no inner `..`, no doubled or trailing slash; `.`
/// if nothing is left.
pub fn clean(path: &str) -> String {
    if is_clean(path) {
        return path.to_owned();
    }
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(".."),
            },
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
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
        (false, false) => clean(&format!("{base}/{path}")),
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
        assert_eq!(base("/a/b//"), "b");
        assert_eq!(base("//"), "/");
        assert_eq!(base(""), ".");
    }
}
