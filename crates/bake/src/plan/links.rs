//! Links between targets: `contexts = { base = "target:base" }`.

use std::collections::{BTreeMap, HashSet};

use super::inherit::Resolver;
use crate::diagnostic::{Diagnostic, Kind};
use crate::target::{Output, Target};

/// How long a chain of links may be.
const MAX_DEPTH: usize = 200;

/// Adds the targets that others link to.
pub(super) struct Linker<'a, 'b> {
    pub(super) resolver: &'b mut Resolver<'a>,
    pub(super) targets: &'b mut BTreeMap<String, Target>,
    /// Targets whose links are all there.
    pub(super) done: HashSet<String>,
}

impl Linker<'_, '_> {
    /// Adds the targets that `name` links to; `visited` are those that link to it.
    pub(super) fn link(&mut self, name: &str, visited: &mut Vec<String>) -> Result<(), Diagnostic> {
        if self.done.contains(name) {
            return Ok(());
        }
        let fail = |kind, message: String| Err(Diagnostic::new(kind, message));
        if visited.len() > MAX_DEPTH {
            let message = format!("target {name} is linked over more than {MAX_DEPTH} steps");
            return fail(Kind::Limit, message);
        }
        visited.push(name.to_owned());
        for other in linked(self.targets.get(name)) {
            if other == name {
                return fail(Kind::Cycle, format!("target {name} links to itself"));
            }
            if visited.contains(&other) {
                let message = format!("targets {name} and {other} link to each other");
                return fail(Kind::Cycle, message);
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

    /// Hands entitlements from `other` to `name`, and compares their platforms.
    fn join(&mut self, name: &str, other: &str) -> Result<(), Diagnostic> {
        let Some(linked) = self.targets.get(other) else {
            return Ok(());
        };
        let entitlements = linked.entitlements.clone();
        let offered = linked.platforms.clone().unwrap_or_default();
        let Some(target) = self.targets.get_mut(name) else {
            return Ok(());
        };
        for entitlement in entitlements {
            if !target.entitlements.contains(&entitlement) {
                target.entitlements.push(entitlement);
            }
        }
        let wanted = target.platforms.as_deref().unwrap_or_default();
        let lacking = wanted.iter().find(|platform| !offered.contains(platform));
        match lacking {
            Some(platform) if wanted.len() > 1 && offered.len() > 1 => Err(Diagnostic::new(
                Kind::Attribute,
                format!(
                    "target {name} is built for {platform}, but links to {other}, which is not"
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// The output of a target that others need and nobody asked for.
pub(super) fn cache_only() -> Output {
    Output {
        kind: "cacheonly".into(),
        ..Output::default()
    }
}

/// The targets that a target links to.
pub(super) fn linked(target: Option<&Target>) -> Vec<String> {
    let contexts = target
        .into_iter()
        .flat_map(|target| target.contexts.values());
    contexts
        .filter_map(|context| context.strip_prefix("target:"))
        .map(str::to_owned)
        .collect()
}
