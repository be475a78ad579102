//! Resolves groups to their targets and groups.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::budget::Budget;
use crate::diagnostic::{Diagnostic, Kind};
use crate::target::Group;

/// The deepest nesting of groups.
const MAX_DEPTH: usize = 200;
/// The cost in bytes of one member's name.
const COST: usize = 32;

/// The targets and groups that a name resolves to.
#[derive(Debug, Default)]
pub(super) struct Members<'a> {
    pub(super) targets: Vec<&'a str>,
    pub(super) groups: Vec<&'a str>,
}

/// Resolves groups, each once.
pub(super) struct Groups<'a> {
    groups: HashMap<&'a str, &'a Group>,
    budget: &'a Budget,
    /// Groups outside all cycles, which resolve to the same members everywhere.
    known: HashMap<&'a str, Rc<Members<'a>>>,
}

/// The members of a group, and true if they are the same everywhere.
struct Found<'a> {
    members: Rc<Members<'a>>,
    settled: bool,
}

/// The results while one name is resolved. Groups in progress are empty.
type Visited<'a> = HashMap<&'a str, Rc<Members<'a>>>;

impl<'a> Groups<'a> {
    /// Returns a resolver for `groups`. The first group of a name is used.
    pub(super) fn new(groups: &'a [Group], budget: &'a Budget) -> Self {
        let mut named = HashMap::new();
        for group in groups {
            named.entry(group.name.as_str()).or_insert(group);
        }
        Self {
            groups: named,
            budget,
            known: HashMap::new(),
        }
    }

    /// Returns the group `name`.
    pub(super) fn get(&self, name: &str) -> Option<&'a Group> {
        self.groups.get(name).copied()
    }

    /// Returns the members of `name`; a name that is not a group is its own member.
    pub(super) fn members(&mut self, name: &'a str) -> Result<Rc<Members<'a>>, Diagnostic> {
        Ok(self.visit(name, &mut Visited::new(), 0)?.members)
    }

    fn visit(
        &mut self,
        name: &'a str,
        visited: &mut Visited<'a>,
        depth: usize,
    ) -> Result<Found<'a>, Diagnostic> {
        let found = |members: &Rc<Members<'a>>, settled| {
            let members = members.clone();
            Found { members, settled }
        };
        if let Some(members) = self.known.get(name) {
            return Ok(found(members, true));
        }
        if let Some(members) = visited.get(name) {
            return Ok(found(members, false));
        }
        let Some(group) = self.get(name) else {
            let members = Rc::new(Members {
                targets: vec![name],
                groups: Vec::new(),
            });
            return Ok(found(&members, true));
        };
        if depth > MAX_DEPTH {
            let message = format!("group {name} is nested more than {MAX_DEPTH} levels deep");
            return Err(Diagnostic::new(Kind::Limit, message));
        }
        // A group within itself is empty there, and counts as a target.
        visited.insert(name, Rc::default());
        let mut members = Members {
            targets: Vec::new(),
            groups: vec![name],
        };
        let mut settled = true;
        let (mut targets, mut groups) = (HashSet::new(), HashSet::from([name]));
        for member in &group.targets {
            let inner = self.visit(member, visited, depth + 1)?;
            settled &= inner.settled;
            let inner = inner.members;
            let itself = [member.as_str()];
            let added = match inner.targets.as_slice() {
                [] => &itself,
                added => added,
            };
            self.budget
                .spend((added.len() + inner.groups.len()) * COST)?;
            let added = added.iter().filter(|name| targets.insert(**name));
            members.targets.extend(added);
            let added = inner.groups.iter().filter(|name| groups.insert(**name));
            members.groups.extend(added);
        }
        let members = Rc::new(members);
        let known = if settled { &mut self.known } else { visited };
        known.insert(name, members.clone());
        Ok(Found { members, settled })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, targets: &[&str]) -> Group {
        Group {
            name: name.into(),
            targets: targets.iter().map(|name| (*name).to_owned()).collect(),
            ..Group::default()
        }
    }

    #[test]
    fn a_group_in_a_circle_counts_as_nothing_where_the_circle_closes() {
        let groups = [
            group("a", &["b", "x"]),
            group("b", &["a", "y"]),
            group("c", &["x", "y"]),
            group("d", &["c", "c", "z"]),
        ];
        let budget = Budget::new();
        let mut groups = Groups::new(&groups, &budget);
        for (name, targets, reached) in [
            ("a", vec!["a", "y", "x"], vec!["a", "b"]),
            ("b", vec!["b", "x", "y"], vec!["b", "a"]),
            ("c", vec!["x", "y"], vec!["c"]),
            ("d", vec!["x", "y", "z"], vec!["d", "c"]),
            ("z", vec!["z"], vec![]),
        ] {
            let members = groups.members(name).unwrap();
            assert_eq!(members.targets, targets, "{name}");
            assert_eq!(members.groups, reached, "{name}");
        }
    }
}
