//! Parses lists of `key=value`, and removes duplicates.

use std::collections::HashMap;
use std::hash::Hash;

use super::csv::csv_fields;
use super::error::AttributeError;

/// Returns the fields of `text`.
pub(super) fn fields(text: &str) -> Result<Vec<String>, AttributeError> {
    csv_fields(text).map_err(|source| AttributeError::Csv {
        text: text.to_owned(),
        source,
    })
}

/// Splits a field into key and value.
pub(super) fn pair(field: &str) -> Result<(&str, &str), AttributeError> {
    field
        .split_once('=')
        .ok_or_else(|| AttributeError::NoValue {
            field: field.to_owned(),
        })
}

/// Removes duplicates like the reference: starting at the end, a duplicate is swapped with the last
/// entry and cut off. The order can change.
pub(super) fn remove_duplicates<T: Clone + Eq + Hash>(mut list: Vec<T>) -> Option<Vec<T>> {
    if list.len() > 1 {
        // The positions of the visited entries.
        let mut places: HashMap<T, usize> = HashMap::with_capacity(list.len());
        for index in (0..list.len()).rev() {
            let Some(duplicate) = places.insert(list[index].clone(), index) else {
                continue;
            };
            list.swap_remove(duplicate);
            if let Some(moved) = list.get(duplicate) {
                places.insert(moved.clone(), duplicate);
            }
        }
    }
    (!list.is_empty()).then_some(list)
}

/// Keeps the last entry of each key, at the position of the first one.
pub(super) fn keep_last<T>(list: Vec<T>, key: impl Fn(&T) -> &String) -> Vec<T> {
    if list.len() < 2 {
        return list;
    }
    let mut places: HashMap<String, usize> = HashMap::with_capacity(list.len());
    let mut kept: Vec<T> = Vec::with_capacity(list.len());
    for entry in list {
        match places.get(key(&entry)) {
            Some(place) => kept[*place] = entry,
            None => {
                places.insert(key(&entry).clone(), kept.len());
                kept.push(entry);
            }
        }
    }
    kept
}

/// Removes empty texts and duplicates; the first of equal texts is kept.
pub(super) fn distinct(list: &mut Vec<String>) {
    let mut seen = std::collections::HashSet::new();
    list.retain(|text| !text.is_empty() && seen.insert(text.clone()));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference's algorithm, step by step.
    fn slowly(mut list: Vec<u8>) -> Option<Vec<u8>> {
        for index in (0..list.len().saturating_sub(1)).rev() {
            let duplicate = (index + 1..list.len()).find(|other| list[index] == list[*other]);
            if let Some(duplicate) = duplicate {
                list.swap_remove(duplicate);
            }
        }
        (!list.is_empty()).then_some(list)
    }

    #[test]
    fn duplicates_are_removed_in_the_order_of_the_reference() {
        // All lists of up to six entries with three different values.
        for length in 0..=6 {
            for number in 0..3_usize.pow(length) {
                let digit = |at| u8::try_from(number / 3_usize.pow(at) % 3).unwrap();
                let list: Vec<u8> = (0..length).map(digit).collect();
                assert_eq!(remove_duplicates(list.clone()), slowly(list));
            }
        }
    }

    #[test]
    fn the_last_entry_of_a_key_takes_the_place_of_the_first() {
        let entry = |key: &str, number| (key.to_owned(), number);
        let list = vec![entry("a", 1), entry("b", 2), entry("a", 3)];
        let kept = keep_last(list, |entry| &entry.0);
        assert_eq!(kept, [entry("a", 3), entry("b", 2)]);
    }
}
