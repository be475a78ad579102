//! Removes targets from a plan.

use std::collections::BTreeSet;

use super::Plan;
use super::links::{cache_only, linked};

impl Plan {
    /// Removes these targets. Targets that remaining ones link to are kept as linked targets: they
    /// are built as far as the others need them, and write no output.
    pub fn leave_out(&mut self, names: &BTreeSet<String>) {
        let mut needed: BTreeSet<String> = BTreeSet::new();
        let mut pending: Vec<String> = self
            .targets
            .values()
            .filter(|target| !names.contains(&target.name) && !target.linked)
            .map(|target| target.name.clone())
            .collect();
        while let Some(name) = pending.pop() {
            if needed.insert(name.clone()) {
                pending.extend(linked(self.targets.get(&name)));
            }
        }
        self.targets.retain(|name, _| needed.contains(name));
        for (name, target) in &mut self.targets {
            if names.contains(name) {
                target.linked = true;
                target.outputs = Some(vec![cache_only()]);
            }
        }
        for group in self.groups.values_mut() {
            group.targets.retain(|name| !names.contains(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::{Group, Target};

    fn plan() -> Plan {
        let mut plan = Plan::default();
        for (name, linked) in [("base", None), ("app", Some("base")), ("other", None)] {
            let mut target = Target {
                name: name.to_owned(),
                outputs: Some(Vec::new()),
                ..Target::default()
            };
            if let Some(linked) = linked {
                target
                    .contexts
                    .insert("base".to_owned(), format!("target:{linked}"));
            }
            plan.targets.insert(name.to_owned(), target);
        }
        let group = Group {
            name: "default".to_owned(),
            targets: plan.targets.keys().cloned().collect(),
            ..Group::default()
        };
        plan.groups.insert("default".to_owned(), group);
        plan
    }

    fn without(names: &[&str]) -> Plan {
        let mut plan = plan();
        plan.leave_out(&names.iter().map(|&name| name.to_owned()).collect());
        plan
    }

    #[test]
    fn a_target_that_another_needs_stays_without_its_output() {
        let plan = without(&["base", "other"]);
        let names: Vec<&String> = plan.targets.keys().collect();
        assert_eq!(names, ["app", "base"]);
        let base = &plan.targets["base"];
        assert!(base.linked);
        let outputs = base.outputs.as_deref().unwrap_or_default();
        assert_eq!(
            outputs.first().map(|it| it.kind.as_str()),
            Some("cacheonly")
        );
        assert!(!plan.targets["app"].linked);
        assert_eq!(plan.groups["default"].targets, ["app"]);
    }

    #[test]
    fn a_target_that_only_left_out_ones_need_goes_with_them() {
        let plan = without(&["app", "base"]);
        let names: Vec<&String> = plan.targets.keys().collect();
        assert_eq!(names, ["other"]);
        assert!(without(&["app", "base", "other"]).targets.is_empty());
    }

    #[test]
    fn a_circle_of_links_ends() {
        let mut plan = plan();
        let back = ("app".to_owned(), "target:app".to_owned());
        plan.targets
            .entry("base".to_owned())
            .or_default()
            .contexts
            .extend([back]);
        plan.leave_out(&BTreeSet::from(["other".to_owned()]));
        assert_eq!(plan.targets.len(), 2);
    }
}
