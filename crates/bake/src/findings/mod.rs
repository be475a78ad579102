//! Probable mistakes in valid bake files: unused, ignored or overwritten definitions. The reference
//! does not report them.

mod variables;

mod targets;

mod attributes;

mod tags;

mod platforms;

#[cfg(test)]
mod tests;

use crate::diagnostic::Span;
use crate::evaluate::Evaluation;
use crate::plan::Plan;

/// A probable mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// The description of this case, with names: a lowercase fragment.
    pub message: String,
    /// The position, if it is known.
    pub span: Option<Span>,
}

/// A rule for bake files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// A block has an unknown attribute.
    UnknownAttribute,
    /// A file has a block of an unknown kind.
    UnknownBlock,
    /// A variable is not used.
    UnusedVariable,
    /// A function is not used.
    UnusedFunction,
    /// A target is in no group, and no other target uses it.
    UnusedTarget,
    /// Two targets have the same tag.
    SharedTag,
    /// A target is built for a platform for which a linked target is not built.
    PlatformOfBase,
}

impl Rule {
    /// Returns the rule's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownAttribute => "UnknownAttribute",
            Self::UnknownBlock => "UnknownBlock",
            Self::UnusedVariable => "UnusedVariable",
            Self::UnusedFunction => "UnusedFunction",
            Self::UnusedTarget => "UnusedTarget",
            Self::SharedTag => "SharedTag",
            Self::PlatformOfBase => "PlatformOfBase",
        }
    }

    /// Returns the reason for the rule.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::UnknownAttribute | Self::UnknownBlock => {
                "bake ignores it without a word, so it has no effect"
            }
            Self::UnusedVariable | Self::UnusedFunction => {
                "setting or changing it has no effect, which readers do not expect"
            }
            Self::UnusedTarget => {
                "no group builds it; give it a description if people build it by its name"
            }
            Self::SharedTag => "the target that is pushed last overwrites the other one's image",
            Self::PlatformOfBase => "the build fails, or takes a base of another platform",
        }
    }
}

/// Returns the findings in the files of `evaluation`, in the order of files and lines.
///
/// `plan` must contain all declared targets.
pub fn findings(evaluation: &Evaluation, plan: &Plan) -> Vec<Finding> {
    let mut findings = Vec::new();
    attributes::check(evaluation, &mut findings);
    variables::check(evaluation, &mut findings);
    targets::check(evaluation, plan, &mut findings);
    tags::check(evaluation, plan, &mut findings);
    platforms::check(evaluation, plan, &mut findings);
    findings.sort_by_cached_key(|finding| {
        let place = finding.span.as_ref();
        let place = place.map(|span| (span.file.clone(), span.start));
        (place, finding.rule, finding.message.clone())
    });
    findings
}

/// Returns the position of an attribute of a target; else that of its block or service.
fn place(evaluation: &Evaluation, target: &str, attribute: &str) -> Option<Span> {
    let mut named = None;
    for (block, outputs) in evaluation.sources.blocks() {
        if block.kind == "target" && outputs.iter().any(|output| output.name == target) {
            if let Some(attribute) = block.body.attribute(attribute) {
                return Some(attribute.name_range.within(&block.file));
            }
            named = Some(block.name_span());
        }
    }
    let sources = evaluation.sources.compose.iter();
    for source in sources.filter(|source| source.target == target) {
        let places = source.places.iter();
        let exact = places.clone().find(|place| place.attribute == attribute);
        if let Some(place) = exact.or_else(|| source.places.first()) {
            return Some(named.unwrap_or_else(|| place.span.clone()));
        }
    }
    named
}
