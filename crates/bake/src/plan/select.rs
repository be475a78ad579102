//! Names and patterns to groups and targets.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};

use super::Plan;
use super::groups::Groups;
use super::inherit::Resolver;
use super::links::Linker;
use super::overrides::parse_overrides;
use super::pattern::{Pattern, is_pattern};
use crate::diagnostic::{Diagnostic, Kind};
use crate::files::Environment;
use crate::target::{Definition, Group, Target, sanitize_name};

/// The groups and targets of `definition` that `names` ask for, with the overrides `set`.
pub(crate) fn plan(
    definition: &Definition,
    names: &[String],
    set: &[String],
    environment: &Environment,
) -> Result<Plan, Diagnostic> {
    let asked = select(definition, names)?;
    let overrides = parse_overrides(set, &definition.targets, environment)?;
    let groups = Groups::new(&definition.groups);
    let mut resolver = Resolver::new(&definition.targets, &overrides);
    let mut plan = Plan::default();
    for name in &asked {
        let members = groups.members(name)?;
        for name in members.targets {
            if let Entry::Vacant(place) = plan.targets.entry(name) {
                let name = place.key().clone();
                let target = resolver.resolve(&name).map_err(|error| {
                    let known = definition.groups.iter().map(|group| group.name.as_str());
                    match error.kind {
                        Kind::UnknownTarget if error.hints.is_empty() => {
                            error.suggest(&name, known)
                        }
                        _ => error,
                    }
                })?;
                place.insert(target);
            }
        }
        for name in members.groups {
            if let Some(group) = groups.get(&name) {
                plan.groups.insert(name, group.clone());
            }
        }
    }
    add_default(&mut plan.groups, &asked);
    let names: Vec<String> = plan.targets.keys().cloned().collect();
    let mut linker = Linker {
        resolver: &mut resolver,
        targets: &mut plan.targets,
        done: HashSet::new(),
    };
    for name in names {
        linker.link(&name, &mut Vec::new())?;
    }
    Ok(plan)
}

/// The names that were asked for, with patterns expanded and without duplicates.
fn select(definition: &Definition, names: &[String]) -> Result<Vec<String>, Diagnostic> {
    let mut seen = HashSet::new();
    let mut selected = Vec::new();
    for name in names {
        let name = sanitize_name(name);
        let matched = if is_pattern(&name) {
            matching(definition, &name)?
        } else {
            vec![name]
        };
        selected.extend(matched.into_iter().filter(|name| seen.insert(name.clone())));
    }
    Ok(selected)
}

/// The groups and targets that a pattern matches.
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

/// Makes the group `default` hold what was asked for.
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
