//! The selection of lint rules: `# check=skip=…;experimental=…;error=…`.

use std::collections::BTreeSet;

use super::super::mount::go_bool;
use super::super::parse::{DirectiveName, check_options, directive};
use super::super::span::Span;
use super::Rule;

/// The rules to check, and the effect of findings on the build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LintConfig {
    /// The rules that are not checked.
    pub skip: RuleSet,
    /// The experimental rules that are checked.
    pub experimental: RuleSet,
    /// True if findings fail the build.
    pub error: bool,
}

/// Some rules by name, or all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleSet {
    /// All of them.
    All,
    /// The rules with these names; unknown names have no effect.
    Named(BTreeSet<String>),
}

impl Default for RuleSet {
    fn default() -> Self {
        Self::Named(BTreeSet::new())
    }
}

impl RuleSet {
    fn contains(&self, rule: Rule) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.contains(rule.name()),
        }
    }

    fn parse(value: &str) -> Self {
        match value.trim() {
            "all" => Self::All,
            names => Self::Named(
                names
                    .split(',')
                    .map(|name| name.trim().to_owned())
                    .collect(),
            ),
        }
    }
}

/// Malformed lint options.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LintConfigError {
    /// The option is neither skip, experimental nor error.
    #[error(
        "unknown check option {option:?}: the options are skip=<rules>, experimental=<rules> and \
        error=<bool>"
    )]
    UnknownOption {
        /// The option.
        option: String,
    },
    /// The value of `error=` is not a bool.
    #[error("the check option error cannot be {value:?}: true or false is expected")]
    NotBool {
        /// The value.
        value: String,
    },
}

impl LintConfig {
    /// Parses up to three options separated by `;`: `skip=` and `experimental=` with rule names or
    /// `all`, `error=` with a bool.
    ///
    /// # Errors
    /// [`LintConfigError`] for any other option.
    pub fn parse(text: &str) -> Result<Self, LintConfigError> {
        let mut config = Self::default();
        if text.trim().is_empty() {
            return Ok(config);
        }
        for option in text.trim().splitn(3, ';') {
            let unknown = || LintConfigError::UnknownOption {
                option: option.to_owned(),
            };
            let (key, value) = option.split_once('=').ok_or_else(unknown)?;
            match key.trim() {
                "skip" => config.skip = RuleSet::parse(value),
                "experimental" => config.experimental = RuleSet::parse(value),
                "error" => {
                    let not_bool = || LintConfigError::NotBool {
                        value: value.to_owned(),
                    };
                    config.error = go_bool(value.trim()).ok_or_else(not_bool)?;
                }
                _ => return Err(unknown()),
            }
        }
        Ok(config)
    }

    /// Returns the options of the Dockerfile's `# check=` directive.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn of_dockerfile(source: &[u8]) -> Result<Self, LintConfigError> {
        let options = check_options(source);
        Self::parse(options.as_ref().map_or("", |(options, _)| options))
    }

    /// Returns the line of the Dockerfile's `# check=` directive.
    pub fn place_in(source: &[u8]) -> Option<Span> {
        check_options(source).map(|(_, span)| span)
    }

    /// True if the rule is checked for an instruction with these comments, one of which may be `#
    /// check=…`.
    pub(super) fn allows(&self, rule: Rule, comments: &[String]) -> bool {
        let (own, here) = (self, of_comments(comments));
        let is_in = |set: fn(&Self) -> &RuleSet| {
            set(own).contains(rule) || here.as_ref().is_some_and(|here| set(here).contains(rule))
        };
        if rule.is_experimental() {
            is_in(|config| &config.experimental)
        } else {
            !is_in(|config| &config.skip)
        }
    }
}

/// Returns the options of the first comment that has some; `None` if they are malformed.
fn of_comments(comments: &[String]) -> Option<LintConfig> {
    let options = comments
        .iter()
        .find_map(|comment| match directive(comment) {
            Some((DirectiveName::Check, value)) => Some(value),
            _ => None,
        })?;
    let first = options.split_once(' ').map_or(options, |(first, _)| first);
    LintConfig::parse(first).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read() {
        let config = LintConfig::parse(
            " skip=UndefinedVar, StageNameCasing; experimental = all ;error=true",
        )
        .unwrap();
        assert!(config.error && config.experimental == RuleSet::All);
        assert!(!config.allows(Rule::UndefinedVar, &[]) && config.allows(Rule::FromAsCasing, &[]));
        assert!(config.allows(Rule::InvalidDefinitionDescription, &[]));
        assert_eq!(LintConfig::parse(" "), Ok(LintConfig::default()));
        assert!(matches!(
            LintConfig::parse("foo=1"),
            Err(LintConfigError::UnknownOption { .. })
        ));
        assert!(matches!(
            LintConfig::parse("skip"),
            Err(LintConfigError::UnknownOption { .. })
        ));
        assert!(matches!(
            LintConfig::parse("error=yes"),
            Err(LintConfigError::NotBool { .. })
        ));
    }

    #[test]
    fn a_comment_adds_to_the_options() {
        let config = LintConfig::parse("skip=UndefinedVar").unwrap();
        let comments = [
            "text".to_owned(),
            "CHECK = skip=FromAsCasing;experimental=all x".to_owned(),
        ];
        assert!(
            !config.allows(Rule::UndefinedVar, &comments)
                && !config.allows(Rule::FromAsCasing, &comments)
        );
        assert!(config.allows(Rule::InvalidDefinitionDescription, &comments));
        assert!(config.allows(Rule::FromAsCasing, &["check=skip=all;nonsense".to_owned()]));
    }
}
