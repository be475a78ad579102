//! Lists of `key=value`, and duplicates.

use super::csv::csv_fields;
use super::error::AttributeError;

/// The fields of `text`.
pub(super) fn fields(text: &str) -> Result<Vec<String>, AttributeError> {
    csv_fields(text).map_err(|source| AttributeError::Csv {
        text: text.to_owned(),
        source,
    })
}

/// The key and value of a field.
pub(super) fn pair(field: &str) -> Result<(&str, &str), AttributeError> {
    field
        .split_once('=')
        .ok_or_else(|| AttributeError::NoValue {
            field: field.to_owned(),
        })
}

/// Removes duplicates as the reference does: from the end, a duplicate is swapped with the last
/// entry and cut off. The order can change.
pub(super) fn remove_duplicates<T: PartialEq>(mut list: Vec<T>) -> Option<Vec<T>> {
    for index in (0..list.len().saturating_sub(1)).rev() {
        let duplicate = (index + 1..list.len()).find(|other| list[index] == list[*other]);
        if let Some(duplicate) = duplicate {
            list.swap_remove(duplicate);
        }
    }
    (!list.is_empty()).then_some(list)
}

/// Keeps the last entry of each key, in the place of the first one.
pub(super) fn keep_last<T, K: PartialEq>(list: Vec<T>, key: impl Fn(&T) -> &K) -> Vec<T> {
    let mut kept: Vec<T> = Vec::with_capacity(list.len());
    for entry in list {
        match kept.iter_mut().find(|other| key(other) == key(&entry)) {
            Some(place) => *place = entry,
            None => kept.push(entry),
        }
    }
    kept
}

/// Removes empty text and all but the first of equal texts.
pub(super) fn distinct(list: &mut Vec<String>) {
    let mut seen = std::collections::HashSet::new();
    list.retain(|text| !text.is_empty() && seen.insert(text.clone()));
}
