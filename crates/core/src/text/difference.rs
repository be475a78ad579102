//! The lines by which two texts differ, in the format of `diff -u`. The work is bounded: the
//! comparison stops if the texts have too little in common.

use std::collections::HashMap;

/// The most edits of a comparison.
const EDITS: usize = 1000;
/// The number of equal lines shown around a change.
const AROUND: usize = 3;

/// Returns the differences of two texts in the unified format, without the lines that name the
/// files: hunks of at most `most` lines altogether. Returns `None` if the texts differ in more than
/// a thousand lines, and an empty text if they are equal. The cost is linear in the texts.
///
/// ```
/// let shown = solvekit_core::text::unified("a\nb\n", "a\nc\n", 100);
/// assert_eq!(shown.as_deref(), Some("@@ -1,2 +1,2 @@\n a\n-b\n+c\n"));
/// ```
pub fn unified(old: &str, new: &str, most: usize) -> Option<String> {
    let (old, new) = (lines(old), lines(new));
    let edits = edits(&old, &new)?;
    let mut shown = Shown::default();
    for hunk in hunks(&edits) {
        shown.hunk(&edits[hunk.edits.clone()], &hunk, &old, &new);
    }
    Some(shown.finish(most))
}

/// Returns the lines of a text with their ends: a last line without one differs from a line with
/// one.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// One line of both texts, or of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edit {
    Keep,
    Remove,
    Add,
}

/// Returns the shortest edits from one list of lines to the other.
fn edits(old: &[&str], new: &[&str]) -> Option<Vec<Edit>> {
    let same = |(a, b): &(&&str, &&str)| a == b;
    let head = old.iter().zip(new).take_while(same).count();
    let (old, new) = (&old[head..], &new[head..]);
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(same);
    let tail = tail.count();
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    // Comparing numbers is faster than comparing lines.
    let mut numbers = HashMap::new();
    let mut number = |lines: &[&'_ str]| -> Vec<usize> {
        let numbered = lines.iter().map(|line| {
            let next = numbers.len();
            *numbers.entry((*line).to_owned()).or_insert(next)
        });
        numbered.collect()
    };
    let (old, new) = (number(old), number(new));
    let mut all = vec![Edit::Keep; head];
    all.extend(shortest(&old, &new)?);
    all.extend(std::iter::repeat_n(Edit::Keep, tail));
    Some(all)
}

/// Myers' algorithm: each round finds the furthest line on each diagonal with one more edit.
fn shortest(old: &[usize], new: &[usize]) -> Option<Vec<Edit>> {
    let most = (old.len() + new.len()).min(EDITS);
    let middle = most + 1;
    let mut reached = vec![0_usize; 2 * middle + 1];
    // The furthest lines before each round, for the diagonals from -round to round.
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    for round in 0..=most {
        rounds.push(reached[middle - round..=middle + round].to_vec());
        for place in (middle - round..=middle + round).step_by(2) {
            let from_above = place == middle - round
                || (place != middle + round && reached[place - 1] < reached[place + 1]);
            let mut x = match from_above {
                true => reached[place + 1],
                false => reached[place - 1] + 1,
            };
            // Diagonals outside the texts are skipped.
            let Some(mut y) = (x + middle).checked_sub(place) else {
                continue;
            };
            while x < old.len() && y < new.len() && old[x] == new[y] {
                x += 1;
                y += 1;
            }
            reached[place] = x;
            if x >= old.len() && y >= new.len() {
                return Some(walk_back(&rounds, old.len(), new.len()));
            }
        }
    }
    None
}

/// Reconstructs the edits from the end to the start.
fn walk_back(rounds: &[Vec<usize>], old: usize, new: usize) -> Vec<Edit> {
    let (mut x, mut y) = (old, new);
    let mut edits = Vec::new();
    for (round, reached) in rounds.iter().enumerate().skip(1).rev() {
        // The position of the diagonal in this round's list.
        let place = round + x - y.min(round + x);
        let from_above =
            place == 0 || (place != 2 * round && reached[place - 1] < reached[place + 1]);
        let (before_x, edit) = match from_above {
            true => (reached[place + 1], Edit::Add),
            false => (reached[place - 1], Edit::Remove),
        };
        let edited_x = match edit {
            Edit::Remove => before_x + 1,
            _ => before_x,
        };
        let kept = x - edited_x;
        edits.extend(std::iter::repeat_n(Edit::Keep, kept));
        edits.push(edit);
        (x, y) = match edit {
            Edit::Remove => (before_x, y - kept),
            _ => (before_x, y - kept - 1),
        };
    }
    edits.extend(std::iter::repeat_n(Edit::Keep, x));
    edits.reverse();
    edits
}

/// Nearby changes, with the equal lines around them.
struct Hunk {
    edits: std::ops::Range<usize>,
    /// The first line in both texts, from 0.
    old: usize,
    new: usize,
}

