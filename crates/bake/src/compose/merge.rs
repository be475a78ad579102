//! Merges an additional file, an override or an extending service into an existing tree.
//!
//! Mappings are merged by key, lists are appended, anything else is replaced; some paths have
//! special rules. The rules are those of compose-go's override package.

use std::collections::{HashMap, HashSet};
use std::mem::{Discriminant, discriminant};

use super::{
    path::Path,
    yaml::{Map, Node, Value},
};
use crate::diagnostic::{Diagnostic, Kind};

/// Merges `other` into `base`; `other` wins.
pub(super) fn merge(base: &mut Map, other: Map) -> Result<(), Diagnostic> {
    mappings(base, other, &Path::ROOT)
}

/// Merges a service into the one that it extends.
pub(super) fn extend_service(base: Node, service: Node) -> Result<Node, Diagnostic> {
    let services = Path::ROOT.next("services");
    merge_node(base, service, &services.next("x"))
}

#[derive(Clone, Copy)]
enum Rule {
    /// The later value replaces the earlier one.
    Replace,
    /// Both become lists of `key=value`, and the second is appended.
    Sequence,
    /// As `Sequence`, without duplicates.
    UniqueSequence,
    /// Text is the `context` of a build.
    Build,
    DependsOn,
    /// A list of names becomes a mapping without values.
    Names,
    Logging,
    AddressPools,
}

const RULES: &[(&[&str], Rule)] = &[
    (&["networks", "*", "ipam", "config"], Rule::AddressPools),
    (&["networks", "*", "labels"], Rule::Sequence),
    (&["volumes", "*", "labels"], Rule::Sequence),
    (&["services", "*", "annotations"], Rule::Sequence),
    (&["services", "*", "build"], Rule::Build),
    (&["services", "*", "build", "args"], Rule::Sequence),
    (
        &["services", "*", "build", "additional_contexts"],
        Rule::Sequence,
    ),
    (
        &["services", "*", "build", "extra_hosts"],
        Rule::UniqueSequence,
    ),
    (&["services", "*", "build", "labels"], Rule::Sequence),
    (&["services", "*", "command"], Rule::Replace),
    (&["services", "*", "depends_on"], Rule::DependsOn),
    (&["services", "*", "deploy", "labels"], Rule::Sequence),
    (&["services", "*", "dns"], Rule::Sequence),
    (&["services", "*", "dns_opt"], Rule::Sequence),
    (&["services", "*", "dns_search"], Rule::Sequence),
    (&["services", "*", "entrypoint"], Rule::Replace),
    (&["services", "*", "env_file"], Rule::Sequence),
    (&["services", "*", "label_file"], Rule::Sequence),
    (&["services", "*", "environment"], Rule::Sequence),
    (&["services", "*", "extra_hosts"], Rule::UniqueSequence),
    (&["services", "*", "healthcheck", "test"], Rule::Replace),
    (&["services", "*", "labels"], Rule::Sequence),
    (
        &["services", "*", "volumes", "*", "volume", "labels"],
        Rule::Sequence,
    ),
    (&["services", "*", "logging"], Rule::Logging),
    (&["services", "*", "models"], Rule::Names),
    (&["services", "*", "networks"], Rule::Names),
    (&["services", "*", "sysctls"], Rule::Sequence),
    (&["services", "*", "tmpfs"], Rule::Sequence),
    (&["services", "*", "ulimits", "*"], Rule::Replace),
];

/// Merges `other` into `base`, both at `path`.
pub(super) fn merge_node(base: Node, other: Node, path: &Path<'_>) -> Result<Node, Diagnostic> {
    let rule = RULES
        .iter()
        .find(|(pattern, _)| path.matches(pattern))
        .map(|(_, rule)| *rule);
    if let Some(rule) = rule {
        return apply(rule, base, other, path);
    }
    let place = other.place.clone();
    let value = match (base.value, other.value) {
        (value, Value::Null) => value,
        (Value::Map(mut base), Value::Map(other)) => {
            mappings(&mut base, other, path)?;
            Value::Map(base)
        }
        (Value::List(mut base), Value::List(other)) => {
            base.extend(other);
            Value::List(base)
        }
        (base @ (Value::Map(_) | Value::List(_)), other) => {
            let message = format!("{path} is {} elsewhere, not {}", base.kind(), other.kind());
            return Err(Diagnostic::new(Kind::Compose, message).at(place.span()));
        }
        (_, other) => other,
    };
    Ok(Node { place, value })
}

fn mappings(base: &mut Map, other: Map, path: &Path<'_>) -> Result<(), Diagnostic> {
    for (name, node) in other {
        let node = match base.remove(&name) {
            Some(before) => merge_node(before, node, &path.next(&name))?,
            None => node,
        };
        base.insert(name, node);
    }
    Ok(())
}

