//! `attest`: SBOM and provenance.

use std::collections::BTreeMap;

use super::error::{AttributeError, parse_bool};
use super::fields::{fields, keep_last, pair};

/// One attestation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attest {
    /// `sbom` or `provenance`.
    pub kind: String,
    /// True if it is disabled.
    pub disabled: bool,
    /// The other attributes.
    pub attributes: BTreeMap<String, String>,
}

impl Attest {
    /// Parses `type=provenance,mode=max`.
    ///
    /// # Errors
    /// If a field is not `key=value`, `disabled` is not a boolean, or the type is missing.
    pub fn parse(text: &str) -> Result<Self, AttributeError> {
        let mut attest = Self::default();
        for field in &fields(text)? {
            let (key, value) = pair(field)?;
            match key.to_lowercase().trim() {
                "type" => value.clone_into(&mut attest.kind),
                "disabled" => attest.disabled = parse_bool("disabled", value)?,
                _ => {
                    attest.attributes.insert(key.to_owned(), value.to_owned());
                }
            }
        }
        if attest.kind.is_empty() {
            return Err(AttributeError::NoType {
                what: "an attestation",
            });
        }
        Ok(attest)
    }

    /// Returns the text for [`Attest::parse`] from the value of `--provenance` or `--sbom`: a
    /// boolean, or attributes. `None` for empty text.
    pub fn shorthand(kind: &str, value: &str) -> Option<String> {
        match value {
            "" => None,
            _ => Some(match parse_bool(kind, value) {
                Ok(enabled) => format!("type={kind},disabled={}", !enabled),
                Err(_) => format!("type={kind},{value}"),
            }),
        }
    }

    /// Returns the last attestation of each type.
    pub fn normalize(list: Vec<Self>) -> Vec<Self> {
        keep_last(list, |attest| &attest.kind)
    }
}
