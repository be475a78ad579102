//! Lint: text that is allowed in a Dockerfile but should be avoided. The parser checks rules about
//! the text alone; `translate` checks the others, which need values, base images and ignored files,
//! and reports them here.

mod rule;

mod wording;

mod config;

mod text;

mod stage;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::ast::{GlobalArgs, Instruction, Stage};
use super::span::Span;

pub use config::{LintConfig, LintConfigError, RuleSet};
pub use rule::Rule;
pub use wording::Wording;

/// A finding of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// The description of this case, with names.
    pub message: String,
    /// The lines.
    pub span: Span,
    /// The wording of the message and the detail.
    pub wording: Wording,
}

impl Finding {
    /// Returns the rule's general description.
    pub const fn detail(&self) -> &'static str {
        self.wording.description(self.rule)
    }

    /// Returns the URL of Docker's page about the rule; empty if there is none.
    pub const fn url(&self) -> &'static str {
        self.rule.url()
    }
}

/// Collects findings of the rules that are checked.
///
/// ```
/// use solvekit_core::dockerfile::{parse_and_lint, LintConfig, Linter, Rule};
///
/// let source = b"FROM alpine as Base\n";
/// let mut linter = Linter::new(LintConfig::of_dockerfile(source)?);
/// parse_and_lint(source, &mut linter)?;
/// let rules: Vec<_> = linter.findings().iter().map(|finding| finding.rule).collect();
/// assert_eq!(rules, [Rule::StageNameCasing, Rule::FromAsCasing]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Linter {
    config: LintConfig,
    wording: Wording,
    findings: Vec<Finding>,
}

/// The number of findings at some point.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark(usize);

/// The place of a finding: its lines, and the comments above, which may disable rules.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    span: Span,
    comments: &'a [String],
}

impl Place<'_> {
    /// Returns a place without comments.
    pub const fn lines(span: Span) -> Self {
        Self {
            span,
            comments: &[],
        }
    }

    /// Returns a place with the same comments and other lines.
    pub const fn at(self, span: Span) -> Self {
        Self { span, ..self }
    }
}

impl<'a> From<&'a Instruction> for Place<'a> {
    fn from(instruction: &'a Instruction) -> Self {
        Self {
            span: instruction.span,
            comments: &instruction.comments,
        }
    }
}

impl<'a> From<&'a GlobalArgs> for Place<'a> {
    fn from(args: &'a GlobalArgs) -> Self {
        Self {
            span: args.span,
            comments: &args.comments,
        }
    }
}

impl<'a> From<&'a Stage> for Place<'a> {
    fn from(stage: &'a Stage) -> Self {
        Self {
            span: stage.span,
            comments: &stage.comments,
        }
    }
}

impl Linter {
    /// Returns a linter without findings.
    pub const fn new(config: LintConfig) -> Self {
        Self {
            config,
            wording: Wording::Own,
            findings: Vec::new(),
        }
    }

    /// Sets the wording of the findings. BuildKit's has only BuildKit's rules.
    #[must_use]
    pub fn in_words(self, wording: Wording) -> Self {
        Self { wording, ..self }
    }

    /// Returns the findings, in the order of their reports.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Takes the findings.
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// Returns the rules that fail the build: with `error=true` all of BuildKit's rules that have
    /// findings, otherwise none.
    pub fn violated(&self) -> BTreeSet<Rule> {
        let violated = self.findings.iter().filter(|_| self.config.error);
        let violated = violated.filter(|finding| !finding.rule.is_ours());
        violated.map(|finding| finding.rule).collect()
    }

    /// Reports a finding, unless its rule is disabled there.
    pub fn report<'a>(
        &mut self,
        rule: Rule,
        place: impl Into<Place<'a>>,
        message: impl FnOnce(Wording) -> String,
    ) {
        let place = place.into();
        let is_known = self.wording == Wording::Own || !rule.is_ours();
        if is_known && self.config.allows(rule, place.comments) {
            self.findings.push(Finding {
                rule,
                message: message(self.wording),
                span: place.span,
                wording: self.wording,
            });
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.findings.len())
    }

    /// Drops the findings since the mark.
    pub(super) fn rewind(&mut self, mark: Mark) {
        self.findings.truncate(mark.0);
    }
}
