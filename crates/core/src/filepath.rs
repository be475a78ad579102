//! Lexical paths and globs with the semantics of Go's `path/filepath` on Unix, in which the
//! daemon's file sync is defined. No file system access.

/// Returns the shortest equivalent of a slash-separated path (Go's `filepath.Clean`): no `.`, no
/// empty elements, `..` resolved where possible; `.` for the empty path.
pub fn clean(path: &str) -> String {
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

/// Joins both paths with a slash and cleans the result (Go's `filepath.Join`); empty elements are
/// skipped.
pub fn join(left: &str, right: &str) -> String {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => String::new(),
        (true, false) => clean(right),
        (false, true) => clean(left),
        (false, false) => clean(&format!("{left}/{right}")),
    }
}

/// Splits a clean relative path into its parent and its last element; the parent is `.` if there is
/// only one element.
pub fn split_parent(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or((".", path))
}

/// The glob is malformed for Go's `filepath.Match`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadGlob;

/// True if the whole of `name` matches `glob`, by the rules of Go's `filepath.Match`: `*` and `?`
/// do not match a slash, classes with `^` negation and ranges, backslash escapes.
///
/// # Errors
///
/// If a part of the glob that had to be read is malformed. As in Go, the text after a star is not
/// read once the name can no longer match.
pub fn glob_matches(mut glob: &str, mut name: &str) -> Result<bool, BadGlob> {
    while !glob.is_empty() {
        let (star, chunk, rest) = split_chunk(glob);
        glob = rest;
        if star && chunk.is_empty() {
            return Ok(!name.contains('/'));
        }
        let end = if star {
            name.find('/').unwrap_or(name.len())
        } else {
            0
        };
        let mut starts = name
            .char_indices()
            .map(|(at, _)| at)
            .chain([name.len()])
            .take_while(|&at| at <= end);
        let after = loop {
            let Some(start) = starts.next() else {
                return Ok(false);
            };
            match match_chunk(chunk, &name[start..])? {
                // The last chunk must reach the end; others take the first match.
                Some(after) if after.is_empty() || !glob.is_empty() => break after,
                _ => {}
            }
        };
        name = after;
    }
    Ok(name.is_empty())
}

/// Splits off the stars at the beginning and the text before the next star.
fn split_chunk(glob: &str) -> (bool, &str, &str) {
    let unstarred = glob.trim_start_matches('*');
    let mut in_class = false;
    let mut escaped = false;
    let end = unstarred.find(|c| {
        if std::mem::take(&mut escaped) {
            return false;
        }
        match c {
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '*' => return !in_class,
            _ => {}
        }
        false
    });
    let (chunk, rest) = unstarred.split_at(end.unwrap_or(unstarred.len()));
    (unstarred.len() < glob.len(), chunk, rest)
}

/// Matches a chunk without stars against the beginning of the text, and returns the rest. The chunk
/// is always checked to its end.
fn match_chunk<'a>(chunk: &str, text: &'a str) -> Result<Option<&'a str>, BadGlob> {
    let mut chunk = chunk.chars();
    let mut text = text.chars();
    let mut failed = false;
    while let Some(element) = chunk.next() {
        let c = if failed { None } else { text.next() };
        let matched = match element {
            '[' => {
                let class = Class::parse(&mut chunk)?;
                c.is_some_and(|c| class.contains(c))
            }
            '?' => c.is_some_and(|c| c != '/'),
            '\\' => {
                let escaped = chunk.next().ok_or(BadGlob)?;
                c == Some(escaped)
            }
            literal => c == Some(literal),
        };
        failed |= !matched;
    }
    Ok((!failed).then_some(text.as_str()))
}

/// A bracket expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    negated: bool,
    ranges: Vec<(char, char)>,
}

impl Class {
    /// Parses a class after its opening bracket, including the closing one.
    pub fn parse(rest: &mut std::str::Chars<'_>) -> Result<Self, BadGlob> {
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

    /// True if no range ends before it begins.
    pub fn is_ordered(&self) -> bool {
        self.ranges.iter().all(|(low, high)| low <= high)
    }

    /// True if the class matches the character.
    pub fn contains(&self, c: char) -> bool {
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
            assert_eq!(glob_matches(glob, name), Ok(want), "{glob:?} {name:?}");
        }
    }

    #[test]
    fn malformed_globs_are_reported() {
        for glob in [
            "[", "[]", "[]a]", "[a-]", "[-a]", "[^]", "a\\", "[a", "[a\\", "*[", "[^b", "[\\]",
        ] {
            assert_eq!(glob_matches(glob, "a"), Err(BadGlob), "{glob:?}");
        }
        for glob in ["[a]", "[^a]]", "[\\]]", "]", "a-b", "[[:alpha:]]", "x*["] {
            assert!(glob_matches(glob, "a").is_ok(), "{glob:?}");
        }
    }
}
