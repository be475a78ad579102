//! Lists of path patterns, as `.dockerignore` files and the daemon's include and exclude lists have
//! them, with the semantics of moby/patternmatcher v0.6: neither gitignore's nor shell globs'.

mod error;
mod glob;
mod pattern;
mod regexp;

use crate::filepath;
pub use error::{PatternError, PatternReason};
use pattern::Pattern;

/// A list of patterns to ask about paths.
///
/// - A pattern matches a path or any of its parent directories; `!` makes an exception; the last
///   pattern that says something about a path decides.
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
    /// How many of the patterns are regular expressions.
    expressions: usize,
}

/// Expressions take much memory, and hardly any pattern needs one.
const EXPRESSIONS: usize = 1000;

/// The pattern that decided about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule<'a> {
    /// The position in the list that was given to [`PatternMatcher::new`], from 1.
    pub number: usize,
    /// The pattern as it was given.
    pub pattern: &'a str,
}

/// Which patterns a directory matched, so that the paths in it need not be tried again from the
/// root. The default is the state of the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MatchState {
    /// One bit a pattern; empty for the root.
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
    /// The first pattern that is malformed: a lone `!`, or what Go's `filepath.Match` or `regexp`
    /// does not accept. And more than 1,000 patterns so odd that they need a regular expression.
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
        // The reference checks so too; what this leaves out, compiling finds.
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

    /// Whether there is no pattern at all.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether the patterns match the path: it or a parent matches, and no later exception takes it
    /// out again.
    pub fn matches(&self, path: &str) -> bool {
        self.decide(path, &MatchState::default(), None).is_some()
    }

    /// The pattern by which [`matches`](Self::matches) is true: the last one that matched the path
    /// or a parent.
    pub fn rule(&self, path: &str) -> Option<Rule<'_>> {
        let pattern = self.decide(path, &MatchState::default(), None)?;
        Some(Rule {
            number: pattern.index + 1,
            pattern: &pattern.text,
        })
    }

    /// [`matches`](Self::matches) while walking down: `parent` is the state of the directory that
    /// holds the path (the default for the root). For a directory, `state` takes the state to hand
    /// to what is inside.
    pub fn step(&self, path: &str, parent: &MatchState, state: Option<&mut MatchState>) -> bool {
        self.decide(path, parent, state).is_some()
    }

    /// Whether something inside a directory that is matched can be an exception.
    pub fn may_except_inside(&self, directory: &str) -> bool {
        self.exceptions && self.may_match_inside(directory, true)
    }

    /// Whether something inside a directory that is not matched can be matched.
    pub fn may_include_inside(&self, directory: &str) -> bool {
        self.may_match_inside(directory, false)
    }

    fn may_match_inside(&self, directory: &str, exception: bool) -> bool {
        self.patterns
            .iter()
            .any(|pattern| pattern.exception == exception && pattern.may_match_inside(directory))
    }

    /// The pattern that decides that the path is matched. A pattern is looked at only when it could
    /// turn the decision, and what a parent matched holds: `MatchesUsingParentResults` of the
    /// reference.
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

/// Whether the pattern matches a directory above the path.
fn matches_parent(pattern: &Pattern, path: &str) -> bool {
    path.match_indices('/')
        .any(|(end, _)| pattern.matches(&path[..end]))
}

#[cfg(test)]
mod tests;
