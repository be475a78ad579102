//! Attestations: `attest:TYPE`, and `build-arg:BUILDKIT_ATTEST_TYPE` for clients that can only set
//! build arguments.

use std::collections::BTreeMap;

use super::AttributeError;
use crate::dockerfile::csv_fields;
use crate::oci::{self, Reference};

/// The reference's default scanner.
const SCANNER: &str = "docker/buildkit-syft-scanner:stable-1";

/// The attestations to add.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attestations {
    /// The SBOM (software bill of materials).
    pub sbom: Option<Sbom>,
    /// The fields of the provenance attestation, which the daemon creates.
    pub provenance: Option<BTreeMap<String, String>>,
}

/// The SBOM: a list of the components of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sbom {
    /// The image of the scanner, with a tag.
    pub generator: Reference,
    /// The settings of the scanner.
    pub parameters: BTreeMap<String, String>,
}

impl Sbom {
    /// Returns an SBOM made by the image in the field `generator`, else by the reference's scanner.
    /// The scanner gets the other fields.
    ///
    /// # Errors
    /// [`AttestationError::Generator`] if that is not a valid image reference.
    pub fn new(mut fields: BTreeMap<String, String>) -> Result<Self, AttestationError> {
        let generator = fields.remove("generator");
        let generator = generator.unwrap_or_else(|| SCANNER.to_owned());
        match Reference::parse(&generator) {
            Ok(reference) => Ok(Self {
                generator: reference.with_default_tag(),
                parameters: fields,
            }),
            Err(source) => Err(AttestationError::Generator { generator, source }),
        }
    }
}

/// An invalid attestation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttestationError {
    /// Neither an SBOM nor a provenance.
    #[error("unknown attestation {kind:?}")]
    UnknownKind {
        /// The unknown kind.
        kind: String,
    },
    /// The parameters are not one CSV record.
    #[error("{text:?} is not one CSV record")]
    NotCsv {
        /// The value.
        text: String,
    },
    /// The generator of an SBOM is not an image.
    #[error("the generator {generator:?} is not an image")]
    Generator {
        /// Its name.
        generator: String,
        /// The rule that it breaks.
        source: oci::Error,
    },
}

impl Attestations {
    /// Parses the attributes and build arguments for attestations; others are ignored.
    ///
    /// # Errors
    /// [`AttributeError::Attestation`] with the attribute's name.
    pub fn read(attributes: &BTreeMap<String, String>) -> Result<Self, AttributeError> {
        let mut all = Self::of_attributes(attributes)?;
        all.add_all(attributes, "build-arg:BUILDKIT_ATTEST_", "")?;
        Ok(all)
    }

    pub(super) fn of_attributes(
        attributes: &BTreeMap<String, String>,
    ) -> Result<Self, AttributeError> {
        let mut all = Self::default();
        all.add_all(attributes, "attest:", "")?;
        Ok(all)
    }

    pub(super) fn obey_build_args(
        &mut self,
        build_args: &BTreeMap<String, String>,
    ) -> Result<(), AttributeError> {
        self.add_all(build_args, "BUILDKIT_ATTEST_", "build-arg:")
    }

    /// Adds the attributes that begin with a prefix. Errors name the attribute.
    fn add_all(
        &mut self,
        given: &BTreeMap<String, String>,
        prefix: &str,
        shown: &str,
    ) -> Result<(), AttributeError> {
        for (name, text) in given {
            let Some(kind) = name.strip_prefix(prefix) else {
                continue;
            };
            self.add(kind, text)
                .map_err(|source| AttributeError::Attestation {
                    name: format!("{shown}{name}"),
                    source,
                })?;
        }
        Ok(())
    }

    fn add(&mut self, kind: &str, text: &str) -> Result<(), AttestationError> {
        match kind.to_lowercase().as_str() {
            "provenance" => self.provenance = Some(fields(text)?),
            "sbom" => self.sbom = Some(Sbom::new(fields(text)?)?),
            _ => {
                return Err(AttestationError::UnknownKind {
                    kind: kind.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// True if no attestation is requested.
    pub fn is_empty(&self) -> bool {
        self.sbom.is_none() && self.provenance.is_none()
    }

    /// True if the provenance contains all details: always, except in the mode `min`.
    pub fn has_full_provenance(&self) -> bool {
        let provenance = self.provenance.as_ref();
        provenance.is_some_and(|fields| fields.get("mode").is_none_or(|mode| mode != "min"))
    }
}

/// Parses one CSV record of `key=value` pairs.
fn fields(text: &str) -> Result<BTreeMap<String, String>, AttestationError> {
    if text.is_empty() {
        return Ok(BTreeMap::new());
    }
    let fields = csv_fields(text).ok_or_else(|| AttestationError::NotCsv {
        text: text.to_owned(),
    })?;
    let pairs = fields.into_iter().map(|field| match field.split_once('=') {
        Some((key, value)) => (key.to_owned(), value.to_owned()),
        None => (field, String::new()),
    });
    Ok(pairs.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Attestations, AttributeError> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Attestations::read(&pairs.collect())
    }

    #[test]
    fn the_scanner_of_the_reference_is_the_default_and_gets_the_rest() {
        let sbom = read(&[("attest:sbom", "")]).unwrap().sbom.unwrap();
        assert_eq!(
            sbom.generator.to_string(),
            "docker.io/docker/buildkit-syft-scanner:stable-1"
        );
        let sbom = read(&[("build-arg:BUILDKIT_ATTEST_SBOM", "generator=a/b,X=1,Y")]);
        let sbom = sbom.unwrap().sbom.unwrap();
        assert_eq!(sbom.generator.to_string(), "docker.io/a/b:latest");
        assert_eq!(sbom.parameters["X"], "1");
        assert_eq!(sbom.parameters["Y"], "");
    }

    #[test]
    fn provenance_is_full_unless_it_is_to_be_short() {
        let full = |text| {
            read(&[("attest:provenance", text)])
                .unwrap()
                .has_full_provenance()
        };
        assert!(full("") && full("mode=max") && !full("mode=min,inline-only=true"));
        assert!(read(&[("build-arg:A", "x")]).unwrap().is_empty());
    }

    #[test]
    fn what_cannot_be_attested_is_refused() {
        let unknown = read(&[("attest:x", "")]).unwrap_err();
        assert!(unknown.to_string().contains("attest:x"), "{unknown}");
        for (name, text) in [
            ("attest:sbom", "generator="),
            ("attest:provenance", "\"a"),
            ("build-arg:BUILDKIT_ATTEST_OTHER", ""),
        ] {
            let refused = read(&[(name, text)]);
            assert!(
                matches!(refused, Err(AttributeError::Attestation { .. })),
                "{name}={text}"
            );
        }
    }
}
