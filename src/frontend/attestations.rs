//! The attributes about attestations: `attest:TYPE`, and `build-arg:BUILDKIT_ATTEST_TYPE` for clients that know no others.

use std::collections::BTreeMap;

use super::Error;
use crate::dockerfile::csv_fields;
use crate::oci::Reference;

/// The scanner that the reference takes when none is named.
const SCANNER: &str = "docker/buildkit-syft-scanner:stable-1";

/// What is to be attested.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Attested {
    /// The list of what an image is made of.
    pub(super) sbom: Option<Sbom>,
    /// How it was made; that is the daemon's work.
    pub(super) provenance: Option<BTreeMap<String, String>>,
}

/// A list of what an image is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sbom {
    /// The image of the program that makes it, with a tag.
    pub(super) generator: String,
    /// What the program is told.
    pub(super) parameters: BTreeMap<String, String>,
}

impl Attested {
    pub(super) fn read(attributes: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut all = Self::default();
        for (name, text) in attributes {
            let kind = name
                .strip_prefix("attest:")
                .or_else(|| name.strip_prefix("build-arg:BUILDKIT_ATTEST_"));
            let Some(kind) = kind else { continue };
            let invalid = |reason: String| Error::InvalidAttribute {
                name: name.clone(),
                reason,
            };
            match kind.to_ascii_lowercase().as_str() {
                "provenance" => all.provenance = Some(fields(text).map_err(invalid)?),
                "sbom" => all.sbom = Some(sbom(fields(text).map_err(invalid)?).map_err(invalid)?),
                _ => return Err(invalid(format!("there is no attestation {kind:?}"))),
            }
        }
        Ok(all)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sbom.is_none() && self.provenance.is_none()
    }

    /// Does the provenance show all that is known? It does unless it is to be short.
    pub(super) fn has_full_provenance(&self) -> bool {
        let provenance = self.provenance.as_ref();
        provenance.is_some_and(|fields| fields.get("mode").is_none_or(|mode| mode != "min"))
    }
}

/// One CSV record of pairs.
fn fields(text: &str) -> Result<BTreeMap<String, String>, String> {
    if text.is_empty() {
        return Ok(BTreeMap::new());
    }
    let fields = csv_fields(text).map_err(|_| format!("{text:?} is not one CSV record"))?;
    let pairs = fields.into_iter().map(|field| match field.split_once('=') {
        Some((key, value)) => (key.to_owned(), value.to_owned()),
        None => (field, String::new()),
    });
    Ok(pairs.collect())
}

fn sbom(mut parameters: BTreeMap<String, String>) -> Result<Sbom, String> {
    let generator = parameters.remove("generator");
    let generator = generator.as_deref().unwrap_or(SCANNER);
    let reference = Reference::parse(generator)
        .map_err(|error| format!("the generator {generator:?} is no image: {error}"))?;
    Ok(Sbom {
        generator: reference.with_default_tag().to_string(),
        parameters,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Attested, String> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Attested::read(&pairs.collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_reference_s_scanner_is_the_default_and_the_rest_is_told_to_it() {
        let sbom = read(&[("attest:sbom", "")]).unwrap().sbom.unwrap();
        assert_eq!(
            sbom.generator,
            "docker.io/docker/buildkit-syft-scanner:stable-1"
        );
        let sbom = read(&[("build-arg:BUILDKIT_ATTEST_SBOM", "generator=a/b,X=1,Y")]);
        let sbom = sbom.unwrap().sbom.unwrap();
        assert_eq!(sbom.generator, "docker.io/a/b:latest");
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
        assert!(read(&[("attest:x", "")]).unwrap_err().contains("attest:x"));
        assert!(read(&[("attest:sbom", "generator=")]).is_err());
        assert!(read(&[("attest:provenance", "\"a")]).is_err());
    }
}
