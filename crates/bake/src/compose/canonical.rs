//! Converts the short forms of compose to long forms, and reports malformed values.
//!
//! Bake needs few of these forms. The others are converted if merging depends on it, and otherwise
//! only checked, as compose-go does for the whole file.

use super::{
    merge::dependency,
    path::{ITEM, Path},
    port,
    volume::VolumeSpec,
    yaml::{Map, Node, Value},
};
use crate::diagnostic::{Diagnostic, Kind};

#[derive(Clone, Copy)]
enum Form {
    Service,
    Build,
    /// A secret or config that a service uses.
    FileMount,
    Printed,
    KeyValues,
    DependsOn,
    EnvFile,
    Texts,
    Extends,
    Gpus,
    Names,
    Volume,
    Device,
    Ports,
    Ssh,
    Ulimit,
    MaybeExternal,
}

const FORMS: &[(&[&str], Form)] = &[
    (&["services", "*"], Form::Service),
    (&["services", "*", "build", "secrets", "*"], Form::FileMount),
    (&["services", "*", "build", "provenance"], Form::Printed),
    (&["services", "*", "build", "sbom"], Form::Printed),
    (
        &["services", "*", "build", "additional_contexts"],
        Form::KeyValues,
    ),
    (&["services", "*", "depends_on"], Form::DependsOn),
    (&["services", "*", "env_file"], Form::EnvFile),
    (&["services", "*", "label_file"], Form::Texts),
    (&["services", "*", "extends"], Form::Extends),
    (&["services", "*", "gpus"], Form::Gpus),
    (&["services", "*", "networks"], Form::Names),
    (&["services", "*", "models"], Form::Names),
    (&["services", "*", "volumes", "*"], Form::Volume),
    (&["services", "*", "dns"], Form::Texts),
    (&["services", "*", "devices", "*"], Form::Device),
    (&["services", "*", "secrets", "*"], Form::FileMount),
    (&["services", "*", "configs", "*"], Form::FileMount),
    (&["services", "*", "ports"], Form::Ports),
    (&["services", "*", "build"], Form::Build),
    (&["services", "*", "build", "ssh"], Form::Ssh),
    (&["services", "*", "ulimits", "*"], Form::Ulimit),
    (&["services", "*", "build", "ulimits", "*"], Form::Ulimit),
    (
        &["services", "*", "develop", "watch", "*", "ignore"],
        Form::Texts,
    ),
    (
        &["services", "*", "develop", "watch", "*", "include"],
        Form::Texts,
    ),
    (&["volumes", "*"], Form::MaybeExternal),
    (&["networks", "*"], Form::MaybeExternal),
    (&["secrets", "*"], Form::MaybeExternal),
    (&["configs", "*"], Form::MaybeExternal),
];

/// Converts every value to its long form.
pub(super) fn canonical(root: &mut Map) -> Result<(), Diagnostic> {
    children(root, &Path::ROOT)
}

fn children(map: &mut Map, path: &Path<'_>) -> Result<(), Diagnostic> {
    map.iter_mut()
        .try_for_each(|(name, node)| walk(node, &path.next(name)))
}

fn items(nodes: &mut [Node], path: &Path<'_>) -> Result<(), Diagnostic> {
    nodes
        .iter_mut()
        .try_for_each(|node| walk(node, &path.next(ITEM)))
}

fn walk(node: &mut Node, path: &Path<'_>) -> Result<(), Diagnostic> {
    if let Some((_, form)) = FORMS.iter().find(|(pattern, _)| path.matches(pattern)) {
        return apply(*form, node, path);
    }
    match &mut node.value {
        Value::Map(map) => children(map, path),
        Value::List(nodes) => items(nodes, path),
        _ => Ok(()),
    }
}

/// Returns the error for a value of the wrong type.
pub(super) fn wrong_type(node: &Node, path: &Path<'_>, wanted: &str) -> Diagnostic {
    let message = format!("{path} must be {wanted}, not {}", node.value.kind());
    let failed = Diagnostic::new(Kind::Compose, message).at(node.place.span());
    match wanted {
        "a mapping" | "a mapping or a list" => {
            failed.in_reference_alone(format!("{path} must be a mapping"))
        }
        _ => failed,
    }
}

fn refused(node: &Node, path: &Path<'_>, problem: &dyn std::fmt::Display) -> Diagnostic {
    let message = format!("{path}: {problem}");
    Diagnostic::new(Kind::Compose, message).at(node.place.span())
}

