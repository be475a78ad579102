//! Links between targets: `contexts = { base = "target:base" }`.

use std::collections::{BTreeMap, HashSet};

use super::budget::Budget;
use super::inherit::Resolver;
use crate::diagnostic::{Diagnostic, Kind};
use crate::target::{Output, Target};

/// The longest chain of links.
const MAX_DEPTH: usize = 200;
/// The cost in bytes of an entitlement or a platform.
const COST: usize = 64;

/// Adds the targets that others link to.
pub(super) struct Linker<'a, 'b> {
    pub(super) resolver: &'b mut Resolver<'a>,
    pub(super) budget: &'b Budget,
    pub(super) targets: &'b mut BTreeMap<String, Target>,
    /// Targets whose links are all added.
    pub(super) done: HashSet<String>,
}

impl Linker<'_, '_> {
    /// Adds the targets that `name` links to; `visited` is the chain of targets that link to it.
    pub(super) fn link(&mut self, name: &str, visited: &mut Vec<String>) -> Result<(), Diagnostic> {
        if self.done.contains(name) {
            return Ok(());
        }
        if visited.len() > MAX_DEPTH {
            let message =
                format!("the links to target {name} form a chain of more than {MAX_DEPTH} targets");
            return Err(Diagnostic::new(Kind::Limit, message));
        }
        visited.push(name.to_owned());
        for other in linked(self.targets.get(name)) {
            if other == name {
                let message = format!("target {name} links to itself");
                let words = format!("target {name} cannot link to itself");
                return Err(Diagnostic::new(Kind::Cycle, message).in_reference(words));
            }
            if visited.contains(&other) {
                let message = format!("targets {name} and {other} link to each other");
                let words = format!("infinite loop from {name} to {other}");
                return Err(Diagnostic::new(Kind::Cycle, message).in_reference(words));
            }
            if !self.targets.contains_key(&other) {
                let mut target = self.resolver.resolve(&other)?;
                target.outputs = Some(vec![cache_only()]);
                target.linked = true;
                self.targets.insert(other.clone(), target);
            }
            self.link(&other, visited)?;
            self.join(name, &other)?;
        }
        visited.pop();
        self.done.insert(name.to_owned());
        Ok(())
    }

    /// Adds the entitlements of `other` to `name`, and compares their platforms.
    fn join(&mut self, name: &str, other: &str) -> Result<(), Diagnostic> {
        let (Some(linked), Some(target)) = (self.targets.get(other), self.targets.get(name)) else {
            return Ok(());
        };
        let offered = linked.platforms.as_deref().unwrap_or_default();
        let wanted = target.platforms.as_deref().unwrap_or_default();
        let entitlements = [&linked.entitlements, &target.entitlements].map(Vec::len);
        let names = offered.len() + wanted.len() + entitlements[0] + entitlements[1];
        self.budget.spend(names * COST)?;
        let known: HashSet<&String> = offered.iter().collect();
        let lacking = wanted.iter().find(|platform| !known.contains(platform));
        match lacking {
            Some(platform) if wanted.len() > 1 && offered.len() > 1 => Err(Diagnostic::new(
                Kind::Attribute,
                format!(
                    "target {name} is built for {platform}, but links to {other}, which is not"
                ),
            )),
            _ => {
                self.hand_on(name, other);
                Ok(())
            }
        }
    }

    /// Adds the entitlements of `other` to those of `name`.
    fn hand_on(&mut self, name: &str, other: &str) {
        let linked = self.targets.get(other);
        let entitlements = linked.map_or(Vec::new(), |linked| linked.entitlements.clone());
        if let (Some(target), false) = (self.targets.get_mut(name), entitlements.is_empty()) {
            let known: HashSet<String> = target.entitlements.iter().cloned().collect();
            let added = entitlements.into_iter().filter(|it| !known.contains(it));
            target.entitlements.extend(added);
        }
    }
}

/// Returns the output of a target that was not requested but that others need.
pub(super) fn cache_only() -> Output {
    Output {
        kind: "cacheonly".into(),
        ..Output::default()
    }
}

/// Returns the targets that a target links to.
pub(super) fn linked(target: Option<&Target>) -> Vec<String> {
    let contexts = target
        .into_iter()
        .flat_map(|target| target.contexts.values());
    contexts
        .filter_map(|context| context.strip_prefix("target:"))
        .map(str::to_owned)
        .collect()
}