fn hunks(edits: &[Edit]) -> Vec<Hunk> {
    let mut hunks: Vec<Hunk> = Vec::new();
    let (mut old, mut new) = (0, 0);
    for (at, edit) in edits.iter().enumerate() {
        if *edit != Edit::Keep {
            let end = (at + 1 + AROUND).min(edits.len());
            match hunks.last_mut() {
                Some(last) if at <= last.edits.end + AROUND => last.edits.end = end,
                _ => {
                    // Only kept lines are between the previous hunk and this change.
                    let before = at.min(AROUND);
                    hunks.push(Hunk {
                        edits: at - before..end,
                        old: old - before,
                        new: new - before,
                    });
                }
            }
        }
        old += usize::from(*edit != Edit::Add);
        new += usize::from(*edit != Edit::Remove);
    }
    hunks
}

/// The text of the hunks.
#[derive(Default)]
struct Shown {
    lines: Vec<String>,
}

impl Shown {
    fn hunk(&mut self, edits: &[Edit], hunk: &Hunk, old: &[&str], new: &[&str]) {
        let count = |not: Edit| edits.iter().filter(|edit| **edit != not).count();
        let (olds, news) = (count(Edit::Add), count(Edit::Remove));
        self.lines.push(format!(
            "@@ -{} +{} @@",
            range(hunk.old, olds),
            range(hunk.new, news)
        ));
        let (mut x, mut y) = (hunk.old, hunk.new);
        for edit in edits {
            let (sign, line) = match edit {
                Edit::Keep => (' ', old[x]),
                Edit::Remove => ('-', old[x]),
                Edit::Add => ('+', new[y]),
            };
            x += usize::from(*edit != Edit::Add);
            y += usize::from(*edit != Edit::Remove);
            self.line(sign, line);
        }
    }

    fn line(&mut self, sign: char, line: &str) {
        let text = line.strip_suffix('\n');
        self.lines.push(format!("{sign}{}", text.unwrap_or(line)));
        if text.is_none() {
            self.lines.push("\\ No newline at end of file".to_owned());
        }
    }

    fn finish(mut self, most: usize) -> String {
        let more = self.lines.len().saturating_sub(most);
        if more > 0 {
            self.lines.truncate(most);
            self.lines.push(format!("… {more} more lines"));
        }
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

/// Formats a range of lines like `diff -u`.
fn range(first: usize, count: usize) -> String {
    match count {
        0 => format!("{first},0"),
        1 => (first + 1).to_string(),
        count => format!("{},{count}", first + 1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hunks_are_those_of_diff() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";
        let new = old.replace("2\n3", "two\n3").replace("11\n", "");
        let new = new.replace("1two", "12");
        assert_eq!(
            unified(old, &new, 100).unwrap(),
            "@@ -1,5 +1,5 @@\n 1\n-2\n+two\n 3\n 4\n 5\n@@ -8,5 +8,4 @@\n 8\n 9\n 10\n-11\n 12\n"
        );
        assert_eq!(unified("a", "a", 9).unwrap(), "");
        assert_eq!(unified("", "a\n", 9).unwrap(), "@@ -0,0 +1 @@\n+a\n");
        assert_eq!(
            unified("a\n", "a", 9).unwrap(),
            "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n"
        );
    }

    #[test]
    fn long_differences_are_cut_and_hopeless_ones_are_none() {
        let numbers = |from: usize| (from..from + 40).map(|it| format!("{it}\n"));
        let (old, new): (String, String) = (numbers(0).collect(), numbers(100).collect());
        let shown = unified(&old, &new, 5).unwrap();
        assert_eq!(shown.lines().count(), 6);
        assert!(shown.ends_with("… 76 more lines\n"), "{shown}");
        let (old, new) = ("a\n".repeat(3000), "b\n".repeat(3000));
        assert_eq!(unified(&old, &new, 5), None);
    }

    proptest! {
        #[test]
        fn the_edits_make_the_second_text_of_the_first(
            old in proptest::collection::vec("[abc]\n", 0..40),
            new in proptest::collection::vec("[abc]\n", 0..40),
        ) {
            let old: Vec<&str> = old.iter().map(String::as_str).collect();
            let new: Vec<&str> = new.iter().map(String::as_str).collect();
            let (mut x, mut made) = (0, Vec::new());
            for edit in edits(&old, &new).unwrap() {
                match edit {
                    Edit::Keep => {
                        made.push(old[x]);
                        x += 1;
                    }
                    Edit::Remove => x += 1,
                    Edit::Add => made.push(new[made.len()]),
                }
            }
            prop_assert_eq!(x, old.len());
            prop_assert_eq!(made, new);
        }

        #[test]
        fn any_texts_have_a_difference_or_none(old in "\\PC{0,40}", new in "(?s).{0,40}") {
            let shown = unified(&old, &new, 1000).unwrap();
            prop_assert_eq!(shown.is_empty(), old == new);
        }
    }
}
