//! The path of a value in the tree: `services.web.build.args`.

use std::fmt;

/// A path, as a linked list that starts at its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    name: &'a str,
    depth: usize,
}

/// The name of a list's items.
pub(super) const ITEM: &str = "[]";

impl<'a> Path<'a> {
    /// The path of the whole file.
    pub(super) const ROOT: Path<'static> = Path {
        parent: None,
        name: "",
        depth: 0,
    };

    pub(super) fn next(&'a self, name: &'a str) -> Path<'a> {
        Path {
            parent: Some(self),
            name,
            depth: self.depth + 1,
        }
    }

    /// True if the path matches `pattern`, in which `*` matches any name.
    pub(super) fn matches(&self, pattern: &[&str]) -> bool {
        if pattern.len() != self.depth {
            return false;
        }
        let mut path = Some(self);
        for expected in pattern.iter().rev() {
            match path {
                Some(part) if *expected == "*" || *expected == part.name => path = part.parent,
                _ => return false,
            }
        }
        true
    }

    pub(super) fn depth(&self) -> usize {
        self.depth
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parent {
            Some(parent) if parent.depth > 0 => write!(f, "{parent}.{}", self.name),
            _ => f.write_str(self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_name() {
        let services = Path::ROOT.next("services");
        let web = services.next("web.app");
        let build = web.next("build");
        assert_eq!(build.to_string(), "services.web.app.build");
        assert!(build.matches(&["services", "*", "build"]));
        assert!(!build.matches(&["services", "build"]));
        assert!(!web.matches(&["services", "*", "build"]));
        assert!(Path::ROOT.matches(&[]));
    }
}
