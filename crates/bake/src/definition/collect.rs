//! Collects evaluated blocks as groups and targets; blocks of one name are merged.

use std::collections::{HashMap, HashSet};

use super::blocks::BlockState;
use super::decode::Decoded;
use crate::target::{Definition, Group, Target};

/// The groups and targets so far.
pub(super) struct Collected {
    definition: Definition,
    groups: HashMap<String, usize>,
    targets: HashMap<String, usize>,
}

impl Collected {
    /// Starts with the groups and targets of compose files.
    pub(super) fn new(base: Definition) -> Self {
        let mut groups = HashMap::new();
        for (index, group) in base.groups.iter().enumerate() {
            groups.entry(group.name.clone()).or_insert(index);
        }
        let mut targets = HashMap::new();
        for (index, target) in base.targets.iter().enumerate() {
            targets.entry(target.name.clone()).or_insert(index);
        }
        Self {
            definition: base,
            groups,
            targets,
        }
    }

    /// Adds a block: a target is merged into the one of its name, a group replaces it.
    pub(super) fn add(&mut self, state: &BlockState<'_>) {
        for output in &state.outputs {
            match &output.decoded {
                Decoded::Group(group) => {
                    let group = Group {
                        name: output.name.clone(),
                        ..group.group.clone()
                    };
                    self.add_group(group);
                }
                Decoded::Target(target) => {
                    let mut target = target.target.clone();
                    target.name.clone_from(&output.name);
                    super::rebase::set_source(&mut target, state.block);
                    self.add_target(target);
                }
            }
        }
    }

    fn add_group(&mut self, group: Group) {
        let list = &mut self.definition.groups;
        match self.groups.get(&group.name) {
            Some(index) => list[*index] = group,
            None => {
                self.groups.insert(group.name.clone(), list.len());
                list.push(group);
            }
        }
    }

    fn add_target(&mut self, target: Target) {
        let list = &mut self.definition.targets;
        match self.targets.get(&target.name) {
            Some(index) => list[*index].merge(target),
            None => {
                self.targets.insert(target.name.clone(), list.len());
                list.push(target);
            }
        }
    }

    /// Returns all groups and targets, with a group for each block with a matrix.
    pub(super) fn finish(mut self, blocks: &[BlockState<'_>]) -> Definition {
        let mut labels: Vec<(&str, Vec<String>)> = Vec::new();
        let mut index: HashMap<(&str, &str), usize> = HashMap::new();
        for state in blocks {
            let label = state.block.name();
            for output in &state.outputs {
                let at = *index.entry((state.kind, label)).or_insert_with(|| {
                    labels.push((label, Vec::new()));
                    labels.len() - 1
                });
                labels[at].1.push(output.name.clone());
            }
        }
        for (label, mut names) in labels {
            keep_first(&mut names);
            if names.as_slice() == [label] {
                continue;
            }
            self.definition.groups.push(Group {
                name: label.to_owned(),
                targets: names,
                ..Group::default()
            });
        }
        for group in &mut self.definition.groups {
            keep_first(&mut group.targets);
        }
        self.definition
    }
}

/// Removes duplicate names; the first one is kept.
pub(super) fn keep_first(names: &mut Vec<String>) {
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
}
