//! Matches ordinary patterns without a regular expression: a list of a hundred thousand of them
//! compiles quickly and takes little memory. [`regexp`](super::regexp) handles the unusual ones.

use crate::filepath::Class;

/// A piece of a pattern, with the reference's regular expression for it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// This text.
    Text(Box<str>),
    /// `[^/]`
    One,
    /// A bracket expression. Negated, it matches a slash, as in the reference.
    Class(Class),
    /// `[^/]*`
    Star,
    /// `(.*/)?`
    Tree,
    /// `.*`
    Rest,
}

/// A pattern in pieces; never empty.
#[derive(Debug, Clone)]
pub(super) struct Glob {
    pieces: Box<[Piece]>,
}

impl Glob {
    /// Splits a pattern into pieces. `None` if only a regular expression can match it as the
    /// reference does.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut rest = pattern.chars();
        while let Some(c) = rest.next() {
            let piece = match c {
                '*' if rest.as_str().starts_with('*') => {
                    rest.next();
                    if rest.as_str().starts_with('/') {
                        rest.next();
                    }
                    if rest.as_str().is_empty() {
                        Piece::Rest
                    } else {
                        Piece::Tree
                    }
                }
                '*' => Piece::Star,
                '?' => Piece::One,
                '[' => Piece::Class(class(&mut rest)?),
                '\\' => {
                    text.push(
                        rest.next()
                            .filter(|c| c.is_ascii() && !c.is_ascii_alphanumeric())?,
                    );
                    continue;
                }
                '^' | '|' | '{' | '}' => return None,
                c => {
                    text.push(c);
                    continue;
                }
            };
            flush(&mut text, &mut pieces);
            // `(.*/)?` twice is the same as once: a run of stars is one piece, however long it is.
            if !(piece == Piece::Tree && pieces.last() == Some(&Piece::Tree)) {
                pieces.push(piece);
            }
        }
        flush(&mut text, &mut pieces);
        Some(Self {
            pieces: pieces.into(),
        })
    }

    /// True if the whole path matches.
    pub(super) fn matches(&self, path: &str) -> bool {
        if let Some(Piece::Text(text)) = self.pieces.last()
            && !path.ends_with(text.as_ref())
        {
            return false;
        }
        if let Some(Piece::Text(text)) = self.pieces.first()
            && !path.starts_with(text.as_ref())
        {
            return false;
        }
        // All positions where the next piece can begin; keeping them all at once bounds the time.
        let mut starts = vec![0];
        let mut ends = Vec::new();
        for piece in &self.pieces {
            // Up to here all possible ends are those of an earlier match.
            let mut reach = None;
            for &start in &starts {
                if reach.is_none_or(|reach| start > reach) {
                    reach = piece.ends(path, start, &mut ends);
                } else if *piece == Piece::Tree {
                    ends.push(start);
                }
            }
            if ends.is_empty() {
                return false;
            }
            ends.sort_unstable();
            ends.dedup();
            std::mem::swap(&mut starts, &mut ends);
            ends.clear();
        }
        starts.last() == Some(&path.len())
    }
}

/// Parses a class after its opening bracket. `None` if the reference would change something in it.
fn class(rest: &mut std::str::Chars<'_>) -> Option<Class> {
    let before = rest.as_str();
    let class = Class::parse(rest).ok()?;
    let read = &before[..before.len() - rest.as_str().len()];
    let odd = read.contains(['[', '*', '?', '\\']) || !class.is_ordered();
    (!odd).then_some(class)
}

fn flush(text: &mut String, pieces: &mut Vec<Piece>) {
    if !text.is_empty() {
        pieces.push(Piece::Text(std::mem::take(text).into()));
    }
}

impl Piece {
    /// Adds every position where a match that begins at `start` can end. It returns a position up
    /// to which later starts add no other ends, except that a tree can end where it begins.
    fn ends(&self, path: &str, start: usize, ends: &mut Vec<usize>) -> Option<usize> {
        let rest = &path[start..];
        match self {
            Self::Text(text) => {
                ends.extend(rest.starts_with(text.as_ref()).then(|| start + text.len()));
                None
            }
            Self::One => {
                let c = rest.chars().next().filter(|&c| c != '/');
                ends.extend(c.map(|c| start + c.len_utf8()));
                None
            }
            Self::Class(class) => {
                let c = rest.chars().next().filter(|&c| class.contains(c));
                ends.extend(c.map(|c| start + c.len_utf8()));
                None
            }
            Self::Star => {
                let length = rest.find('/').unwrap_or(rest.len());
                ends.extend(rest[..length].char_indices().map(|(at, _)| start + at));
                ends.push(start + length);
                Some(start + length)
            }
            Self::Tree => {
                let line = line(rest);
                ends.push(start);
                ends.extend(line.match_indices('/').map(|(at, _)| start + at + 1));
                Some(start + line.len())
            }
            Self::Rest => {
                let line = line(rest);
                ends.extend(line.char_indices().map(|(at, _)| start + at));
                ends.push(start + line.len());
                Some(start + line.len())
            }
        }
    }
}

/// Returns the text that `.*` can match: up to the end of the line.
fn line(text: &str) -> &str {
    text.split_once('\n').map_or(text, |(line, _)| line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_stars_is_one_piece() {
        let glob = Glob::new(&format!("a{}b", "*".repeat(100_001))).unwrap();
        assert_eq!(glob.pieces.len(), 4);
        assert!(glob.matches("a/x/y/zb") && !glob.matches("a/x/y/z"));
        assert_eq!(Glob::new(&"**/".repeat(10_000)).unwrap().pieces.len(), 2);
    }

    #[test]
    fn what_is_odd_is_left_to_expressions() {
        for pattern in [
            "a^*",
            "a|b*",
            "a{2}?",
            "\\d*",
            "[[:alpha:]]",
            "[*]",
            "[?x]",
            "[z-a]",
            "[a",
            "a\\",
            "[\\d]",
        ] {
            assert!(Glob::new(pattern).is_none(), "{pattern}");
        }
        for pattern in [
            "*.rs", "**/x/**", "[a-z]?", "[!a]", "[^a]*", "\\*", "a]", "(a+b).$*",
        ] {
            assert!(Glob::new(pattern).is_some(), "{pattern}");
        }
    }

    #[test]
    fn patterns_that_backtrack_without_end_elsewhere_are_quick() {
        // Nanoseconds of this thread alone, independent of other load on the machine.
        let spent = || {
            let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
            time.tv_sec * 1_000_000_000 + time.tv_nsec
        };
        let path = "a/".repeat(120);
        for pattern in [
            "**/*a*a*a*a*a*a*a*a*b*",
            "**/a**/a**/a**/a**/a**/a**/a**/a**/*b*",
        ] {
            let glob = Glob::new(pattern).unwrap();
            let start = spent();
            assert!(!glob.matches(&path));
            assert!(spent() - start < 200_000_000, "{pattern}");
        }
    }
}
