//! Converts values to text, booleans, and lists and maps of text.

use std::collections::BTreeMap;

pub(super) use crate::target::values::DecodeError;
use crate::value::{Type, Value, convert};

/// Returns a text; `None` for null.
pub(super) fn text_of(value: &Value) -> Result<(Option<String>, Value), DecodeError> {
    let value = convert(value, &Type::String)?;
    Ok((value.as_str().map(str::to_owned), value))
}

/// Returns a boolean; `None` for null.
pub(super) fn bool_of(value: &Value) -> Result<(Option<bool>, Value), DecodeError> {
    let value = convert(value, &Type::Bool)?;
    Ok((value.as_bool(), value))
}

/// Returns a list of texts without nulls; `None` for null.
pub(super) fn strings_of(value: &Value) -> Result<(Option<Vec<String>>, Value), DecodeError> {
    let value = convert(value, &Type::list(Type::String))?;
    let Some(items) = value.items() else {
        return Ok((None, value));
    };
    let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
    let texts: Option<Vec<String>> = texts.collect();
    match texts {
        Some(texts) => Ok((Some(texts), value)),
        None => Err(DecodeError::NullElement),
    }
}

/// Returns a map of texts without nulls; empty for null.
pub(super) fn map_of(value: &Value) -> Result<(BTreeMap<String, String>, Value), DecodeError> {
    let (entries, value) = nullable_map_of(value)?;
    let count = value.entries().map_or(0, BTreeMap::len);
    if entries.len() != count {
        return Err(DecodeError::NullElement);
    }
    Ok((entries, value))
}

/// Returns a map of texts; null values are dropped. Empty for null.
pub(super) fn nullable_map_of(
    value: &Value,
) -> Result<(BTreeMap<String, String>, Value), DecodeError> {
    let value = convert(value, &Type::map(Type::String))?;
    let mut texts = BTreeMap::new();
    for (key, item) in value.entries().into_iter().flatten() {
        if let Some(text) = item.as_str() {
            texts.insert(key.clone(), text.to_owned());
        }
    }
    Ok((texts, value))
}
