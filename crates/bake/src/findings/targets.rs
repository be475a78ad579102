//! Targets that are neither built nor used.

use std::collections::{HashMap, HashSet};

use super::{Finding, Rule, place};
use crate::evaluate::Evaluation;
use crate::plan::Plan;
use crate::syntax::ast::Step;
use crate::syntax::references;
use crate::target::Target;
use crate::value::Value;

/// Reports unused targets. Without a group and a target `default`, every target is for the command
/// line, and none is unused. A target with a description is never unused.
pub(super) fn check(evaluation: &Evaluation, plan: &Plan, findings: &mut Vec<Finding>) {
    let definition = &evaluation.definition;
    let default = definition.targets.iter().any(|it| it.name == "default");
    if definition.groups.is_empty() && !default {
        return;
    }
    let used = used(evaluation, plan);
    let mut seen = HashSet::new();
    for target in &definition.targets {
        let name = target.name.as_str();
        let named = name == "default" || !target.description.is_empty();
        if named || used.contains(name) || !seen.insert(name) {
            continue;
        }
        findings.push(Finding {
            rule: Rule::UnusedTarget,
            message: format!("target {name} is in no group, and no other target uses it"),
            span: place(evaluation, name, "name"),
        });
    }
}

/// Returns the targets in groups, those that others link to or inherit, and those in expressions.
fn used<'a>(evaluation: &'a Evaluation, plan: &'a Plan) -> HashSet<&'a str> {
    let definition = &evaluation.definition;
    let mut declared: HashMap<&str, &Target> = HashMap::new();
    for target in &definition.targets {
        declared.entry(&target.name).or_insert(target);
    }
    let members = definition.groups.iter().flat_map(|group| &group.targets);
    let mut waiting: Vec<&str> = members.map(String::as_str).collect();
    let described = definition.targets.iter();
    let described = described.filter(|it| it.name == "default" || !it.description.is_empty());
    waiting.extend(described.map(|target| target.name.as_str()));
    let mut used = HashSet::new();
    while let Some(name) = waiting.pop() {
        if !used.insert(name) {
            continue;
        }
        let parents = declared.get(name).map(|target| &target.inherits);
        waiting.extend(parents.into_iter().flatten().map(String::as_str));
        let contexts = plan.targets.get(name).map(|target| &target.contexts);
        let contexts = contexts.into_iter().flat_map(|contexts| contexts.values());
        waiting.extend(contexts.filter_map(|context| context.strip_prefix("target:")));
    }
    for block in &evaluation.sources.body.blocks {
        for attribute in &block.body.attributes {
            for reference in references(&attribute.expression.node).variables {
                match reference.steps.first() {
                    Some(Step::Attribute(name, _)) if reference.root == "target" => {
                        used.insert(name);
                    }
                    Some(Step::Index(Value::String(name), _)) if reference.root == "target" => {
                        used.insert(name);
                    }
                    _ => {}
                }
            }
        }
    }
    used
}
