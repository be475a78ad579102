//! Lists of path patterns, for `.dockerignore` files and the daemon's include and exclude lists,
//! with the semantics of moby/patternmatcher v0.6, which differ from those of gitignore and of
//! shell globs.

mod error;
mod glob;
mod pattern;
mod regexp;

use crate::filepath;
pub use error::{PatternError, PatternReason};
use pattern::Pattern;

/// A list of patterns for matching paths.
///
/// - A pattern matches a path or any of its parent directories; `!` makes an exception; the last
///   pattern that matches a path decides.
/// - `*` and `?` do not cross a slash, `**` does; `[a-z]`, `[^a-z]` and backslash escapes work as
///   in Go's `filepath.Match`.
/// - White space around a pattern is dropped, `.` and `..` in it are resolved lexically, empty
///   patterns are skipped.
///
/// Paths are relative, clean and slash-separated.
///
/// ```
/// use solvekit_core::ignore::PatternMatcher;
///
/// let ignore = PatternMatcher::new(["**/*.log", "target", "!target/keep.me"])?;
/// assert!(ignore.matches("deep/inside/build.log"));
/// assert!(ignore.matches("target/debug/app"));
/// assert!(!ignore.matches("target/keep.me"));
/// assert_eq!(ignore.rule("target/debug/app").unwrap().pattern, "target");
/// # Ok::<(), solvekit_core::ignore::PatternError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct PatternMatcher {
    patterns: Vec<Pattern>,
    exceptions: bool,
    /// The number of patterns that are regular expressions.
    expressions: usize,
}

/// The most regular expressions: they take much memory, and hardly any pattern needs one.
const EXPRESSIONS: usize = 1000;

/// The pattern that decides about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule<'a> {
    /// The position in the list given to [`PatternMatcher::new`], from 1.
    pub number: usize,
    /// The pattern as the caller gave it.
    pub pattern: &'a str,
}

/// The patterns that match a directory, so that paths below it need not be matched from the root
/// again. The default is the state of the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MatchState {
    /// One bit per pattern; empty for the root.
    matched: Vec<u64>,
}

impl MatchState {
    fn get(&self, index: usize) -> bool {
        self.matched
            .get(index / 64)
            .is_some_and(|word| word & (1 << (index % 64)) != 0)
    }

    fn reset(&mut self, patterns: usize) {
        self.matched.clear();
        self.matched.resize(patterns.div_ceil(64).max(1), 0);
    }

    fn set(&mut self, index: usize) {
        if let Some(word) = self.matched.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }
}

impl PatternMatcher {
    /// Compiles the patterns.
    ///
    /// # Errors
    ///
    /// The first malformed pattern: a lone `!`, or one that Go's `filepath.Match` or `regexp`
    /// rejects. Also more than 1,000 patterns that need a regular expression.
    pub fn new<I>(patterns: I) -> Result<Self, PatternError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut matcher = Self::default();
        for (index, text) in patterns.into_iter().enumerate() {
            matcher.add(index, text.as_ref())?;
        }
        Ok(matcher)
    }

    fn add(&mut self, index: usize, text: &str) -> Result<(), PatternError> {
        let error = |reason| PatternError {
            pattern: text.to_owned(),
            reason,
        };
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Ok(());
        }
        let cleaned = filepath::clean(trimmed);
        let (exception, body) = match cleaned.strip_prefix('!') {
            Some("") => {
                return Err(error(PatternReason::EmptyException));
            }
            Some(body) => (true, body),
            None => (false, cleaned.as_str()),
        };
        // The reference makes this check too; compiling finds the other faults.
        filepath::glob_matches(body, ".").map_err(|_| error(PatternReason::Glob))?;
        let pattern = Pattern::new(body, exception, index, text).map_err(error)?;
        self.expressions += usize::from(pattern.is_expression());
        if self.expressions > EXPRESSIONS {
            return Err(error(PatternReason::TooManyExpressions {
                limit: EXPRESSIONS,
            }));
        }
        self.patterns.push(pattern);
        self.exceptions |= exception;
        Ok(())
    }

    /// True if there are no patterns.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// True if the patterns match the path: a pattern matches it or a parent, and no later
    /// exception does.
    pub fn matches(&self, path: &str) -> bool {
        self.decide(path, &MatchState::default(), None).is_some()
    }

    /// Returns the pattern that makes [`matches`](Self::matches) true: the last one that matches
    /// the path or a parent.
    pub fn rule(&self, path: &str) -> Option<Rule<'_>> {
        let pattern = self.decide(path, &MatchState::default(), None)?;
        Some(Rule {
            number: pattern.index + 1,
            pattern: &pattern.text,
        })
    }

    /// Like [`matches`](Self::matches), for a walk: `parent` is the state of the directory that
    /// contains the path (the default for the root). For a directory, `state` receives the state
    /// for its content.
    pub fn step(&self, path: &str, parent: &MatchState, state: Option<&mut MatchState>) -> bool {
        self.decide(path, parent, state).is_some()
    }

    /// True if something inside a matched directory can be an exception.
    pub fn may_except_inside(&self, directory: &str) -> bool {
        self.exceptions && self.may_match_inside(directory, true)
    }

    /// True if something inside an unmatched directory can be matched.
    pub fn may_include_inside(&self, directory: &str) -> bool {
        self.may_match_inside(directory, false)
    }

    fn may_match_inside(&self, directory: &str, exception: bool) -> bool {
        self.patterns
            .iter()
            .any(|pattern| pattern.exception == exception && pattern.may_match_inside(directory))
    }

    /// Returns the pattern that decides that the path is matched. A pattern is tried only if it
    /// could change the decision; matches of the parent are kept: `MatchesUsingParentResults` of
    /// the reference.
    fn decide(
        &self,
        path: &str,
        parent: &MatchState,
        mut state: Option<&mut MatchState>,
    ) -> Option<&Pattern> {
        if let Some(state) = state.as_deref_mut() {
            state.reset(self.patterns.len());
        }
        let at_root = parent.matched.is_empty();
        let mut decision: Option<&Pattern> = None;
        for (index, pattern) in self.patterns.iter().enumerate() {
            if !parent.get(index) {
                let undecided = pattern.exception == decision.is_some();
                if !undecided
                    || !(pattern.matches(path) || (at_root && matches_parent(pattern, path)))
                {
                    continue;
                }
            }
            if let Some(state) = state.as_deref_mut() {
                state.set(index);
            }
            decision = (!pattern.exception).then_some(pattern);
        }
        decision
    }
}

/// True if the pattern matches a directory above the path.
fn matches_parent(pattern: &Pattern, path: &str) -> bool {
    path.match_indices('/')
        .any(|(end, _)| pattern.matches(&path[..end]))
}

#[cfg(test)]
mod tests;
