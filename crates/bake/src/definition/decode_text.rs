//! Values as text, booleans, lists and maps of text.

use std::collections::BTreeMap;

pub(super) use crate::target::values::DecodeError;
use crate::value::{Type, Value, convert};

/// A text; none for null.
pub(super) fn text_of(value: &Value) -> Result<(Option<String>, Value), DecodeError> {
    let value = convert(value, &Type::String)?;
    Ok((value.as_str().map(str::to_owned), value))
}

/// A boolean; none for null.
pub(super) fn bool_of(value: &Value) -> Result<(Option<bool>, Value), DecodeError> {
    let value = convert(value, &Type::Bool)?;
    Ok((value.as_bool(), value))
}

/// A list of texts, none of which is null; none for null.
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

/// A map of texts, none of which is null; empty for null.
pub(super) fn map_of(value: &Value) -> Result<(BTreeMap<String, String>, Value), DecodeError> {
    let (entries, value) = nullable_map_of(value)?;
    let count = value.entries().map_or(0, BTreeMap::len);
    if entries.len() != count {
        return Err(DecodeError::NullElement);
    }
    Ok((entries, value))
}

/// A map of texts without those that are null; empty for null.
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
