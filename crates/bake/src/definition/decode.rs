//! Converts values of attributes to typed groups and targets, and back to values for other
//! expressions.

use std::collections::BTreeMap;

use super::decode_text::{DecodeError, bool_of, map_of, nullable_map_of, strings_of, text_of};
use crate::target::{Group, Target};
use crate::target::{object_values, values};
use crate::value::{Type, Value};

/// The attributes of a group.
const GROUP: &[&str] = &["description", "targets"];

/// The attributes of a target that have a value, without `name` and `matrix`.
const TARGET: &[&str] = &[
    "description",
    "inherits",
    "annotations",
    "attest",
    "context",
    "contexts",
    "dockerfile",
    "dockerfile-inline",
    "args",
    "labels",
    "tags",
    "cache-from",
    "cache-to",
    "target",
    "secret",
    "ssh",
    "platforms",
    "output",
    "pull",
    "no-cache",
    "network",
    "no-cache-filter",
    "shm-size",
    "ulimits",
    "resources",
    "call",
    "entitlements",
    "extra-hosts",
    "policy",
];

/// Returns the names of the attributes of a kind of block.
pub(crate) fn attribute_names(kind: &str) -> &'static [&'static str] {
    if kind == "group" { GROUP } else { TARGET }
}

/// A group or target with the attributes evaluated so far.
#[derive(Debug)]
pub(super) enum Decoded {
    Group(Box<GroupParts>),
    Target(Box<TargetParts>),
}

/// A group with the values of its attributes.
#[derive(Debug, Default)]
pub(super) struct GroupParts {
    pub(super) group: Group,
    values: BTreeMap<String, Value>,
}

/// A target with the values of its attributes.
#[derive(Debug, Default)]
pub(super) struct TargetParts {
    pub(super) target: Target,
    values: BTreeMap<String, Value>,
}

impl Decoded {
    /// Returns a block of `kind` without attributes.
    pub(super) fn new(kind: &str) -> Self {
        match kind {
            "group" => Self::Group(Box::default()),
            _ => Self::Target(Box::default()),
        }
    }

    /// Sets an attribute.
    pub(super) fn set(&mut self, name: &str, value: Value) -> Result<(), DecodeError> {
        let (values, value) = match self {
            Self::Group(parts) => {
                let value = set_group(&mut parts.group, name, &value)?;
                (&mut parts.values, value)
            }
            Self::Target(parts) => {
                let value = set_target(&mut parts.target, name, &value)?;
                (&mut parts.values, value)
            }
        };
        values.insert(name.to_owned(), value);
        Ok(())
    }

    /// Returns the values of all attributes.
    pub(super) fn into_values(self) -> BTreeMap<String, Value> {
        match self {
            Self::Group(parts) => parts.values,
            Self::Target(parts) => parts.values,
        }
    }

    /// Returns the value of the block for expressions.
    pub(super) fn value(&self, name: &str) -> Value {
        let (names, known) = match self {
            Self::Group(parts) => (GROUP, &parts.values),
            Self::Target(parts) => (TARGET, &parts.values),
        };
        let value = |name: &str| known.get(name).cloned().unwrap_or_else(|| absent(name));
        let values = names.iter().map(|name| ((*name).to_owned(), value(name)));
        let mut values: BTreeMap<String, Value> = values.collect();
        values.insert("name".to_owned(), Value::string(name));
        Value::object(values)
    }
}

/// Returns the value of an unset attribute.
fn absent(name: &str) -> Value {
    match name {
        "description" => Value::string(""),
        "context" | "dockerfile" | "dockerfile-inline" | "target" | "network" | "shm-size"
        | "call" => Value::Null(Type::String),
        "pull" | "no-cache" => Value::Null(Type::Bool),
        "contexts" | "args" | "labels" | "extra-hosts" => Value::Null(Type::map(Type::String)),
        "attest" | "cache-from" | "cache-to" | "output" | "policy" => {
            Value::list(Type::map(Type::String), Vec::new())
        }
        "secret" => Value::list(object_values::secret_type(), Vec::new()),
        "ssh" => Value::list(object_values::ssh_type(), Vec::new()),
        "resources" => Value::Null(object_values::resources_type()),
        _ => Value::Null(Type::list(Type::String)),
    }
}

/// Sets an attribute of a group; returns the value that expressions see.
fn set_group(group: &mut Group, name: &str, value: &Value) -> Result<Value, DecodeError> {
    if name == "description" {
        let (text, value) = text_of(value)?;
        group.description = text.ok_or(DecodeError::Null)?;
        return Ok(value);
    }
    let (targets, value) = strings_of(value)?;
    group.targets = targets.unwrap_or_default();
    Ok(value)
}

/// Sets an attribute of a target; returns the value that expressions see.
fn set_target(target: &mut Target, name: &str, value: &Value) -> Result<Value, DecodeError> {
    /// Stores the first of two values in `place` and returns the second.
    fn put<T>(place: &mut T, (part, value): (T, Value)) -> Value {
        *place = part;
        value
    }
    /// The same for a list that is empty if it is absent.
    fn list((part, value): (Option<Vec<String>>, Value)) -> (Vec<String>, Value) {
        (part.unwrap_or_default(), value)
    }
    Ok(match name {
        "description" => {
            let (text, value) = text_of(value)?;
            target.description = text.ok_or(DecodeError::Null)?;
            value
        }
        "context" => put(&mut target.context, text_of(value)?),
        "dockerfile" => put(&mut target.dockerfile, text_of(value)?),
        "dockerfile-inline" => put(&mut target.dockerfile_inline, text_of(value)?),
        "target" => put(&mut target.target, text_of(value)?),
        "network" => put(&mut target.network, text_of(value)?),
        "shm-size" => put(&mut target.shm_size, text_of(value)?),
        "call" => put(&mut target.call, text_of(value)?),
        "pull" => put(&mut target.pull, bool_of(value)?),
        "no-cache" => put(&mut target.no_cache, bool_of(value)?),
        "inherits" => put(&mut target.inherits, list(strings_of(value)?)),
        "annotations" => put(&mut target.annotations, list(strings_of(value)?)),
        "no-cache-filter" => put(&mut target.no_cache_filter, list(strings_of(value)?)),
        "ulimits" => put(&mut target.ulimits, list(strings_of(value)?)),
        "entitlements" => put(&mut target.entitlements, list(strings_of(value)?)),
        "tags" => put(&mut target.tags, strings_of(value)?),
        "platforms" => put(&mut target.platforms, strings_of(value)?),
        "contexts" => put(&mut target.contexts, map_of(value)?),
        "args" => put(&mut target.args, nullable_map_of(value)?),
        "labels" => put(&mut target.labels, nullable_map_of(value)?),
        "extra-hosts" => put(&mut target.extra_hosts, nullable_map_of(value)?),
        "attest" => put(&mut target.attest, values::attests(value)?),
        "cache-from" => put(&mut target.cache_from, values::caches(value)?),
        "cache-to" => put(&mut target.cache_to, values::caches(value)?),
        "secret" => put(&mut target.secrets, object_values::secrets(value)?),
        "ssh" => put(&mut target.ssh, object_values::ssh(value)?),
        "output" => put(&mut target.outputs, values::outputs(value)?),
        "policy" => put(&mut target.policy, values::policies(value)?),
        "resources" => put(&mut target.resources, object_values::resources(value)?),
        _ => value.clone(),
    })
}
