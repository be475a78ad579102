//! Lists in which a later item replaces an earlier one with the same key.

use std::collections::HashMap;

use super::{
    path::Path,
    volume::{VolumeError, VolumeSpec},
    yaml::{Map, Node, Value},
};
use crate::diagnostic::{Diagnostic, Kind};

/// The way to find the key of an item.
#[derive(Clone, Copy)]
enum Key {
    /// The text before `=`.
    Name,
    /// The path inside the container.
    Volume,
    /// The path of a device inside the container.
    Device,
    /// The path of a secret or config inside the container.
    Mount(&'static str),
    EnvFile,
    Expose,
    Port,
}

const RULES: &[(&[&str], Key)] = &[
    (&["networks", "*", "labels"], Key::Name),
    (&["networks", "*", "ipam", "options"], Key::Name),
    (&["services", "*", "annotations"], Key::Name),
    (&["services", "*", "build", "args"], Key::Name),
    (
        &["services", "*", "build", "additional_contexts"],
        Key::Name,
    ),
    (&["services", "*", "build", "platform"], Key::Name),
    (&["services", "*", "build", "tags"], Key::Name),
    (&["services", "*", "build", "labels"], Key::Name),
    (&["services", "*", "cap_add"], Key::Name),
    (&["services", "*", "cap_drop"], Key::Name),
    (&["services", "*", "devices"], Key::Device),
    (&["services", "*", "configs"], Key::Mount("")),
    (&["services", "*", "deploy", "labels"], Key::Name),
    (&["services", "*", "dns"], Key::Name),
    (&["services", "*", "dns_opt"], Key::Name),
    (&["services", "*", "dns_search"], Key::Name),
    (&["services", "*", "environment"], Key::Name),
    (&["services", "*", "env_file"], Key::EnvFile),
    (&["services", "*", "expose"], Key::Expose),
    (&["services", "*", "labels"], Key::Name),
    (&["services", "*", "links"], Key::Name),
    (&["services", "*", "networks", "*", "aliases"], Key::Name),
    (
        &["services", "*", "networks", "*", "link_local_ips"],
        Key::Name,
    ),
    (&["services", "*", "ports"], Key::Port),
    (&["services", "*", "profiles"], Key::Name),
    (&["services", "*", "secrets"], Key::Mount("/run/secrets")),
    (&["services", "*", "sysctls"], Key::Name),
    (&["services", "*", "tmpfs"], Key::Name),
    (&["services", "*", "volumes"], Key::Volume),
];

/// Removes earlier items with the same key, in every list that has keys.
pub(super) fn enforce(root: &mut Map) -> Result<(), Diagnostic> {
    root.iter_mut()
        .try_for_each(|(name, node)| walk(node, &Path::ROOT.next(name)))
}

fn walk(node: &mut Node, path: &Path<'_>) -> Result<(), Diagnostic> {
    match &mut node.value {
        Value::Map(map) => map
            .iter_mut()
            .try_for_each(|(name, node)| walk(node, &path.next(name))),
        Value::List(items) => {
            let Some((_, key)) = RULES.iter().find(|(pattern, _)| path.matches(pattern)) else {
                return Ok(());
            };
            let mut kept: Vec<Node> = Vec::with_capacity(items.len());
            let mut known = HashMap::new();
            for item in std::mem::take(items) {
                let name = key.of(&item).map_err(|problem| {
                    let message = format!("{path}: {problem}");
                    let failed = Diagnostic::new(Kind::Compose, message).at(item.place.span());
                    match (&problem, item.as_text()) {
                        (KeyError::Volume(error), Some(text)) => {
                            failed.in_reference_alone(error.in_reference(text))
                        }
                        _ => failed,
                    }
                })?;
                match known.get(&name) {
                    Some(index) => kept[*index] = item,
                    None => {
                        known.insert(name, kept.len());
                        kept.push(item);
                    }
                }
            }
            *items = kept;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The reason an item has no key.
#[derive(Debug, thiserror::Error)]
enum KeyError {
    #[error("an item must be text, not {0}")]
    NotText(&'static str),
    #[error("a port cannot be {0}")]
    NotPort(&'static str),
    #[error("the target must be text, not {0}")]
    TargetNotText(&'static str),
    #[error("an item has no target")]
    NoTarget,
    #[error("an environment file has no path")]
    NoPath,
    #[error(transparent)]
    Volume(#[from] VolumeError),
}

impl Key {
    fn of(self, item: &Node) -> Result<String, KeyError> {
        match (self, &item.value) {
            (Key::Name, Value::Text(text)) => {
                Ok(text.split('=').next().unwrap_or_default().to_owned())
            }
            (Key::Volume, Value::Text(text)) => Ok(VolumeSpec::parse(text)?.target),
            (Key::Device, Value::Text(text)) => {
                let mut parts = text.split(':');
                let source = parts.next().unwrap_or_default();
                Ok(parts.next().unwrap_or(source).to_owned())
            }
            (Key::Volume | Key::Device, Value::Map(map)) => match map.get("target") {
                Some(Node {
                    value: Value::Text(target),
                    ..
                }) => Ok(target.clone()),
                _ => Err(KeyError::NoTarget),
            },
            (Key::Mount(folder), Value::Text(text)) => Ok(format!("{folder}/{text}")),
            (Key::Mount(folder), Value::Map(map)) => match map.get("target") {
                Some(Node {
                    value: Value::Text(target),
                    ..
                }) => Ok(target.clone()),
                Some(node) => Err(KeyError::TargetNotText(node.value.kind())),
                None => {
                    let source = map.get("source").map(|node| node.value.to_string());
                    Ok(format!("{folder}/{}", source.unwrap_or_default()))
                }
            },
            (Key::Name | Key::Mount(_), other) => Err(KeyError::NotText(other.kind())),
            (Key::EnvFile, Value::Map(map)) => match map.get("path") {
                Some(Node {
                    value: Value::Text(path),
                    ..
                }) => Ok(path.clone()),
                _ => Err(KeyError::NoPath),
            },
            (Key::EnvFile | Key::Expose | Key::Port, Value::Text(text)) => Ok(text.clone()),
            (Key::Expose | Key::Port, Value::Int(port)) => Ok(port.to_string()),
            (Key::Expose, other) => Err(KeyError::NotPort(other.kind())),
            (Key::Port, Value::Map(map)) => port_key(map),
            // In the reference, items of other types all have the same key.
            (Key::Port | Key::Volume | Key::Device | Key::EnvFile, _) => Ok(String::new()),
        }
    }
}

fn port_key(map: &Map) -> Result<String, KeyError> {
    let shown = |name: &str, default: &str| {
        map.get(name)
            .map_or_else(|| default.to_owned(), |node| node.value.to_string())
    };
    if !map.contains_key("target") {
        return Err(KeyError::NoTarget);
    }
    let (host, protocol) = (shown("host_ip", "0.0.0.0"), shown("protocol", "tcp"));
    Ok(format!(
        "{host}:{}:{}/{protocol}",
        shown("published", "<nil>"),
        shown("target", "")
    ))
}

#[cfg(test)]
mod tests {
    use super::{super::yaml::documents, *};

    fn run(text: &str) -> Result<String, Diagnostic> {
        let mut root = documents("f", text).unwrap().remove(0).root;
        enforce(root.as_map_mut().unwrap())?;
        Ok(root.value.to_string())
    }

    #[test]
    fn a_later_item_takes_the_place_of_the_earlier_one() {
        assert_eq!(
            run("services: {s: {build: {args: [A=1, B=2, A=3]}, volumes: [xx:/a, yy:/a]}}")
                .unwrap(),
            "map[services:map[s:map[build:map[args:[A=3 B=2]] volumes:[yy:/a]]]]"
        );
    }

    #[test]
    fn items_of_the_wrong_type_are_refused() {
        assert_eq!(
            run("services: {s: {build: {args: [1]}}}")
                .unwrap_err()
                .message,
            "services.s.build.args: an item must be text, not a number"
        );
        assert!(run("services: {s: {volumes: [{source: a}]}}").is_err());
    }
}
