//! Matches the patterns of substitutions, with the semantics of the reference's regular
//! expressions: leftmost, and of several possible matches the one that a backtracking matcher finds
//! first.
//!
//! Patterns and values are short, and nearly every word has a new pattern, so compiling must be
//! cheap.

use std::ops::Range;

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Glob {
    parts: Vec<Part>,
    /// True if `*` matches as much as possible.
    greedy: bool,
}

/// The parts of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// This character.
    Is(char),
    /// Any character except a newline.
    Any,
    /// Any number of characters except newlines.
    Star,
}

impl Glob {
    pub(super) fn new(parts: Vec<Part>, greedy: bool) -> Self {
        Self { parts, greedy }
    }

    /// Returns the end of the match at the beginning of a value.
    pub(super) fn prefix(&self, value: &str) -> Option<usize> {
        self.at(value, 0, &mut Visited::new(self, value))
    }

    /// Returns the first match.
    pub(super) fn find(&self, value: &str) -> Option<Range<usize>> {
        self.find_from(value, 0, &mut Visited::new(self, value))
    }

    /// Returns all matches that do not overlap; an empty one directly after another match is
    /// skipped.
    pub(super) fn find_all<'a>(
        &'a self,
        value: &'a str,
    ) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut visited = Visited::new(self, value);
        let (mut from, mut last) = (0, None);
        std::iter::from_fn(move || {
            let mut found = self.find_from(value, from, &mut visited)?;
            visited.forget();
            if found.is_empty() && Some(found.end) == last {
                from += value[from..].chars().next()?.len_utf8();
                found = self.find_from(value, from, &mut visited)?;
                visited.forget();
            }
            from = found.end;
            last = Some(found.end);
            Some(found)
        })
    }

    fn find_from(&self, value: &str, from: usize, visited: &mut Visited) -> Option<Range<usize>> {
        let starts = value[from..].char_indices().map(|(at, _)| from + at);
        starts
            .chain([value.len()])
            .find_map(|start| Some(start..self.at(value, start, visited)?))
    }

    /// Returns the end of the match that begins at `start`. Every pair of a part and a position is
    /// tried once, because a failed pair fails again.
    fn at(&self, value: &str, start: usize, visited: &mut Visited) -> Option<usize> {
        let mut open = vec![(0, start)];
        while let Some((mut part, mut at)) = open.pop() {
            while visited.is_new(part, at) {
                let Some(wanted) = self.parts.get(part) else {
                    return Some(at);
                };
                let next = value[at..].chars().next();
                let after = next.map_or(at, |c| at + c.len_utf8());
                let is_any = next.is_some_and(|c| c != '\n');
                match wanted {
                    Part::Is(c) if next == Some(*c) => (part, at) = (part + 1, after),
                    Part::Any if is_any => (part, at) = (part + 1, after),
                    Part::Is(_) | Part::Any => break,
                    Part::Star if !is_any => part += 1,
                    Part::Star if self.greedy => {
                        open.push((part + 1, at));
                        at = after;
                    }
                    Part::Star => {
                        open.push((part, after));
                        part += 1;
                    }
                }
            }
        }
        None
    }
}

/// The pairs of a part and a position that were tried, one bit each.
struct Visited {
    bits: Vec<u64>,
    places: usize,
    touched: Vec<usize>,
}

impl Visited {
    fn new(glob: &Glob, value: &str) -> Self {
        let places = value.len() + 1;
        let pairs = (glob.parts.len() + 1).saturating_mul(places);
        Self {
            bits: vec![0; pairs.div_ceil(64)],
            places,
            touched: Vec::new(),
        }
    }

    /// Marks the pair; true the first time.
    fn is_new(&mut self, part: usize, at: usize) -> bool {
        let pair = part * self.places + at;
        let (word, bit) = (pair / 64, 1 << (pair % 64));
        if self.bits[word] & bit != 0 {
            return false;
        }
        if self.bits[word] == 0 {
            self.touched.push(word);
        }
        self.bits[word] |= bit;
        true
    }

    fn forget(&mut self) {
        for word in self.touched.drain(..) {
            self.bits[word] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    fn glob(pattern: &str, greedy: bool) -> Glob {
        let part = |c| match c {
            '*' => Part::Star,
            '?' => Part::Any,
            c => Part::Is(c),
        };
        Glob::new(pattern.chars().map(part).collect(), greedy)
    }

    fn regex(pattern: &str, greedy: bool, start: &str) -> Regex {
        let piece = |c: char| match c {
            '*' if greedy => ".*".to_owned(),
            '*' => ".*?".to_owned(),
            '?' => ".".to_owned(),
            c => regex::escape(&c.to_string()),
        };
        let pieces: String = pattern.chars().map(piece).collect();
        Regex::new(&format!("{start}{pieces}")).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn it_is_the_regular_expression(
            pattern in "[ab*?é\n]{0,7}",
            value in "[abé\n]{0,12}",
            greedy: bool,
        ) {
            let glob = glob(&pattern, greedy);
            let anchored = regex(&pattern, greedy, "^").find(&value);
            prop_assert_eq!(glob.prefix(&value), anchored.map(|found| found.end()));
            let anywhere = regex(&pattern, greedy, "");
            prop_assert_eq!(glob.find(&value), anywhere.find(&value).map(|found| found.range()));
            let all: Vec<_> = anywhere.find_iter(&value).map(|found| found.range()).collect();
            prop_assert_eq!(glob.find_all(&value).collect::<Vec<_>>(), all);
        }
    }

    #[test]
    fn many_stars_take_no_more_than_pattern_times_value() {
        // The time of this thread alone, independent of other load on the machine.
        let spent = || rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).tv_sec;
        let began = spent();
        let pattern = format!("{}b", "*a".repeat(1000));
        assert_eq!(glob(&pattern, true).find(&"a".repeat(4000)), None);
        assert!(spent() - began < 5);
    }
}
