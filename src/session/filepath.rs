//! Lexical paths and globs with the meaning Go's `path/filepath` gives them on unix, because the daemon's side of file
//! sync is defined in its terms. No file system access here.

/// The shortest equivalent of a slash-separated path (Go's `filepath.Clean`): no `.`, no empty elements, `..` resolved
/// where it can be; `.` for the empty path.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut elements: Vec<&str> = Vec::new();
    for element in path.split('/') {
        match element {
            "" | "." => {}
            ".." => match elements.last() {
                Some(&last) if last != ".." => {
                    elements.pop();
                }
                _ if rooted => {}
                _ => elements.push(".."),
            },
            name => elements.push(name),
        }
    }
    match (rooted, elements.is_empty()) {
        (true, _) => format!("/{}", elements.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => elements.join("/"),
    }
}

/// Both paths with a slash between them, cleaned (Go's `filepath.Join`); empty elements are left out.
pub(crate) fn join(left: &str, right: &str) -> String {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => String::new(),
        (true, false) => clean(right),
        (false, true) => clean(left),
        (false, false) => clean(&format!("{left}/{right}")),
    }
}

/// The path without its last element, and that element, of a clean relative path; the parent is `.` when there is one
/// element only.
pub(crate) fn split_parent(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or((".", path))
}

/// A glob that Go's `filepath.Match` calls malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadGlob;

/// Whether `glob` is one that Go's `filepath.Match` accepts.
pub(crate) fn check_glob(glob: &str) -> Result<(), BadGlob> {
    let mut rest = glob.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                rest.next().ok_or(BadGlob)?;
            }
            '[' => {
                Class::parse(&mut rest)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether the whole of `name` matches `glob`, as Go's `filepath.Match` has it: `*` and `?` do not match a slash,
/// classes with `^` negation and ranges, backslash escapes. A malformed glob matches nothing.
pub(crate) fn glob_matches(glob: &str, name: &str) -> bool {
    check_glob(glob).is_ok() && matches_from(glob, name)
}

/// [`glob_matches`] for a glob known to be well-formed. Stars are tried shortest first; names are short, so plain
/// backtracking over the last star is enough.
fn matches_from(glob: &str, name: &str) -> bool {
    let (mut glob, mut name) = (glob.chars(), name.chars());
    let mut last_star: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let before = glob.clone();
        let advanced = match glob.next() {
            None if name.as_str().is_empty() => return true,
            None => false,
            Some('*') => {
                last_star = Some((glob.clone(), name.clone()));
                continue;
            }
            Some(_) => {
                glob = before;
                match_one(&mut glob, &mut name)
            }
        };
        if advanced {
            continue;
        }
        // Let the last star take one character more, unless that is a slash.
        match last_star.as_mut() {
            Some((after_star, taken)) => match taken.next() {
                None | Some('/') => return false,
                Some(_) => (glob, name) = (after_star.clone(), taken.clone()),
            },
            None => return false,
        }
    }
}

/// Matches one element of the glob, which is not a star, against one character.
fn match_one(glob: &mut std::str::Chars<'_>, name: &mut std::str::Chars<'_>) -> bool {
    let (Some(element), Some(c)) = (glob.next(), name.next()) else {
        return false;
    };
    match element {
        '?' => c != '/',
        '[' => Class::parse(glob).is_ok_and(|class| class.contains(c)),
        '\\' => glob.next() == Some(c),
        literal => literal == c,
    }
}

/// A bracket expression.
struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Class {
    /// Reads a class of which the opening bracket has been read, up to and with the closing one.
    fn parse(rest: &mut std::str::Chars<'_>) -> Result<Self, BadGlob> {
        let negated = rest.as_str().starts_with('^');
        if negated {
            rest.next();
        }
        let mut ranges = Vec::new();
        loop {
            if rest.as_str().starts_with(']') && !ranges.is_empty() {
                rest.next();
                return Ok(Self { negated, ranges });
            }
            let low = Self::bound(rest)?;
            let high = if rest.as_str().starts_with('-') {
                rest.next();
                Self::bound(rest)?
            } else {
                low
            };
            ranges.push((low, high));
        }
    }

    fn bound(rest: &mut std::str::Chars<'_>) -> Result<char, BadGlob> {
        let c = match rest.next() {
            None | Some('-' | ']') => return Err(BadGlob),
            Some('\\') => rest.next().ok_or(BadGlob)?,
            Some(c) => c,
        };
        if rest.as_str().is_empty() {
            Err(BadGlob)
        } else {
            Ok(c)
        }
    }

    fn contains(&self, c: char) -> bool {
        self.ranges.iter().any(|&(low, high)| low <= c && c <= high) != self.negated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_follows_go() {
        for (path, want) in [
            ("", "."),
            (".", "."),
            ("./a//b/", "a/b"),
            ("a/../../b", "../b"),
            ("/..//a", "/a"),
            ("/", "/"),
            ("a/..", "."),
            ("!./a/", "!./a"),
        ] {
            assert_eq!(clean(path), want, "{path:?}");
        }
    }

    #[test]
    fn globs_match_as_in_go() {
        for (glob, name, want) in [
            ("*", "abc", true),
            ("*", "a/b", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("?", "é", true),
            ("?", "/", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[\\-x]", "-", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a]", "a]", true),
            ("", "", true),
            ("**", "abc", true),
        ] {
            assert_eq!(glob_matches(glob, name), want, "{glob:?} {name:?}");
        }
    }

    #[test]
    fn malformed_globs_are_told() {
        for glob in [
            "[", "[]", "[]a]", "[a-]", "[-a]", "[^]", "a\\", "[a", "[a\\", "*[", "[^b", "[\\]",
        ] {
            assert_eq!(check_glob(glob), Err(BadGlob), "{glob:?}");
            assert!(!glob_matches(glob, "a"), "{glob:?}");
        }
        for glob in ["[a]", "[^a]]", "[\\]]", "]", "a-b", "[[:alpha:]]"] {
            assert_eq!(check_glob(glob), Ok(()), "{glob:?}");
        }
    }
}
