//! The files of a folder that a step reads.

use serde::{Deserialize, Serialize};

use crate::ignore::PatternMatcher;

/// A selection of files in a folder, as COPY and RUN --mount name them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pick {
    /// A path that is selected with everything below it; empty is the whole folder.
    pub source: String,
    /// True if the path may have wildcards.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub wildcards: bool,
    /// Only matching files are selected; empty means all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// Matching files are not selected. Paths are relative to the source.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
}

/// A selection with compiled patterns.
#[derive(Debug)]
pub(super) struct Picked {
    source: String,
    pattern: Option<PatternMatcher>,
    include: Option<PatternMatcher>,
    exclude: Option<PatternMatcher>,
}

impl Picked {
    /// A malformed pattern selects everything: one change too many is better than a missed one.
    pub(super) fn new(pick: &Pick) -> Self {
        let source = pick.source.trim_matches('/');
        let source = source.strip_prefix("./").unwrap_or(source);
        let matcher = |patterns: &[String]| match patterns {
            [] => None,
            patterns => PatternMatcher::new(patterns).ok(),
        };
        let has_wildcards = pick.wildcards && source.contains(['*', '?', '[', '\\']);
        Self {
            pattern: has_wildcards
                .then(|| PatternMatcher::new([source]).ok())
                .flatten(),
            source: match source {
                "." => String::new(),
                _ if has_wildcards => String::new(),
                source => source.to_owned(),
            },
            include: matcher(&pick.include),
            exclude: matcher(&pick.exclude),
        }
    }

    /// True if the step reads this path.
    pub(super) fn has(&self, path: &str) -> bool {
        let Some(inside) = self.inside(path) else {
            return false;
        };
        let included = self
            .include
            .as_ref()
            .is_none_or(|include| include.matches(path));
        included
            && !self
                .exclude
                .as_ref()
                .is_some_and(|exclude| exclude.matches(inside))
    }

    /// Returns the path relative to the source, if it is below it.
    fn inside<'a>(&self, path: &'a str) -> Option<&'a str> {
        if let Some(pattern) = &self.pattern {
            return pattern.matches(path).then_some(path);
        }
        if self.source.is_empty() {
            return Some(path);
        }
        match path.strip_prefix(self.source.as_str())? {
            "" => Some(path),
            rest => rest.strip_prefix('/'),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(pick: &Pick, path: &str) -> bool {
        Picked::new(pick).has(path)
    }

    #[test]
    fn a_source_is_a_file_or_a_folder() {
        let pick = Pick {
            source: "/src".into(),
            wildcards: true,
            ..Pick::default()
        };
        assert!(has(&pick, "src") && has(&pick, "src/a/b"));
        assert!(!has(&pick, "src2") && !has(&pick, "a/src"));
        for all in ["", "/", ".", "./"] {
            let pick = Pick {
                source: all.into(),
                ..Pick::default()
            };
            assert!(has(&pick, "x/y"), "{all:?}");
        }
    }

    #[test]
    fn wildcards_and_filters_narrow_it() {
        let pick = Pick {
            source: "*.txt".into(),
            wildcards: true,
            ..Pick::default()
        };
        assert!(has(&pick, "a.txt") && !has(&pick, "a.md") && !has(&pick, "d/a.txt"));
        let pick = Pick {
            source: "src".into(),
            exclude: vec!["*.md".into()],
            ..Pick::default()
        };
        assert!(has(&pick, "src/a.c") && !has(&pick, "src/a.md"));
        let pick = Pick {
            include: vec!["d/*.c".into()],
            ..Pick::default()
        };
        assert!(has(&pick, "d/a.c") && !has(&pick, "d/a.h"));
    }
}
