//! Compares a target with its earlier definition.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use solvekit_bake::print::plan_json;
use solvekit_bake::target::Target;

use super::EarlierTargets;
use super::reason::{Change, Unknown, Verdict};

/// The verdict, if the definition alone decides it.
pub(super) fn compare(target: &Target, earlier: &EarlierTargets) -> Option<Verdict> {
    let earlier = match earlier {
        EarlierTargets::Unknown(reason) => {
            return Some(Verdict::Unknown(Unknown::Definition(reason.clone())));
        }
        EarlierTargets::Known(targets) => targets,
    };
    let Some(earlier) = earlier.get(&target.name) else {
        return Some(Verdict::Changed(Change::New));
    };
    let (now, before) = (essence(target, target), essence(earlier, target));
    (now != before).then(|| {
        let attributes = different(&attributes(&now), &attributes(&before));
        Verdict::Changed(Change::Definition { attributes })
    })
}

/// The part of a definition that determines the result. Linked targets write no outputs, and the
/// earlier targets were planned as if each was built alone.
fn essence(target: &Target, now: &Target) -> Target {
    let mut essence = target.clone();
    essence.description = String::new();
    essence.linked = false;
    if now.linked {
        essence.outputs = None;
    }
    essence
}

fn attributes(target: &Target) -> Map<String, Value> {
    let targets = BTreeMap::from([(String::new(), target.clone())]);
    let json = plan_json(&BTreeMap::new(), &targets);
    let mut json: Value = serde_json::from_str(&json).unwrap_or_default();
    match json["target"][""].take() {
        Value::Object(attributes) => attributes,
        _ => Map::new(),
    }
}

fn different(now: &Map<String, Value>, before: &Map<String, Value>) -> Vec<String> {
    let names: BTreeSet<&String> = now.keys().chain(before.keys()).collect();
    let differ = names
        .into_iter()
        .filter(|&name| now.get(name) != before.get(name));
    differ.cloned().collect()
}