fn apply(form: Form, node: &mut Node, path: &Path<'_>) -> Result<(), Diagnostic> {
    let place = node.place.clone();
    match (form, &mut node.value) {
        (Form::Service, Value::Map(map)) => children(map, path),
        (Form::Service, _) => Ok(()),
        (Form::Build | Form::Extends, Value::Map(map)) => children(map, path),
        (Form::Build, Value::Text(_)) => {
            wrap(node, "context");
            Ok(())
        }
        (Form::Build, _) => Err(wrong_type(node, path, "a folder or a mapping")),
        (Form::Extends, Value::Text(_)) => {
            wrap(node, "service");
            Ok(())
        }
        (Form::Extends, _) => Err(wrong_type(node, path, "a service or a mapping")),
        (Form::FileMount, Value::Map(_)) => Ok(()),
        (Form::FileMount, Value::Text(_)) => {
            wrap(node, "source");
            Ok(())
        }
        (Form::FileMount, _) => Err(wrong_type(node, path, "a name or a mapping")),
        (Form::Printed, value) => {
            *value = Value::Text(value.to_string());
            Ok(())
        }
        (Form::KeyValues, Value::Map(_)) => Ok(()),
        (Form::KeyValues, Value::List(_)) => key_values(node, path),
        (Form::KeyValues, _) => Err(wrong_type(node, path, "a list or a mapping")),
        (Form::DependsOn, _) => depends_on(node, path),
        (Form::EnvFile, _) => env_file(node, path),
        (Form::Texts, Value::Text(_)) => {
            let text = std::mem::replace(&mut node.value, Value::Null);
            node.value = Value::List(vec![Node { place, value: text }]);
            Ok(())
        }
        (Form::Texts, _) => Ok(()),
        (Form::Gpus, Value::List(nodes)) => items(nodes, path),
        (Form::Gpus, Value::Text(_)) => {
            let count = Map::from([("count".to_owned(), Node::text(&place, "all"))]);
            node.value = Value::List(vec![Node::new(&place, Value::Map(count))]);
            Ok(())
        }
        (Form::Gpus, _) => Err(wrong_type(node, path, "a list")),
        (Form::Names, Value::List(_)) => names(node, path),
        (Form::Names, _) => Ok(()),
        (Form::Volume, Value::Map(_)) => Ok(()),
        (Form::Volume, Value::Text(text)) => match VolumeSpec::parse(text) {
            Ok(_) => Ok(()),
            Err(error) => Err(refused(node, path, &error)),
        },
        (Form::Volume, _) => Err(wrong_type(node, path, "text or a mapping")),
        (Form::Device, Value::Map(_)) => Ok(()),
        (Form::Device, Value::Text(text)) if text.split(':').count() <= 3 => Ok(()),
        (Form::Device, Value::Text(_)) => Err(refused(node, path, &"there are too many colons")),
        (Form::Device, _) => Err(wrong_type(node, path, "text or a mapping")),
        (Form::Ports, _) => ports(node, path),
        (Form::Ssh, _) => ssh(node, path),
        (Form::Ulimit, Value::Map(_) | Value::Int(_)) => Ok(()),
        (Form::Ulimit, _) => Err(wrong_type(node, path, "a whole number or a mapping")),
        (Form::MaybeExternal, Value::Null) => Ok(()),
        (Form::MaybeExternal, Value::Map(map)) => {
            children(map, path)?;
            external(node, path)
        }
        (Form::MaybeExternal, _) => Err(wrong_type(node, path, "a mapping")),
    }
}

/// Wraps text into a mapping with one entry.
fn wrap(node: &mut Node, key: &str) {
    let value = std::mem::replace(&mut node.value, Value::Null);
    let entry = Node {
        place: node.place.clone(),
        value,
    };
    node.value = Value::Map(Map::from([(key.to_owned(), entry)]));
}

fn key_values(node: &mut Node, path: &Path<'_>) -> Result<(), Diagnostic> {
    let mut map = Map::new();
    for item in node.as_list().unwrap_or_default() {
        let text = item
            .as_text()
            .ok_or_else(|| wrong_type(item, path, "a list of texts"))?;
        let Some((key, value)) = text.split_once('=') else {
            return Err(refused(
                item,
                path,
                &format!("{text:?} must have the form NAME=VALUE"),
            ));
        };
        map.insert(key.to_owned(), Node::text(&item.place, value));
    }
    node.value = Value::Map(map);
    Ok(())
}

