//! Tags shared by several targets of one build.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Finding, Rule, place};
use crate::evaluate::Evaluation;
use crate::plan::Plan;
use crate::target::Group;

/// Reports tags of several targets if one group builds them. For targets in no group, both must set
/// the tag themselves: a target that inherits it is often another way to build the same image.
pub(super) fn check(evaluation: &Evaluation, plan: &Plan, findings: &mut Vec<Finding>) {
    let mut owners: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, target) in &plan.targets {
        for tag in target.tags.iter().flatten().filter(|tag| !tag.is_empty()) {
            owners.entry(tag).or_default().push(name);
        }
    }
    let groups = Groups::new(&evaluation.definition.groups);
    let mut own: HashSet<(&str, &str)> = HashSet::new();
    for target in &evaluation.definition.targets {
        let tags = target.tags.iter().flatten();
        own.extend(tags.map(|tag| (target.name.as_str(), tag.as_str())));
    }
    for (tag, names) in owners.iter().filter(|(_, names)| names.len() > 1) {
        let mut sharing: BTreeSet<&str> = BTreeSet::new();
        for members in &groups.members {
            let inside: Vec<&str> = names
                .iter()
                .copied()
                .filter(|it| members.contains(it))
                .collect();
            if inside.len() > 1 {
                sharing.extend(inside);
            }
        }
        let apart = |name: &&str| {
            let grouped = groups.members.iter().any(|members| members.contains(name));
            !grouped && own.contains(&(*name, *tag))
        };
        let apart: Vec<&str> = names.iter().copied().filter(apart).collect();
        if apart.len() > 1 {
            sharing.extend(apart);
        }
        let sharing: Vec<&str> = sharing.into_iter().collect();
        let [first, others @ ..] = sharing.as_slice() else {
            continue;
        };
        for other in others {
            findings.push(Finding {
                rule: Rule::SharedTag,
                message: format!("targets {first} and {other} have the same tag {tag}"),
                span: place(evaluation, other, "tags"),
            });
        }
    }
}

/// The targets of each group, including those of nested groups.
struct Groups<'a> {
    members: Vec<HashSet<&'a str>>,
}

impl<'a> Groups<'a> {
    fn new(groups: &'a [Group]) -> Self {
        let mut named: HashMap<&str, &Group> = HashMap::new();
        for group in groups {
            named.entry(&group.name).or_insert(group);
        }
        let each = groups.iter().map(|group| {
            let mut members = HashSet::new();
            let mut entered = HashSet::from([group.name.as_str()]);
            let mut waiting = vec![group];
            while let Some(group) = waiting.pop() {
                for member in &group.targets {
                    if let Some(inner) = named.get(member.as_str())
                        && entered.insert(member)
                    {
                        waiting.push(inner);
                    }
                    members.insert(member.as_str());
                }
            }
            members
        });
        Self {
            members: each.collect(),
        }
    }
}
