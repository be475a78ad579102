//! Structured attributes from values of expressions, and back to the values that others see.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Attest, AttributeError, Cache, Output, Policy, Resources, Secret, Ssh, parse_bool};
use crate::value::{Attribute, ConvertError, FloatStyle, Type, Value, convert};

/// Why a value cannot be an attribute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    /// The value has the wrong type.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// The text in it is wrong.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
    /// The value is null.
    #[error("null is not allowed here")]
    Null,
    /// An element of the value is null.
    #[error("an element is null")]
    NullElement,
    /// The value is no list.
    #[error("a list is required, found {found}")]
    NotAList {
        /// The type of the value.
        found: String,
    },
    /// A number has a fraction or is too large.
    #[error("{key} must be a whole number")]
    NotWhole {
        /// The key.
        key: &'static str,
    },
}

/// The elements of a list or tuple, without empty texts.
fn elements(value: &Value) -> Result<Vec<&Value>, DecodeError> {
    match value {
        Value::List(_, items) | Value::Tuple(items) => Ok(items
            .iter()
            .filter(|item| item.as_str() != Some(""))
            .collect()),
        Value::Null(_) => Err(DecodeError::Null),
        other => Err(DecodeError::NotAList {
            found: Type::of(other).friendly(),
        }),
    }
}

/// An object of texts, none of which is null.
fn texts(value: &Value) -> Result<BTreeMap<String, String>, DecodeError> {
    let value = convert(value, &Type::map(Type::String))?;
    let entries = value.entries().ok_or(DecodeError::Null)?;
    let texts = entries
        .iter()
        .map(|(key, item)| Some((key.clone(), item.as_str()?.to_owned())));
    texts.collect::<Option<_>>().ok_or(DecodeError::NullElement)
}

/// A map of texts as a value.
fn map_value(entries: impl IntoIterator<Item = (String, String)>) -> Value {
    let values = entries
        .into_iter()
        .map(|(key, text)| (key, Value::string(text)));
    Value::map(Type::String, values.collect())
}

/// `output`, and the value that others see.
pub(crate) fn outputs(value: &Value) -> Result<(Option<Vec<Output>>, Value), DecodeError> {
    let mut list = Vec::new();
    for item in elements(value)? {
        list.push(match item.as_str() {
            Some(text) => Output::parse(text)?,
            None => {
                let mut attributes = texts(item)?;
                Output {
                    kind: attributes.remove("type").unwrap_or_default(),
                    destination: attributes.remove("dest").unwrap_or_default(),
                    attributes,
                }
                .check()?
            }
        });
    }
    let values = list.iter().map(|output| {
        let mut entries = output.attributes.clone();
        entries.insert("type".into(), output.kind.clone());
        entries.insert("dest".into(), output.destination.clone());
        map_value(entries)
    });
    let value = Value::list(Type::map(Type::String), values.collect());
    Ok((Some(list), value))
}

/// `cache-from` or `cache-to`, and the value that others see.
pub(crate) fn caches(value: &Value) -> Result<(Option<Vec<Cache>>, Value), DecodeError> {
    let mut list = Vec::new();
    for item in elements(value)? {
        match item.as_str() {
            Some(text) => list.extend(Cache::parse_entries(text)?),
            None => {
                let mut attributes = texts(item)?;
                let kind = attributes.remove("type").unwrap_or_default();
                list.push(Cache { kind, attributes }.check()?);
            }
        }
    }
    let values = list.iter().map(|cache| {
        let mut entries = cache.attributes.clone();
        entries.insert("type".into(), cache.kind.clone());
        map_value(entries)
    });
    let value = Value::list(Type::map(Type::String), values.collect());
    Ok((Some(list), value))
}

