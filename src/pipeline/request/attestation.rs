//! Attestations: statements about an image that are exported along with it.

use std::collections::BTreeMap;

use super::value::ValueError;
use crate::dockerfile::go_bool;
use crate::oci::Reference;
use crate::pipeline::Error;
use crate::text::csv_fields;
use crate::translate::{self, AttributeError};

/// The attestations to make, with their attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attestations {
    /// `None` if the attestation is explicitly disabled.
    by_type: BTreeMap<&'static str, Option<BTreeMap<String, String>>>,
    /// Add the provenance that buildx makes by default.
    default: bool,
}

const PROVENANCE: &str = "provenance";
const SBOM: &str = "sbom";

/// The attributes of `type=provenance` whose value the daemon takes for false if it is no boolean.
const LENIENT: [&str; 2] = ["inline-only", "capture-usage"];

/// The attributes of `type=provenance` that the daemon reads.
const PROVENANCE_ATTRIBUTES: [&str; 8] = [
    "mode",
    "version",
    "builder-id",
    "reproducible",
    "filename",
    "inline-only",
    "capture-usage",
    "complete-materials",
];

impl Attestations {
    /// Parses `--attest type=provenance|sbom,…`, `--provenance true|false|mode=…` and `--sbom
    /// true|false|generator=…`. If a type is given twice the first one wins, and `--attest` comes
    /// before the others, as in buildx.
    ///
    /// # Errors
    /// [`Error::Attestation`] names the wrong type or value and the valid ones.
    pub fn parse(
        attest: &[String],
        provenance: Option<&str>,
        sbom: Option<&str>,
    ) -> Result<Self, Error> {
        let mut all = Self::default();
        for text in attest.iter().filter(|text| !text.is_empty()) {
            all.add(text, None)?;
        }
        for (kind, text) in [(PROVENANCE, provenance), (SBOM, sbom)] {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                all.add(text, Some(kind))?;
            }
        }
        Ok(all)
    }

    /// Adds buildx's default, unless provenance is given: provenance in its short form, for images
    /// only.
    #[must_use]
    pub fn or_default(mut self) -> Self {
        self.default = !self.by_type.contains_key(PROVENANCE);
        self
    }

    /// True if no attestation is requested.
    pub fn is_empty(&self) -> bool {
        self.by_type.values().all(Option::is_none)
    }

    /// The parts of the provenance that the daemon ignores: unknown attributes, and booleans that
    /// are none.
    pub(super) fn ignored(&self) -> Vec<ValueError> {
        let given = self.by_type.get(PROVENANCE).and_then(Option::as_ref);
        let attributes = given
            .into_iter()
            .flatten()
            .filter(|(key, _)| *key != "type");
        let ignored = attributes.filter_map(|(key, value)| match key.as_str() {
            key if !PROVENANCE_ATTRIBUTES.contains(&key) => Some(ValueError::unknown(
                "attribute",
                key,
                &PROVENANCE_ATTRIBUTES,
            )),
            key if LENIENT.contains(&key) && go_bool(value).is_none() => {
                Some(ValueError::neither(key, value, "true nor false"))
            }
            _ => None,
        });
        ignored.collect()
    }

    /// The attributes of a Dockerfile frontend, which the daemon reads too.
    pub(in crate::pipeline) fn attributes(&self) -> BTreeMap<String, String> {
        let made = self.by_type.iter().filter_map(|(kind, attributes)| {
            let text = written(attributes.as_ref()?);
            Some((format!("attest:{kind}"), text))
        });
        let default = ("attest:provenance", "mode=min,inline-only=true");
        let default = self
            .default
            .then(|| (default.0.to_owned(), default.1.to_owned()));
        made.chain(default).collect()
    }

    /// The attestations as the translation needs them.
    pub(super) fn for_translation(&self) -> Result<translate::Attestations, AttributeError> {
        let fields = |kind: &str| self.by_type.get(kind).cloned().flatten();
        let default = [("mode", "min"), ("inline-only", "true")];
        let default = default.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let sbom = fields(SBOM).map(translate::Sbom::new).transpose();
        let sbom = sbom.map_err(|source| AttributeError::Attestation {
            name: format!("attest:{SBOM}"),
            source,
        })?;
        let default = self.default.then(|| BTreeMap::from(default));
        Ok(translate::Attestations {
            sbom,
            provenance: default.or_else(|| fields(PROVENANCE)),
        })
    }

    fn add(&mut self, text: &str, kind: Option<&'static str>) -> Result<(), Error> {
        let invalid = |source| Error::Attestation {
            kind,
            input: text.to_owned(),
            source: Box::new(source),
        };
        let (kind, attributes) = match (kind, go_bool(text)) {
            (Some(kind), Some(wanted)) => (kind, wanted.then(BTreeMap::new)),
            _ => attributes(text, kind).map_err(invalid)?,
        };
        let attributes = attributes.map(|mut attributes| {
            // buildx adds it too; for a scanner it is a parameter like any other.
            attributes.insert("type".to_owned(), kind.to_owned());
            attributes
        });
        self.by_type.entry(kind).or_insert(attributes);
        Ok(())
    }
}

