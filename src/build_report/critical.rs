//! The critical path: the steps that determine the length of a build.

use std::collections::HashMap;

use crate::progress::TimelineStep;

/// Walks from the step that ended last back to a step that waited for nothing. A step without known
/// inputs, such as an export, waited for the last step that ended before it started.
pub(super) fn path(steps: &[TimelineStep]) -> Vec<&TimelineStep> {
    let by_digest: HashMap<&str, &TimelineStep> =
        steps.iter().map(|step| (&*step.digest, step)).collect();
    let mut by_end: Vec<&TimelineStep> = steps.iter().collect();
    by_end.sort_by_key(|step| step.end());
    let mut path: Vec<&TimelineStep> = Vec::new();
    let mut next = by_end.last().copied();
    while let Some(step) = next {
        path.push(step);
        // A graph has no cycles, but a daemon may report some.
        if path.len() >= steps.len() {
            break;
        }
        let inputs = step.inputs.iter();
        let known = inputs.filter_map(|digest| by_digest.get(&**digest).copied());
        let started = step.start();
        next = known
            .filter(|input| input.end() <= step.end() && input.start() < step.end())
            .max_by_key(|input| input.end())
            .or_else(|| {
                // Sources have no known dependencies.
                let is_export = step.inputs.is_empty() && step.name.starts_with("exporting");
                let before = by_end.partition_point(|it| it.end() <= started);
                let last = before.checked_sub(1).and_then(|at| by_end.get(at).copied());
                last.filter(|_| is_export)
            })
            .filter(|input| input.digest != step.digest);
    }
    path.reverse();
    path
}