/// `attest`, and the value that others see.
pub(crate) fn attests(value: &Value) -> Result<(Vec<Attest>, Value), DecodeError> {
    let mut list = Vec::new();
    for item in elements(value)? {
        list.push(match item.as_str() {
            Some(text) => Attest::parse(text)?,
            None => {
                let mut attributes = texts(item)?;
                let disabled = attributes.remove("disabled");
                let disabled = disabled.map(|text| parse_bool("disabled", &text));
                Attest {
                    kind: attributes.remove("type").unwrap_or_default(),
                    disabled: disabled.transpose()?.unwrap_or_default(),
                    attributes,
                }
            }
        });
    }
    let values = list.iter().map(|attest| {
        let mut entries = attest.attributes.clone();
        entries.insert("type".into(), attest.kind.clone());
        if attest.disabled {
            entries.insert("disabled".into(), "true".into());
        }
        map_value(entries)
    });
    let value = Value::list(Type::map(Type::String), values.collect());
    Ok((list, value))
}

/// `policy`, and the value that others see.
pub(crate) fn policies(value: &Value) -> Result<(Vec<Policy>, Value), DecodeError> {
    let mut list = Vec::new();
    for item in elements(value)? {
        list.push(match (item.as_str(), item.entries()) {
            (Some(text), _) => Policy::parse(text)?,
            (None, Some(entries)) => policy_of(entries)?,
            (None, None) => {
                // Fails, and says what is wrong.
                let fields = texts(item)?.into_values().collect::<Vec<_>>();
                Policy::from_fields(&fields)?
            }
        });
    }
    let values = list.iter().map(policy_value);
    let value = Value::list(Type::map(Type::String), values.collect());
    Ok((list, value))
}

/// A policy in object form. Null and empty texts count as absent.
fn policy_of(entries: &BTreeMap<String, Value>) -> Result<Policy, DecodeError> {
    let mut fields = Vec::new();
    for (key, item) in entries {
        let text = match item {
            Value::Null(_) => continue,
            Value::Number(number) => number.text(FloatStyle::Fixed, None),
            other => {
                let text = convert(other, &Type::String)?;
                text.as_str().unwrap_or_default().to_owned()
            }
        };
        if !text.is_empty() {
            fields.push(format!("{key}={text}"));
        }
    }
    Ok(Policy::from_fields(&fields)?)
}

/// The value that others see for a policy.
fn policy_value(policy: &Policy) -> Value {
    let pairs = [
        ("filename", policy.files.first().cloned()),
        ("reset", policy.reset.then(|| "true".to_owned())),
        ("disabled", policy.disabled.then(|| "true".to_owned())),
        ("strict", policy.strict.map(|strict| strict.to_string())),
        (
            "log-level",
            policy.log_level.map(|level| level.name().to_owned()),
        ),
    ];
    let pairs = pairs.into_iter();
    map_value(pairs.filter_map(|(key, text)| Some((key.to_owned(), text?))))
}

/// An object type of optional attributes.
fn optional_object(attributes: &[(&str, Type)]) -> Type {
    let attributes = attributes.iter().map(|(name, ty)| {
        let ty = ty.clone();
        ((*name).to_owned(), Attribute { ty, optional: true })
    });
    Type::Object(Arc::new(attributes.collect()))
}

/// The type of a secret.
pub(crate) fn secret_type() -> Type {
    optional_object(&[
        ("id", Type::String),
        ("src", Type::String),
        ("env", Type::String),
    ])
}

/// `secret`, and the value that others see.
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

/// A text of an object; none if it is null.
fn text_of(object: &Value, key: &str) -> Result<Option<String>, DecodeError> {
    let entries = object.entries().ok_or(DecodeError::Null)?;
    let text = entries.get(key).and_then(Value::as_str);
    Ok(text.map(str::to_owned))
}

/// The type of an `ssh` entry.
pub(crate) fn ssh_type() -> Type {
    optional_object(&[("id", Type::String), ("paths", Type::list(Type::String))])
}

/// `ssh`, and the value that others see.
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

/// The type of `resources`.
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

/// `resources`, and the value that others see.
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
