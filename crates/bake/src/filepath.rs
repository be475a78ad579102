//! Paths as text, with `/` between names, with the rules of Go's `path` and `filepath` on Unix.
//!
//! No access to files: bake prints paths as the reference would.

/// Returns the shortest equivalent path: no `.`, no `//`, and `..` only at the front.
pub fn clean(path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." if names.last().is_some_and(|last| *last != "..") => {
                names.pop();
            }
            ".." if is_absolute => {}
            _ => names.push(name),
        }
    }
    let joined = names.join("/");
    match (is_absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// Joins `path` to `folder` and cleans the result. Empty parts are skipped; without parts the
/// result is empty.
pub fn join(folder: &str, path: &str) -> String {
    match (folder.is_empty(), path.is_empty()) {
        (true, true) => String::new(),
        (true, false) => clean(path),
        (false, true) => clean(folder),
        (false, false) => clean(&format!("{folder}/{path}")),
    }
}

/// Returns the folder of a path, cleaned: `.` for a name alone.
pub fn folder(path: &str) -> String {
    match path.rfind('/') {
        Some(at) => clean(&path[..=at]),
        None => ".".to_owned(),
    }
}

/// True if the path starts at the root.
pub fn is_absolute(path: &str) -> bool {
    path.starts_with('/')
}

/// Returns the path from `base` to `target`; `None` if it cannot be computed without the file
/// system.
pub fn relative(base: &str, target: &str) -> Option<String> {
    let (base, target) = (clean(base), clean(target));
    if base == target {
        return Some(".".to_owned());
    }
    let base = if base == "." { "" } else { base.as_str() };
    if is_absolute(base) != is_absolute(&target) {
        return None;
    }
    let names = |path: &str| -> Vec<String> {
        path.split('/')
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (from, to) = (names(base), names(&target));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    if from[shared..].iter().any(|name| name == "..") {
        return None;
    }
    let up = std::iter::repeat_n("..".to_owned(), from.len() - shared);
    let way: Vec<String> = up.chain(to[shared..].iter().cloned()).collect();
    Some(way.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned() {
        for (path, expected) in [
            ("", "."),
            ("./a//b/.", "a/b"),
            ("a/..", "."),
            ("../../a/../b", "../../b"),
            ("/../a", "/a"),
            ("/", "/"),
            ("a/", "a"),
        ] {
            assert_eq!(clean(path), expected, "{path}");
        }
    }

    #[test]
    fn paths_are_joined_and_split() {
        assert_eq!(join("", "./a"), "a");
        assert_eq!(join("x", "../a"), "a");
        assert_eq!(join("", ""), "");
        assert_eq!(folder("a/b.yaml"), "a");
        assert_eq!(folder("b.yaml"), ".");
        assert_eq!(folder("/b.yaml"), "/");
    }

    #[test]
    fn ways_between_paths() {
        assert_eq!(relative("", "sub").as_deref(), Some("sub"));
        assert_eq!(relative("", ".").as_deref(), Some("."));
        assert_eq!(relative("inc", "inc/inc/sub").as_deref(), Some("inc/sub"));
        assert_eq!(relative("a/b", "a/c").as_deref(), Some("../c"));
        assert_eq!(relative("a", "/a"), None);
        assert_eq!(relative("../a", "b"), None);
    }
}
