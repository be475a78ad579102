//! Converts values to secrets, agents and resources, and back to values for other expressions.

use std::sync::Arc;

use super::values::{DecodeError, elements};
use super::{Resources, Secret, Ssh};
use crate::value::{Attribute, Type, Value, convert};

/// Returns an object type with optional attributes.
fn optional_object(attributes: &[(&str, Type)]) -> Type {
    let attributes = attributes.iter().map(|(name, ty)| {
        let ty = ty.clone();
        ((*name).to_owned(), Attribute { ty, optional: true })
    });
    Type::Object(Arc::new(attributes.collect()))
}

/// Returns the type of a secret.
pub(crate) fn secret_type() -> Type {
    optional_object(&[
        ("id", Type::String),
        ("src", Type::String),
        ("env", Type::String),
    ])
}

/// Converts `secret`; returns it and its value for other expressions.
pub(crate) fn secrets(value: &Value) -> Result<(Vec<Secret>, Value), DecodeError> {
    let mut list = Vec::new();
    for item in elements(value)? {
        list.push(match item.as_str() {
            Some(text) => Secret::parse(text)?,
            None => {
                let object = convert(item, &secret_type())?;
                Secret {
                    id: text_of(&object, "id")?.unwrap_or_default(),
                    path: text_of(&object, "src")?.unwrap_or_default(),
                    variable: text_of(&object, "env")?.unwrap_or_default(),
                }
            }
        });
    }
    let values = list.iter().map(|secret| {
        let pairs = [
            ("id", &secret.id),
            ("src", &secret.path),
            ("env", &secret.variable),
        ];
        let pairs = pairs.map(|(key, text)| (key.to_owned(), Value::string(text.as_str())));
        Value::object(pairs.into())
    });
    let value = Value::list(secret_type().without_optional(), values.collect());
    Ok((list, value))
}

/// Returns a text of an object; `None` if it is null.
fn text_of(object: &Value, key: &str) -> Result<Option<String>, DecodeError> {
    let entries = object.entries().ok_or(DecodeError::Null)?;
    let text = entries.get(key).and_then(Value::as_str);
    Ok(text.map(str::to_owned))
}

/// Returns the type of an `ssh` entry.
pub(crate) fn ssh_type() -> Type {
    optional_object(&[("id", Type::String), ("paths", Type::list(Type::String))])
}

/// Converts `ssh`; returns it and its value for other expressions.
pub(crate) fn ssh(value: &Value) -> Result<(Vec<Ssh>, Value), DecodeError> {
    let mut list = Vec::new();
    for item in elements(value)? {
        list.push(match item.as_str() {
            Some(text) => Ssh::parse(text),
            None => {
                let object = convert(item, &ssh_type())?;
                let paths = object.entries().and_then(|entries| entries.get("paths"));
                let paths = paths.and_then(Value::items).unwrap_or_default();
                let paths = paths.iter().map(|path| path.as_str().map(str::to_owned));
                Ssh {
                    id: text_of(&object, "id")?.unwrap_or_default(),
                    paths: paths
                        .collect::<Option<_>>()
                        .ok_or(DecodeError::NullElement)?,
                }
            }
        });
    }
    let values = list.iter().map(|ssh| {
        let paths = ssh.paths.iter().map(String::as_str);
        Value::object(
            [
                ("id".to_owned(), Value::string(ssh.id.as_str())),
                ("paths".to_owned(), Value::strings(paths)),
            ]
            .into(),
        )
    });
    let value = Value::list(ssh_type().without_optional(), values.collect());
    Ok((list, value))
}

/// Returns the type of `resources`.
pub(crate) fn resources_type() -> Type {
    optional_object(&[
        ("memory", Type::String),
        ("memory-swap", Type::String),
        ("cpu-shares", Type::Number),
        ("cpu-period", Type::Number),
        ("cpu-quota", Type::Number),
        ("cpuset-cpus", Type::String),
        ("cpuset-mems", Type::String),
    ])
}

/// Converts `resources`; returns it and its value for other expressions.
pub(crate) fn resources(value: &Value) -> Result<(Option<Resources>, Value), DecodeError> {
    let object = convert(value, &resources_type())?;
    let entries = object.entries().ok_or(DecodeError::Null)?;
    let number = |key: &'static str| match entries.get(key) {
        Some(Value::Number(number)) => {
            let whole = number.to_i64().filter(|_| number.is_integer());
            whole.map(Some).ok_or(DecodeError::NotWhole { key })
        }
        _ => Ok(None),
    };
    let resources = Resources {
        memory: text_of(&object, "memory")?,
        memory_swap: text_of(&object, "memory-swap")?,
        cpu_shares: number("cpu-shares")?,
        cpu_period: number("cpu-period")?,
        cpu_quota: number("cpu-quota")?,
        cpuset_cpus: text_of(&object, "cpuset-cpus")?,
        cpuset_mems: text_of(&object, "cpuset-mems")?,
    };
    Ok((Some(resources), object))
}
