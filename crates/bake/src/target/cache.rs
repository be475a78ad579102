//! `cache-from` and `cache-to`.

use std::collections::BTreeMap;

use super::error::AttributeError;
use super::fields::{fields, pair, remove_duplicates};

/// One cache to import or export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Cache {
    /// `registry`, `local`, `gha`, `s3`, `azblob`, `inline`.
    pub kind: String,
    /// The other attributes.
    pub attributes: BTreeMap<String, String>,
}

impl Cache {
    /// Parses `type=local,src=dir`, or registry references separated by commas.
    ///
    /// # Errors
    /// If the text is not a list of `key=value`, or has no type.
    pub fn parse_entries(text: &str) -> Result<Vec<Self>, AttributeError> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        if text.contains('=') {
            return Ok(vec![Self::parse(text)?]);
        }
        fields(text)?
            .iter()
            .map(|reference| Self::parse(reference))
            .collect()
    }

    /// Parses one cache.
    fn parse(text: &str) -> Result<Self, AttributeError> {
        let fields = fields(text)?;
        if let [reference] = fields.as_slice()
            && !reference.contains('=')
        {
            return Ok(Self {
                kind: "registry".into(),
                attributes: [("ref".to_owned(), reference.clone())].into(),
            });
        }
        let mut cache = Self::default();
        for field in &fields {
            let (key, value) = pair(field)?;
            match key.to_lowercase() {
                key if key == "type" => value.clone_into(&mut cache.kind),
                key => {
                    cache.attributes.insert(key, value.to_owned());
                }
            }
        }
        cache.check()
    }

    /// Returns the cache, if it has a type.
    pub(super) fn check(self) -> Result<Self, AttributeError> {
        if self.kind.is_empty() {
            return Err(AttributeError::NoType { what: "a cache" });
        }
        Ok(self)
    }

    /// Returns caches without duplicates; `None` if the list is empty.
    pub fn normalize(list: Vec<Self>) -> Option<Vec<Self>> {
        remove_duplicates(list)
    }
}
