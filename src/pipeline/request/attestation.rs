//! Attestations: statements about an image that are exported along with it.

use std::collections::BTreeMap;

use super::output::csv_fields;
use super::value::ValueError;
use crate::dockerfile::go_bool;
use crate::oci::Reference;
use crate::pipeline::Error;
use crate::translate::{self, AttributeError};

/// Which attestations are made, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attestations {
    /// `None` when it is explicitly not wanted.
    by_type: BTreeMap<&'static str, Option<BTreeMap<String, String>>>,
    /// Provenance as buildx makes it unless told otherwise.
    default: bool,
}

const PROVENANCE: &str = "provenance";
const SBOM: &str = "sbom";

/// What the daemon reads of `type=provenance`.
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
    /// Reads `--attest type=provenance|sbom,…`, `--provenance true|false|mode=…` and `--sbom
    /// true|false|generator=…`. Of several of one type the first counts, those of `--attest` before
    /// the others, as in buildx.
    ///
    /// # Errors
    /// [`Error::Attestation`] names the attribute that is wrong and those that there are.
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

    /// With what buildx makes unless told otherwise: provenance in its short form, for images only.
    #[must_use]
    pub fn or_default(mut self) -> Self {
        self.default = !self.by_type.contains_key(PROVENANCE);
        self
    }

    /// Is none asked for?
    pub fn is_empty(&self) -> bool {
        self.by_type.values().all(Option::is_none)
    }

    /// As attributes of a Dockerfile frontend, which the daemon reads too.
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

    /// The same for the translation.
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
            // As buildx writes it; to a scanner it is a parameter like any other.
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
            "reproducible" | "inline-only" | "capture-usage" | "complete-materials"
                if go_bool(value).is_none() =>
            {
                "true nor false"
            }
            key if !PROVENANCE_ATTRIBUTES.contains(&key) => {
                return Err(ValueError::unknown(
                    "attribute",
                    key,
                    &PROVENANCE_ATTRIBUTES,
                ));
            }
            _ => continue,
        };
        return Err(ValueError::neither(key, value, expected));
    }
    Ok(())
}

/// All but the generator is for the generator, which alone knows what it takes.
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

/// One CSV record, keys in order.
fn written(attributes: &BTreeMap<String, String>) -> String {
    // The type first, as buildx writes it.
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