fn apply(rule: Rule, base: Node, other: Node, path: &Path<'_>) -> Result<Node, Diagnostic> {
    let place = other.place.clone();
    let merged = |base: Map, other: Map| {
        let mut base = base;
        mappings(&mut base, other, path)?;
        Ok(Node::new(&place, Value::Map(base)))
    };
    match rule {
        Rule::Replace => Ok(other),
        Rule::Sequence => {
            let mut items = sequence(base);
            items.extend(sequence(other));
            Ok(Node::new(&place, Value::List(items)))
        }
        Rule::UniqueSequence => {
            let mut items = sequence(base);
            let known: HashSet<Alike> = items.iter().map(alike).collect();
            let added = sequence(other).into_iter();
            items.extend(added.filter(|item| !known.contains(&alike(item))));
            Ok(Node::new(&place, Value::List(items)))
        }
        Rule::Build => merged(build(base), build(other)),
        Rule::DependsOn => merged(names(base, true), names(other, true)),
        Rule::Names => merged(names(base, false), names(other, false)),
        Rule::Logging => {
            let driver = |node: &Node| node.as_map().and_then(|map| map.get("driver").cloned());
            match (driver(&base), driver(&other)) {
                (Some(before), Some(after)) if before != after => Ok(other),
                _ => merged(mapping(base, path)?, mapping(other, path)?),
            }
        }
        Rule::AddressPools => address_pools(base, other, path),
    }
}

fn mapping(node: Node, path: &Path<'_>) -> Result<Map, Diagnostic> {
    match node.value {
        Value::Map(map) => Ok(map),
        other => {
            let message = format!("{path} must be a mapping, not {}", other.kind());
            let failed = Diagnostic::new(Kind::Compose, message).at(node.place.span());
            Err(failed.in_reference_alone(format!("{path} must be a mapping")))
        }
    }
}

/// Converts to a list: lists are unchanged, mappings become sorted `key=value`, text becomes one
/// item.
fn sequence(node: Node) -> Vec<Node> {
    match node.value {
        Value::List(items) => items,
        Value::Text(_) => vec![node],
        Value::Map(map) => {
            let mut items = Vec::new();
            for (key, node) in map {
                let place = &node.place;
                match &node.value {
                    Value::Null => items.push(Node::text(place, key)),
                    Value::List(values) => items.extend(
                        values
                            .iter()
                            .map(|value| Node::text(place, format!("{key}={}", value.value))),
                    ),
                    value => items.push(Node::text(place, format!("{key}={value}"))),
                }
            }
            items.sort_by(|a, b| a.as_text().cmp(&b.as_text()));
            items
        }
        _ => Vec::new(),
    }
}

fn build(node: Node) -> Map {
    match node.value {
        Value::Map(map) => map,
        Value::Text(_) => Map::from([("context".to_owned(), node)]),
        _ => Map::new(),
    }
}

/// Converts a list of names to a mapping.
fn names(node: Node, is_dependency: bool) -> Map {
    match node.value {
        Value::Map(map) => map,
        Value::List(items) => items
            .into_iter()
            .filter_map(|item| {
                let place = item.place.clone();
                let Value::Text(name) = item.value else {
                    return None;
                };
                let value = if is_dependency {
                    dependency(&place)
                } else {
                    Value::Null
                };
                Some((name, Node::new(&place, value)))
            })
            .collect(),
        _ => Map::new(),
    }
}

/// Returns the long form of a plain name in `depends_on`.
pub(super) fn dependency(place: &super::yaml::Place) -> Value {
    Value::Map(Map::from([
        ("condition".to_owned(), Node::text(place, "service_started")),
        ("required".to_owned(), Node::new(place, Value::Bool(true))),
    ]))
}

/// The kind and printed form of a value; values with equal ones are duplicates.
type Alike = (Discriminant<Value>, String);

fn alike(node: &Node) -> Alike {
    (discriminant(&node.value), node.value.to_string())
}

/// Merges address pools of the same subnet.
fn address_pools(base: Node, other: Node, path: &Path<'_>) -> Result<Node, Diagnostic> {
    let place = other.place.clone();
    let wrong = |node: &Node| {
        let message = format!("{path} must be a list, not {}", node.value.kind());
        Diagnostic::new(Kind::Compose, message).at(node.place.span())
    };
    let before = base.as_list().ok_or_else(|| wrong(&base))?;
    let after = other.as_list().ok_or_else(|| wrong(&other))?;
    let subnet = |node: &Node| node.as_map().and_then(|map| map.get("subnet").map(alike));
    let mut added: HashMap<Option<Alike>, &Node> = HashMap::new();
    for pool in after {
        added.entry(subnet(pool)).or_insert(pool);
    }
    let mut known = HashSet::new();
    let mut pools: Vec<Node> = Vec::new();
    for pool in before {
        let key = subnet(pool);
        pools.push(match added.get(&key) {
            Some(other) => {
                let mut map = mapping(pool.clone(), path)?;
                mappings(&mut map, mapping((*other).clone(), path)?, path)?;
                Node::new(&place, Value::Map(map))
            }
            None => pool.clone(),
        });
        known.insert(key);
    }
    pools.extend(
        after
            .iter()
            .filter(|pool| known.insert(subnet(pool)))
            .cloned(),
    );
    Ok(Node::new(&place, Value::List(pools)))
}

#[cfg(test)]
mod tests;
