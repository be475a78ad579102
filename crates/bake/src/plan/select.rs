//! Selects groups and targets by names and patterns.

use std::collections::{BTreeMap, HashSet};

use super::Plan;
use super::budget::Budget;
use super::groups::Groups;
use super::inherit::Resolver;
use super::links::Linker;
use super::overrides::Overrides;
use super::pattern::{Pattern, is_pattern};
use crate::diagnostic::{Diagnostic, Kind};
use crate::files::Environment;
use crate::target::{Definition, Group, Target, sanitize_name};

/// The cost in bytes of matching a name with a pattern.
const COST: usize = 64;

/// Returns the groups and targets of `definition` that `names` select, with the overrides `set`.
pub(crate) fn plan(
    definition: &Definition,
    names: &[String],
    set: &[String],
    environment: &Environment,
) -> Result<Plan, Diagnostic> {
    let budget = Budget::new();
    let asked = select(definition, names, &budget)?;
    let overrides = Overrides::parse(set, &definition.targets, environment, &budget)?;
    let mut groups = Groups::new(&definition.groups, &budget);
    let mut resolver = Resolver::new(&definition.targets, &overrides, &budget);
    let mut plan = Plan::default();
    for name in &asked {
        let members = groups.members(name)?;
        budget.spend((members.targets.len() + members.groups.len()) * name.len())?;
        for name in &members.targets {
            if !plan.targets.contains_key(*name) {
                let target = resolver.resolve(name).map_err(|error| {
                    let known = definition.groups.iter().map(|group| group.name.as_str());
                    match error.kind {
                        Kind::UnknownTarget if error.hints.is_empty() => error.suggest(name, known),
                        _ => error,
                    }
                })?;
                plan.targets.insert((*name).to_owned(), target);
            }
        }
        for name in &members.groups {
            if let (false, Some(group)) = (plan.groups.contains_key(*name), groups.get(name)) {
                budget.spend(group.targets.iter().map(|name| name.len() + 48).sum())?;
                plan.groups.insert((*name).to_owned(), group.clone());
            }
        }
    }
    add_default(&mut plan.groups, &asked);
    let names: Vec<String> = plan.targets.keys().cloned().collect();
    let mut linker = Linker {
        resolver: &mut resolver,
        budget: &budget,
        targets: &mut plan.targets,
        done: HashSet::new(),
    };
    for name in names {
        linker.link(&name, &mut Vec::new())?;
    }
    Ok(plan)
}

/// Returns the requested names, with patterns expanded and without duplicates.
fn select(
    definition: &Definition,
    names: &[String],
    budget: &Budget,
) -> Result<Vec<String>, Diagnostic> {
    let mut seen = HashSet::new();
    let mut patterns = HashSet::new();
    let mut selected = Vec::new();
    for name in names {
        let name = sanitize_name(name);
        let matched = if is_pattern(&name) {
            if !patterns.insert(name.clone()) {
                continue;
            }
            let count = definition.groups.len() + definition.targets.len();
            budget.spend(count * COST)?;
            matching(definition, &name)?
        } else {
            vec![name]
        };
        selected.extend(matched.into_iter().filter(|name| seen.insert(name.clone())));
    }
    Ok(selected)
}

/// Returns the groups and targets that a pattern matches.
fn matching(definition: &Definition, pattern: &str) -> Result<Vec<String>, Diagnostic> {
    let groups = definition.groups.iter().map(|group: &Group| &group.name);
    let targets = definition
        .targets
        .iter()
        .map(|target: &Target| &target.name);
    let matched: Vec<String> = match Pattern::parse(pattern) {
        Ok(matcher) => groups
            .chain(targets)
            .filter(|name| matcher.matches(name))
            .cloned()
            .collect(),
        Err(_) => Vec::new(),
    };
    if matched.is_empty() {
        let message = format!("no target or group matches {pattern:?}");
        return Err(Diagnostic::new(Kind::UnknownTarget, message));
    }
    Ok(matched)
}

/// Adds the requested names to the group `default`.
fn add_default(groups: &mut BTreeMap<String, Group>, asked: &[String]) {
    for name in asked {
        if name == "default" && groups.contains_key("default") {
            continue;
        }
        let group = groups.entry("default".to_owned()).or_insert_with(|| Group {
            name: "default".to_owned(),
            ..Group::default()
        });
        group.targets.push(name.clone());
    }
    if let Some(group) = groups.get_mut("default") {
        group.targets.sort();
        group.targets.dedup();
    }
}
