//! The shown data of a graph: steps with their stage, name, digest and inputs.

use std::collections::HashMap;

use prost::Message as _;

use super::super::Definition;
use super::super::definition::DefinedVertex;
use crate::proto::pb;

/// A vertex as it is shown.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// The stage's name; empty for the only stage, `None` without a stage.
    pub(super) stage: Option<String>,
    /// Its number in the stage, as `2/5`.
    pub(super) number: String,
    /// Its name without stage and number.
    pub(super) name: String,
    /// The first twelve digits of its digest.
    pub(super) digest: String,
    /// The origin of a source, and other details.
    pub(super) detail: String,
    /// The positions of its inputs, with their mount points.
    pub(super) reads: Vec<(usize, String)>,
}

/// Returns the steps of a graph, inputs first.
pub(super) fn steps(definition: &Definition) -> Vec<Step> {
    let positions: HashMap<&str, usize> = definition
        .vertices()
        .iter()
        .enumerate()
        .map(|(position, vertex)| (vertex.digest_str(), position))
        .collect();
    let steps = definition.vertices().iter();
    steps.map(|vertex| step(vertex, &positions)).collect()
}

fn step(vertex: &DefinedVertex, positions: &HashMap<&str, usize>) -> Step {
    // The bytes were encoded here or checked when they were read.
    let op = pb::Op::decode(vertex.op().as_ref()).unwrap_or_default();
    let mut step = named(vertex, &op);
    step.digest = short(vertex.digest_str()).to_owned();
    step.detail = detail(&op);
    // The name of a stage's base contains the image already.
    if let Some(image) = step.detail.strip_prefix("docker-image://")
        && step.name.ends_with(image)
    {
        step.detail.clear();
    }
    step.name = with_short_digests(&step.name);
    let places = places(&op);
    for (input, place) in op.inputs.iter().zip(places) {
        if let Some(position) = positions.get(input.digest.as_str()) {
            step.reads.push((*position, place));
        }
    }
    step
}

pub(super) fn short(digest: &str) -> &str {
    let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
    hex.get(..12).unwrap_or(hex)
}

/// Shortens `@sha256:…` to twelve digits.
fn with_short_digests(name: &str) -> String {
    const MARK: &str = "@sha256:";
    let mut parts = name.split(MARK);
    let mut short = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_hexdigit).count();
        let (digest, rest) = part.split_at(digits);
        short.push_str(MARK);
        short.push_str(digest.get(..12).unwrap_or(digest));
        short.push_str(rest);
    }
    short
}

/// Splits a name: `[linux/amd64 base 2/5] RUN make` has the stage `base`; `[internal] load build
/// context` has none.
fn named(vertex: &DefinedVertex, op: &pb::Op) -> Step {
    let full = match vertex.metadata().name() {
        Some(name) => name.to_owned(),
        None => unnamed(op),
    };
    let name = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain = Step {
        name: name(&full),
        ..Step::default()
    };
    let Some((place, rest)) = full.strip_prefix('[').and_then(|full| full.split_once(']')) else {
        return plain;
    };
    let words: Vec<&str> = place.split(' ').collect();
    let Some((number, before)) = words.split_last() else {
        return plain;
    };
    if *number == "internal" {
        return Step {
            name: name(rest),
            ..Step::default()
        };
    }
    let is_number = number
        .split_once('/')
        .is_some_and(|(of, all)| [of, all].iter().all(|part| part.parse::<u32>().is_ok()));
    if !is_number {
        return plain;
    }
    let stage = before.iter().rfind(|word| !word.contains('/'));
    Step {
        stage: Some(stage.map_or_else(String::new, |stage| (*stage).to_owned())),
        number: (*number).to_owned(),
        name: name(rest),
        ..Step::default()
    }
}

fn unnamed(op: &pb::Op) -> String {
    match &op.op {
        Some(pb::op::Op::Source(source)) => source.identifier.clone(),
        Some(pb::op::Op::Exec(exec)) => {
            let args = exec.meta.as_ref().map(|meta| meta.args.join(" "));
            args.unwrap_or_default()
        }
        Some(pb::op::Op::File(_)) => "change files".to_owned(),
        Some(pb::op::Op::Merge(_)) => "merge".to_owned(),
        Some(pb::op::Op::Diff(_)) => "difference".to_owned(),
        Some(pb::op::Op::Build(_)) => "build".to_owned(),
        _ => "step".to_owned(),
    }
}

/// Returns the origin of a source with its filters, or the caches, secrets and agents of a process.
fn detail(op: &pb::Op) -> String {
    match &op.op {
        Some(pb::op::Op::Source(source)) => {
            let mut text = source.identifier.clone();
            for (key, title) in [
                ("local.followpaths", "only"),
                ("local.includepattern", "include"),
                ("local.excludepatterns", "exclude"),
            ] {
                let list = source.attrs.get(key);
                let list = list.and_then(|list| serde_json::from_str::<Vec<String>>(list).ok());
                if let Some(list) = list.filter(|list| !list.is_empty()) {
                    text.push_str(&format!(", {title} {}", list.join(" ")));
                }
            }
            text
        }
        Some(pb::op::Op::Exec(exec)) => {
            let uses = exec.mounts.iter().filter_map(|mount| {
                let kind = match pb::MountType::try_from(mount.mount_type) {
                    Ok(pb::MountType::Cache) => "cache",
                    Ok(pb::MountType::Secret) => "secret",
                    Ok(pb::MountType::Ssh) => "ssh agent",
                    Ok(pb::MountType::Tmpfs) => "tmpfs",
                    _ => return None,
                };
                Some(format!("{kind} at {}", mount.dest))
            });
            uses.collect::<Vec<_>>().join(", ")
        }
        _ => String::new(),
    }
}

/// Returns the mount points of a process for each input; empty for other ops.
fn places(op: &pb::Op) -> Vec<String> {
    let mut places = vec![String::new(); op.inputs.len()];
    if let Some(pb::op::Op::Exec(exec)) = &op.op {
        for mount in exec.mounts.iter().filter(|mount| mount.dest != "/") {
            let place = usize::try_from(mount.input).ok();
            if let Some(place) = place.and_then(|index| places.get_mut(index)) {
                place.clone_from(&mount.dest);
            }
        }
    }
    places
}
