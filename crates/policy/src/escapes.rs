//! Percent-encoding in the addresses of sources.

use std::collections::BTreeMap;

use solvekit_core::text;

/// The values of a query. Go drops pairs with a semicolon or a malformed escape.
pub(crate) fn query_values(query: &str) -> BTreeMap<String, Vec<String>> {
    let decoded = |text: &str| {
        let bytes = text::percent_decoded(&text.replace('+', " "))?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in query.split('&') {
        if pair.is_empty() || pair.contains(';') {
            continue;
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if let (Some(key), Some(value)) = (decoded(key), decoded(value)) {
            values.entry(key).or_default().push(value);
        }
    }
    values
}

/// Decodes `%XX`; a text with a malformed escape stays as it is.
pub(crate) fn percent_decoded(text: &str) -> String {
    match text::percent_decoded(text) {
        Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_as_in_go() {
        let values = query_values("a=1+2&a=%2B&b&c=1;d&e=%zz&&%66=é%C3%A9");
        let expected = [("a", &["1 2", "+"][..]), ("b", &[""]), ("f", &["éé"])];
        let expected = expected.map(|(key, values)| {
            let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
            (key.to_owned(), values)
        });
        assert_eq!(values, BTreeMap::from(expected));
    }

    #[test]
    fn malformed_escapes_are_kept() {
        assert_eq!(percent_decoded("/a%20b+c"), "/a b+c");
        assert_eq!(percent_decoded("/a%20b%zz"), "/a%20b%zz");
    }
}
