//! `cache-imports`, a JSON list, and the older `cache-from`, references separated by commas.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{AttributeError, value_error};

/// A cache that the daemon queries before it runs a step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CacheImport {
    /// `registry`, `gha` …
    #[serde(rename = "Type", alias = "type")]
    pub kind: String,
    /// Its attributes.
    #[serde(rename = "Attrs", alias = "attrs")]
    pub attrs: BTreeMap<String, String>,
}

pub(super) fn imports<'g>(
    get: &impl Fn(&str) -> &'g str,
) -> Result<Vec<CacheImport>, AttributeError> {
    let mut imports = match get("cache-imports") {
        "" => Vec::new(),
        text => serde_json::from_str::<Option<Vec<CacheImport>>>(text)
            .map_err(|_| value_error("cache-imports", text, "a JSON list of caches"))?
            .unwrap_or_default(),
    };
    let older = get("cache-from");
    let older = older.split(',').filter(|_| !older.is_empty());
    imports.extend(older.map(|reference| CacheImport {
        kind: "registry".to_owned(),
        attrs: BTreeMap::from([("ref".to_owned(), reference.to_owned())]),
    }));
    Ok(imports)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(imports_text: &str, from: &str) -> Result<Vec<CacheImport>, AttributeError> {
        imports(&|name| match name {
            "cache-imports" => imports_text,
            _ => from,
        })
    }

    #[test]
    fn caches_are_read_from_both_attributes() {
        let both = read(r#"[{"Type":"gha","Attrs":{"scope":"a"}}]"#, "x/y,z").unwrap();
        assert_eq!(both[0].attrs["scope"], "a");
        assert_eq!(
            (both[1].kind.as_str(), both[2].attrs["ref"].as_str()),
            ("registry", "z")
        );
        assert_eq!(read("", ""), Ok(Vec::new()));
        assert_eq!(read("null", ""), Ok(Vec::new()));
        let refused = read("x", "").unwrap_err();
        assert!(matches!(
            refused,
            AttributeError::Value {
                name: "cache-imports",
                ..
            }
        ));
    }
}