type Parsed = (&'static str, Option<BTreeMap<String, String>>);

fn attributes(text: &str, kind: Option<&'static str>) -> Result<Parsed, ValueError> {
    let (mut kind, mut disabled) = (kind, false);
    let mut attributes = BTreeMap::new();
    for field in csv_fields(text)? {
        let (key, value) = field
            .split_once('=')
            .ok_or_else(|| ValueError::form(&field, "key=value"))?;
        match key.trim().to_ascii_lowercase().as_str() {
            "type" => kind = Some(known_type(value)?),
            "disabled" => {
                disabled = go_bool(value)
                    .ok_or_else(|| ValueError::neither("disabled", value, "true nor false"))?;
            }
            _ => {
                attributes.insert(key.to_owned(), value.to_owned());
            }
        }
    }
    let kind = kind.ok_or_else(|| ValueError::Missing {
        key: "type",
        why: format!("{PROVENANCE} or {SBOM}"),
    })?;
    match kind {
        PROVENANCE => check_provenance(&attributes)?,
        _ => check_sbom(&attributes)?,
    }
    Ok((kind, (!disabled).then_some(attributes)))
}

fn known_type(text: &str) -> Result<&'static str, ValueError> {
    let known = [PROVENANCE, SBOM];
    let found = known.into_iter().find(|kind| *kind == text);
    found.ok_or_else(|| ValueError::unknown("type", text, &known))
}

fn check_provenance(attributes: &BTreeMap<String, String>) -> Result<(), ValueError> {
    for (key, value) in attributes {
        let expected = match key.as_str() {
            "mode" if !matches!(value.as_str(), "min" | "max" | "full") => "min nor max",
            "version" if !matches!(value.as_str(), "v0.2" | "v1") => "v0.2 nor v1",
            "reproducible" | "complete-materials" if go_bool(value).is_none() => "true nor false",
            _ => continue,
        };
        return Err(ValueError::neither(key, value, expected));
    }
    Ok(())
}

/// Checks the generator only: all other attributes are parameters of the generator.
fn check_sbom(attributes: &BTreeMap<String, String>) -> Result<(), ValueError> {
    match attributes.get("generator").map(String::as_str) {
        None => Ok(()),
        Some("") => Err(ValueError::EmptyValue {
            key: "generator",
            instead: "it has no image",
        }),
        Some(image) => Reference::parse(image)
            .map(drop)
            .map_err(|source| ValueError::Image {
                what: "the generator",
                source,
            }),
    }
}

/// Writes one CSV record, with sorted keys.
fn written(attributes: &BTreeMap<String, String>) -> String {
    // The type comes first, as in buildx.
    let kind = attributes.get_key_value("type").into_iter();
    let others = attributes.iter().filter(|(key, _)| *key != "type");
    let fields = kind.chain(others).map(|(key, value)| {
        let field = format!("{key}={value}");
        match field.contains([',', '"']) {
            true => format!("\"{}\"", field.replace('"', "\"\"")),
            false => field,
        }
    });
    fields.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests;
