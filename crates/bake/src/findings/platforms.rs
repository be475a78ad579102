//! Platforms for which a linked target is not built. Platforms of base images are in registries,
//! which are not queried here.

use super::{Finding, Rule, place};
use crate::evaluate::Evaluation;
use crate::plan::Plan;

pub(super) fn check(evaluation: &Evaluation, plan: &Plan, findings: &mut Vec<Finding>) {
    for (name, target) in &plan.targets {
        for context in target.contexts.values() {
            let Some(linked) = context.strip_prefix("target:") else {
                continue;
            };
            let offered = plan
                .targets
                .get(linked)
                .and_then(|it| it.platforms.as_ref());
            let Some(offered) = offered.filter(|offered| !offered.is_empty()) else {
                continue;
            };
            for platform in target.platforms.iter().flatten() {
                if !offered.contains(platform) {
                    findings.push(Finding {
                        rule: Rule::PlatformOfBase,
                        message: format!(
                            "target {name} is built for {platform}, but uses {linked}, which is not"
                        ),
                        span: place(evaluation, name, "platforms"),
                    });
                }
            }
        }
    }
}
