//! Groups to the targets and groups that they hold.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Diagnostic, Kind};
use crate::target::Group;

/// How deep groups may be nested.
const MAX_DEPTH: usize = 200;

/// The names of targets and of groups that a name stands for.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    pub(super) targets: Vec<String>,
    pub(super) groups: Vec<String>,
}

/// Resolves groups, each once.
pub(super) struct Groups<'a> {
    groups: HashMap<&'a str, &'a Group>,
}

impl<'a> Groups<'a> {
    /// A resolver for `groups`. The first of one name counts.
    pub(super) fn new(groups: &'a [Group]) -> Self {
        let mut named = HashMap::new();
        for group in groups {
            named.entry(group.name.as_str()).or_insert(group);
        }
        Self { groups: named }
    }

    /// The group `name`.
    pub(super) fn get(&self, name: &str) -> Option<&'a Group> {
        self.groups.get(name).copied()
    }

    /// What `name` stands for: itself, if it is no group.
    pub(super) fn members(&self, name: &str) -> Result<Members, Diagnostic> {
        self.visit(name, &mut HashMap::new(), 0)
    }

    fn visit(
        &self,
        name: &str,
        visited: &mut HashMap<String, Members>,
        depth: usize,
    ) -> Result<Members, Diagnostic> {
        if let Some(members) = visited.get(name) {
            return Ok(members.clone());
        }
        let Some(group) = self.get(name) else {
            return Ok(Members {
                targets: vec![name.to_owned()],
                groups: Vec::new(),
            });
        };
        if depth > MAX_DEPTH {
            let message = format!("group {name} is nested more than {MAX_DEPTH} levels deep");
            return Err(Diagnostic::new(Kind::Limit, message));
        }
        // A group within itself holds nothing there, and is taken for a target.
        visited.insert(name.to_owned(), Members::default());
        let mut members = Members {
            targets: Vec::new(),
            groups: vec![name.to_owned()],
        };
        let mut seen = [HashSet::new(), HashSet::from([name.to_owned()])];
        for member in &group.targets {
            let mut inner = self.visit(member, visited, depth + 1)?;
            if inner.targets.is_empty() {
                inner.targets.push(member.clone());
            }
            let [targets, groups] = &mut seen;
            inner.targets.retain(|name| targets.insert(name.clone()));
            inner.groups.retain(|name| groups.insert(name.clone()));
            members.targets.extend(inner.targets);
            members.groups.extend(inner.groups);
        }
        visited.insert(name.to_owned(), members.clone());
        Ok(members)
    }
}
