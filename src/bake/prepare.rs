//! Prepares all targets of a plan to be built together: linked targets first, because the others
//! need their graphs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use solvekit_bake::Plan;
use solvekit_bake::target::Target;

use super::Machine;
use super::request::{RequestError, links, request};
use crate::pipeline::{self, BuildRequest, NamedContext, Prepared, context_name};

/// Why the targets of a plan cannot be built.
#[derive(Debug, thiserror::Error)]
#[error("target {target}")]
pub struct TargetError {
    /// The target.
    pub target: String,
    /// The cause.
    pub source: Box<RequestError>,
}

/// The requests of all targets, without the contexts that other targets make: [`prepare`] adds
/// those.
///
/// # Errors
/// The first target with an attribute that a build does not support.
pub fn requests(
    plan: &Plan,
    machine: &dyn Machine,
) -> Result<BTreeMap<String, BuildRequest>, TargetError> {
    let requests = plan.targets.iter().map(|(name, target)| {
        let made = request(target, machine).map_err(|source| TargetError {
            target: name.clone(),
            source: Box::new(source),
        })?;
        Ok((name.clone(), made))
    });
    requests.collect()
}

/// Reads and parses the local inputs of all targets, and links the targets.
///
/// # Errors
/// The first target whose Dockerfile or context is missing or invalid.
pub async fn prepare(
    plan: &Plan,
    mut requests: BTreeMap<String, BuildRequest>,
) -> Result<BTreeMap<String, Arc<Prepared>>, TargetError> {
    let mut prepared = BTreeMap::new();
    for (name, target) in in_order(plan) {
        let Some(request) = requests.remove(name) else {
            continue;
        };
        let ready = async { pipeline::prepare(linked(target, request, &prepared)?).await };
        let ready = ready.await.map_err(|source| failed(name, source))?;
        prepared.insert(name.to_owned(), Arc::new(ready));
    }
    Ok(prepared)
}

/// The requests with their links, for questions about each target. Only linked targets are read, so
/// that a question can be asked about a Dockerfile with syntax errors.
///
/// # Errors
/// The first linked target whose Dockerfile or context is missing or invalid.
pub async fn linked_requests(
    plan: &Plan,
    mut requests: BTreeMap<String, BuildRequest>,
) -> Result<BTreeMap<String, BuildRequest>, TargetError> {
    let all = plan.targets.values();
    let used: BTreeSet<&str> = all.flat_map(links).map(|(_, linked)| linked).collect();
    let (mut prepared, mut done) = (BTreeMap::new(), BTreeMap::new());
    for (name, target) in in_order(plan) {
        let Some(request) = requests.remove(name) else {
            continue;
        };
        let request = linked(target, request, &prepared);
        let request = request.map_err(|source| failed(name, source))?;
        if used.contains(name) {
            let ready = pipeline::prepare(request.clone()).await;
            let ready = ready.map_err(|source| failed(name, source))?;
            prepared.insert(name.to_owned(), Arc::new(ready));
        }
        done.insert(name.to_owned(), request);
    }
    Ok(done)
}

fn failed(target: &str, source: pipeline::Error) -> TargetError {
    TargetError {
        target: target.to_owned(),
        source: Box::new(source.into()),
    }
}

/// Adds the contexts that other targets make to the request.
fn linked(
    target: &Target,
    mut request: BuildRequest,
    prepared: &BTreeMap<String, Arc<Prepared>>,
) -> Result<BuildRequest, pipeline::Error> {
    for (context, linked) in links(target) {
        if let Some(linked) = prepared.get(linked) {
            let linked = NamedContext::Build(Arc::clone(linked));
            request.contexts.insert(context_name(context)?, linked);
        }
    }
    Ok(request)
}

/// The targets, each after those that it links to. A plan has no cycles.
pub(super) fn in_order(plan: &Plan) -> Vec<(&str, &Target)> {
    let (mut order, mut seen) = (Vec::new(), BTreeSet::new());
    // A target is pushed again below those that it links to, and is added to the order after them.
    let names = plan.targets.keys().rev();
    let mut stack: Vec<(&str, bool)> = names.map(|name| (name.as_str(), false)).collect();
    while let Some((name, linked_are_in)) = stack.pop() {
        let Some(target) = plan.targets.get(name) else {
            continue;
        };
        if linked_are_in {
            order.push((name, target));
        } else if seen.insert(name) {
            stack.push((name, true));
            stack.extend(links(target).map(|(_, linked)| (linked, false)));
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str, linked: &[&str]) -> (String, Target) {
        let mut target = Target::default();
        target.name = name.to_owned();
        let contexts = linked.iter();
        target.contexts = contexts
            .map(|linked| ((*linked).to_owned(), format!("target:{linked}")))
            .collect();
        (name.to_owned(), target)
    }

    #[test]
    fn linked_targets_come_first_and_once() {
        let mut plan = Plan::default();
        plan.targets.extend([
            target("a", &["c", "b"]),
            target("b", &["d"]),
            target("c", &["d"]),
            target("d", &[]),
        ]);
        let order = in_order(&plan);
        let names: Vec<&str> = order.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["d", "c", "b", "a"]);
    }
}
