//! Resolves targets with inheritance and overrides.

use std::collections::HashMap;

use super::budget::Budget;
use super::override_apply::apply;
use super::overrides::Overrides;
use crate::definition::rebased;
use crate::diagnostic::{Diagnostic, Kind};
use crate::target::Target;

/// The longest chain of inheritance.
const MAX_DEPTH: usize = 100;
/// The most policies of a target; duplicates are not removed.
const MAX_POLICIES: usize = 10_000;

/// Resolves targets, each once.
pub(super) struct Resolver<'a> {
    targets: HashMap<&'a str, &'a Target>,
    overrides: &'a Overrides<'a>,
    budget: &'a Budget,
    /// Targets that inherit nothing from a cycle, which are the same everywhere.
    known: HashMap<&'a str, Box<Target>>,
}

/// A target in progress, and true if it is the same everywhere.
struct Inherited {
    target: Box<Target>,
    settled: bool,
}

impl<'a> Resolver<'a> {
    /// Returns a resolver for `targets`. The first target of a name is used.
    pub(super) fn new(
        targets: &'a [Target],
        overrides: &'a Overrides<'a>,
        budget: &'a Budget,
    ) -> Self {
        let mut named = HashMap::new();
        for target in targets {
            named.entry(target.name.as_str()).or_insert(target);
        }
        Self {
            targets: named,
            overrides,
            budget,
            known: HashMap::new(),
        }
    }

    /// Returns the resolved target `name`.
    pub(super) fn resolve(&mut self, name: &str) -> Result<Target, Diagnostic> {
        let mut visited = HashMap::new();
        let inherited = self.inherit(name, &mut visited, 0)?;
        let mut target = *inherited.target;
        name.clone_into(&mut target.name);
        target.inherits = Vec::new();
        if target.context.is_none() {
            let base = &target.context_base;
            let folder = base.default.as_deref().filter(|_| base.uses_default);
            target.context = Some(folder.map_or(".".to_owned(), |folder| rebased(folder, ".")));
        }
        if target.dockerfile.as_deref().unwrap_or_default().is_empty() {
            target.dockerfile = Some("Dockerfile".to_owned());
        }
        Ok(target)
    }

    /// Returns the target `name` with its inherited attributes. Targets in `visited` without a
    /// value are in progress and add nothing.
    fn inherit(
        &mut self,
        name: &str,
        visited: &mut HashMap<&'a str, Option<Box<Target>>>,
        depth: usize,
    ) -> Result<Inherited, Diagnostic> {
        let Some((name, declared)) = self.targets.get_key_value(name) else {
            return Err(self.unknown(name));
        };
        let (name, declared): (&'a str, &'a Target) = (name, declared);
        if let Some(target) = self.known.get(name) {
            self.budget.spend(target.size())?;
            let target = target.clone();
            return Ok(Inherited {
                target,
                settled: true,
            });
        }
        if depth > MAX_DEPTH {
            let message = format!(
                "the targets that inherit {name} form a chain of more than {MAX_DEPTH} targets"
            );
            return Err(Diagnostic::new(Kind::Limit, message));
        }
        visited.insert(name, None);
        let mut target = Box::<Target>::default();
        let mut settled = true;
        for parent in &declared.inherits {
            match visited.get(parent.as_str()) {
                Some(None) => settled = false,
                Some(Some(parent)) => {
                    self.budget.spend(parent.size())?;
                    target.merge((**parent).clone());
                    settled = false;
                }
                None => {
                    let parent = self.inherit(parent, visited, depth + 1)?;
                    settled &= parent.settled;
                    target.merge(*parent.target);
                }
            }
        }
        target.merge(declared.clone());
        if let Some(overrides) = self.overrides.of(name, self.budget)? {
            apply(&mut target, &overrides).map_err(|error| prefixed(error, name))?;
        }
        target.normalize();
        target.inherits.clear();
        // One copy is kept, one is returned.
        self.budget.spend(2 * target.size())?;
        if target.policy.len() > MAX_POLICIES {
            let message = format!("target {name} has more than {MAX_POLICIES} policies");
            return Err(Diagnostic::new(Kind::Limit, message));
        }
        if settled {
            visited.remove(name);
            self.known.insert(name, target.clone());
        } else {
            visited.insert(name, Some(target.clone()));
        }
        Ok(Inherited { target, settled })
    }

    /// Returns the error for an unknown target.
    fn unknown(&self, name: &str) -> Diagnostic {
        let known = self.targets.keys().copied();
        let message = format!("there is no target {name:?}");
        let shown = Diagnostic::new(Kind::UnknownTarget, message).suggest(name, known);
        shown.in_reference(format!("failed to find target {name}"))
    }
}

/// Adds the target's name to the error.
fn prefixed(error: Diagnostic, name: &str) -> Diagnostic {
    let message = format!("target {name}: {}", error.message);
    error.with_message(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str, inherits: &[&str], tag: &str) -> Target {
        Target {
            name: name.into(),
            inherits: inherits.iter().map(|name| (*name).to_owned()).collect(),
            tags: (!tag.is_empty()).then(|| vec![tag.to_owned()]),
            ..Target::default()
        }
    }

    fn tags(targets: &[Target], name: &str) -> Option<Vec<String>> {
        let (overrides, budget) = (Overrides::default(), Budget::new());
        let mut resolver = Resolver::new(targets, &overrides, &budget);
        resolver.resolve(name).unwrap().tags
    }

    #[test]
    fn a_base_that_is_named_again_counts_again() {
        let targets = [
            target("base", &[], "base:1"),
            target("leaf", &["base"], "leaf:1"),
            target("app", &["leaf", "base"], ""),
        ];
        assert_eq!(tags(&targets, "app"), Some(vec!["base:1".into()]));
    }

    #[test]
    fn a_circle_counts_as_nothing_where_it_closes() {
        let targets = [target("a", &["b"], ""), target("b", &["a"], "b:1")];
        assert_eq!(tags(&targets, "a"), Some(vec!["b:1".into()]));
        assert_eq!(tags(&targets, "b"), Some(vec!["b:1".into()]));
    }
}