fn depends_on(node: &mut Node, path: &Path<'_>) -> Result<(), Diagnostic> {
    match &mut node.value {
        Value::Map(map) => {
            for (name, entry) in map {
                if entry.as_map().is_none() {
                    return Err(wrong_type(entry, &path.next(name), "a mapping"));
                }
                let Value::Map(defaults) = dependency(&entry.place) else {
                    continue;
                };
                if let Some(entry) = entry.as_map_mut() {
                    for (key, value) in defaults {
                        entry.entry(key).or_insert(value);
                    }
                }
            }
            Ok(())
        }
        Value::List(list) => {
            let mut map = Map::new();
            for item in list.iter() {
                let name = item.as_text();
                let name = name.ok_or_else(|| wrong_type(item, path, "a list of services"))?;
                map.insert(
                    name.to_owned(),
                    Node::new(&item.place, dependency(&item.place)),
                );
            }
            node.value = Value::Map(map);
            Ok(())
        }
        _ => Err(wrong_type(node, path, "a list or a mapping")),
    }
}

fn env_file(node: &mut Node, path: &Path<'_>) -> Result<(), Diagnostic> {
    let list = match &mut node.value {
        Value::Text(_) => vec![node.clone()],
        Value::List(list) => std::mem::take(list),
        _ => return Err(wrong_type(node, path, "a path, or a list")),
    };
    let mut files = Vec::with_capacity(list.len());
    for mut item in list {
        let required = Node::new(&item.place, Value::Bool(true));
        if item.as_text().is_some() {
            wrap(&mut item, "path");
        }
        let Some(map) = item.as_map_mut() else {
            return Err(wrong_type(&item, path, "a list of paths and mappings"));
        };
        map.entry("required".to_owned()).or_insert(required);
        files.push(item);
    }
    node.value = Value::List(files);
    Ok(())
}

fn names(node: &mut Node, path: &Path<'_>) -> Result<(), Diagnostic> {
    let mut map = Map::new();
    for item in node.as_list().unwrap_or_default() {
        let name = item
            .as_text()
            .ok_or_else(|| wrong_type(item, path, "a list of names"))?;
        map.insert(name.to_owned(), Node::new(&item.place, Value::Null));
    }
    node.value = Value::Map(map);
    Ok(())
}

fn ports(node: &Node, path: &Path<'_>) -> Result<(), Diagnostic> {
    let list = node
        .as_list()
        .ok_or_else(|| wrong_type(node, path, "a list"))?;
    for item in list {
        let checked = match &item.value {
            Value::Map(_) => Ok(()),
            Value::Int(number) => port::check(&number.to_string()),
            Value::Text(text) => port::check(text),
            _ => return Err(wrong_type(item, path, "a list of ports")),
        };
        checked.map_err(|error| {
            refused(item, path, &error).in_reference_alone(error.in_reference())
        })?;
    }
    Ok(())
}

fn ssh(node: &mut Node, path: &Path<'_>) -> Result<(), Diagnostic> {
    let list = match &node.value {
        Value::Map(_) => return Ok(()),
        Value::List(list) => list,
        _ => return Err(wrong_type(node, path, "a list or a mapping")),
    };
    let mut map = Map::new();
    for item in list {
        let text = item
            .as_text()
            .ok_or_else(|| wrong_type(item, path, "a list of keys"))?;
        match text.split_once('=') {
            Some((id, key)) => map.insert(id.to_owned(), Node::text(&item.place, key)),
            None if text == "default" => {
                map.insert(text.to_owned(), Node::new(&item.place, Value::Null))
            }
            None => {
                let problem = format!("{text:?} must be default or have the form ID=PATH");
                return Err(refused(item, path, &problem));
            }
        };
    }
    node.value = Value::Map(map);
    Ok(())
}

/// Converts `external: {name: x}`, the old form of `external: true` and `name: x`.
fn external(node: &mut Node, path: &Path<'_>) -> Result<(), Diagnostic> {
    let Some(map) = node.as_map_mut() else {
        return Ok(());
    };
    let Some(external) = map.get_mut("external") else {
        return Ok(());
    };
    let Value::Map(old) = &external.value else {
        return Ok(());
    };
    let old_name = old.get("name").cloned();
    external.value = Value::Bool(true);
    let Some(old_name) = old_name else {
        return Ok(());
    };
    match map.get("name") {
        Some(name) if *name != old_name => {
            let problem = "name and external.name differ; write name alone";
            Err(refused(&old_name, path, &problem))
        }
        Some(_) => Ok(()),
        None => {
            map.insert("name".to_owned(), old_name);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
