//! Decides during the walk which paths of a directory are sent.

use super::error::TransferError;
use super::follow;
use super::request::Request;
use crate::files::Beneath;
use crate::session::{MatchState, PatternMatcher};

/// Include and exclude patterns; without include patterns everything is included.
#[derive(Debug, Default)]
pub(super) struct Filter {
    include: Option<PatternMatcher>,
    exclude: Option<PatternMatcher>,
}

/// A directory's decision, which its entries inherit. The default is the root's.
#[derive(Debug, Default)]
pub(super) struct State {
    include: MatchState,
    exclude: MatchState,
}

/// The decision for a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decision {
    /// True if the path itself is sent.
    pub(super) send: bool,
    /// True if something inside this directory can be sent.
    pub(super) enter: bool,
}

impl Filter {
    /// Builds the filter of a request. Follow-paths are resolved in `root`.
    pub(super) fn new(root: &Beneath, request: &Request) -> Result<Self, TransferError> {
        let mut include = request.include.clone();
        if let Some(targets) = follow::follow_links(root, &request.follow)?
            && !request.follow.is_empty()
        {
            include.extend(targets);
            include = follow::dedupe(include).unwrap_or_default();
        }
        Ok(Self {
            include: matcher("include", &include)?,
            exclude: matcher("exclude", &request.exclude)?,
        })
    }

    /// Decides about a path whose directory has the state `parent`. For a directory, `state`
    /// receives its own state.
    pub(super) fn decide(
        &self,
        path: &str,
        parent: &State,
        mut state: Option<&mut State>,
    ) -> Decision {
        let is_directory = state.is_some();
        let mut decision = Decision {
            send: true,
            enter: is_directory,
        };
        if let Some(include) = &self.include
            && !include.step(
                path,
                &parent.include,
                state.as_mut().map(|state| &mut state.include),
            )
        {
            decision.send = false;
            decision.enter = is_directory && include.may_include_inside(path);
        }
        if let Some(exclude) = &self.exclude
            && exclude.step(
                path,
                &parent.exclude,
                state.as_mut().map(|state| &mut state.exclude),
            )
        {
            decision.send = false;
            decision.enter &= is_directory && exclude.may_except_inside(path);
        }
        decision
    }
}

fn matcher(
    list: &'static str,
    patterns: &[String],
) -> Result<Option<PatternMatcher>, TransferError> {
    let matcher =
        PatternMatcher::new(patterns).map_err(|source| TransferError::Pattern { list, source })?;
    Ok((!patterns.is_empty()).then_some(matcher))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> Beneath {
        Beneath::open(std::path::Path::new("/")).unwrap()
    }

    fn filter(include: &[&str], exclude: &[&str]) -> Filter {
        let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        let request = Request {
            include: owned(include),
            exclude: owned(exclude),
            ..Request::default()
        };
        Filter::new(&root(), &request).unwrap()
    }

    fn directory(filter: &Filter, path: &str) -> (bool, bool) {
        let decision = filter.decide(path, &State::default(), Some(&mut State::default()));
        (decision.send, decision.enter)
    }

    #[test]
    fn excluded_directories_are_entered_only_for_exceptions_inside() {
        let simple = filter(&[], &["node_modules", "target", "!target/keep/x", "!*.md"]);
        assert_eq!(directory(&simple, "node_modules"), (false, false));
        assert_eq!(directory(&simple, "target"), (false, true));
        assert_eq!(directory(&simple, "target/debug"), (false, false));
        assert_eq!(directory(&simple, "src"), (true, true));
        assert_eq!(
            directory(&filter(&[], &["a", "!**/x"]), "a/b"),
            (false, true)
        );
    }

    #[test]
    fn only_directories_on_the_way_to_an_include_are_entered() {
        let some = filter(&["src/*/main.rs", "docs"], &[]);
        assert_eq!(directory(&some, "src"), (false, true));
        assert_eq!(directory(&some, "docs"), (true, true));
        assert_eq!(directory(&some, "tests"), (false, false));
        assert_eq!(
            directory(&filter(&["**/*.rs"], &["tests"]), "tests"),
            (false, false)
        );
    }

    #[test]
    fn an_empty_list_of_patterns_filters_nothing() {
        assert_eq!(directory(&filter(&[], &[]), "a"), (true, true));
        // Blank patterns are ignored, and then no path is included, as in the reference.
        assert_eq!(directory(&filter(&[" "], &[]), "a"), (false, false));
    }

    #[test]
    fn a_malformed_pattern_is_named() {
        let request = Request {
            exclude: vec!["a[".into()],
            ..Request::default()
        };
        let error = Filter::new(&root(), &request).unwrap_err();
        assert!(
            error
                .message()
                .starts_with("invalid exclude patterns: invalid pattern \"a[\""),
            "{}",
            error.message()
        );
    }
}
