//! Converts values to structured attributes, and back to values for other expressions.

use std::collections::BTreeMap;

use super::{Attest, AttributeError, Cache, Output, Policy, parse_bool};
use crate::value::{ConvertError, FloatStyle, Type, Value, convert};

/// The reason a value is not a valid attribute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    /// The value has the wrong type.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// The text in the value is invalid.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
    /// The value is null.
    #[error("null is not allowed here")]
    Null,
    /// An element of the value is null.
    #[error("an element is null")]
    NullElement,
    /// The value is not a list.
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

impl DecodeError {
    /// The message of buildx for a value of the wrong type.
    pub(crate) fn in_reference(&self) -> Option<String> {
        let reason = match self {
            Self::Convert(error) => error.in_reference()?,
            Self::Attribute(error) => error.in_reference()?,
            _ => return None,
        };
        Some(format!("Unsuitable value type; Unsuitable value: {reason}"))
    }
}

/// Returns the elements of a list or tuple, without empty texts.
pub(super) fn elements(value: &Value) -> Result<Vec<&Value>, DecodeError> {
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

/// Converts an object of texts without nulls.
fn texts(value: &Value) -> Result<BTreeMap<String, String>, DecodeError> {
    let value = convert(value, &Type::map(Type::String))?;
    let entries = value.entries().ok_or(DecodeError::Null)?;
    let texts = entries
        .iter()
        .map(|(key, item)| Some((key.clone(), item.as_str()?.to_owned())));
    texts.collect::<Option<_>>().ok_or(DecodeError::NullElement)
}

/// Returns a map of texts as a value.
fn map_value(entries: impl IntoIterator<Item = (String, String)>) -> Value {
    let values = entries
        .into_iter()
        .map(|(key, text)| (key, Value::string(text)));
    Value::map(Type::String, values.collect())
}

/// Converts `output`; returns it and its value for other expressions.
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

/// Converts `cache-from` or `cache-to`; returns it and its value for other expressions.
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

/// Converts `attest`; returns it and its value for other expressions.
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

/// Converts `policy`; returns it and its value for other expressions.
pub(crate) fn policies(value: &Value) -> Result<(Vec<Policy>, Value), DecodeError> {
    let mut list = Vec::new();
    for item in elements(value)? {
        list.push(match (item.as_str(), item.entries()) {
            (Some(text), _) => Policy::parse(text)?,
            (None, Some(entries)) => policy_of(entries)?,
            (None, None) => {
                // Fails with a message about the fault.
                let fields = texts(item)?.into_values().collect::<Vec<_>>();
                Policy::from_fields(&fields)?
            }
        });
    }
    let values = list.iter().map(policy_value);
    let value = Value::list(Type::map(Type::String), values.collect());
    Ok((list, value))
}

/// Converts a policy in object form. Null and empty texts are ignored.
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

/// Returns the value of a policy for other expressions.
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
