//! `--attest`, `--provenance`, `--sbom`, and how much of the provenance the metadata file has.

use solvekit::build::{Attestations, BuildRequest, MetadataProvenance};

use super::Failure;
use super::environment::Environment;

#[derive(Debug, clap::Args)]
pub(super) struct AttestationArgs {
    /// Attestation of the image: type=provenance|sbom[,key=value…]; repeatable
    #[arg(long, value_name = "ATTESTATION")]
    attest: Vec<String>,

    /// How the image was made, as an attestation: true, false or mode=min|max[,version=v1|v0.2][,builder-id=…]
    #[arg(long, value_name = "PROVENANCE")]
    provenance: Option<String>,

    /// What is in the image, as an attestation: true, false or generator=IMAGE
    #[arg(long, value_name = "SBOM")]
    sbom: Option<String>,
}

impl AttestationArgs {
    pub(super) fn apply(
        &self,
        request: &mut BuildRequest,
        metadata_file: bool,
        environment: &Environment,
    ) -> Result<(), Failure> {
        let given = Attestations::parse(
            &self.attest,
            self.provenance.as_deref(),
            self.sbom.as_deref(),
        );
        let given = given.map_err(|error| Failure::from_error(&error))?;
        request.attestations = match default_attestations(environment)? {
            true => given.or_default(),
            false => given,
        };
        if metadata_file {
            let mode = environment
                .metadata_provenance
                .as_deref()
                .unwrap_or_default();
            let Ok(mode) = mode.parse::<MetadataProvenance>();
            request.metadata_provenance = mode;
        }
        Ok(())
    }
}

/// buildx attests provenance unless `BUILDX_NO_DEFAULT_ATTESTATIONS` is true. Here an index has one manifest for each platform
/// and nothing else unless more is asked for, which the variable does when it is false.
fn default_attestations(environment: &Environment) -> Result<bool, Failure> {
    match environment.no_default_attestations.as_deref() {
        None => Ok(false),
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(false),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(true),
        Some(other) => Err(Failure::new(format!(
            "BUILDX_NO_DEFAULT_ATTESTATIONS={other} is neither true nor false"
        ))),
    }
}

/// Are warnings wanted in the metadata file?
pub(super) fn metadata_warnings(environment: &Environment) -> bool {
    let wanted = environment.metadata_warnings.as_deref();
    matches!(wanted, Some("1" | "t" | "T" | "true" | "TRUE" | "True"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_of_buildx_is_asked_for_by_its_variable() {
        let with = |value: Option<&str>| {
            let environment = Environment {
                no_default_attestations: value.map(str::to_owned),
                ..Environment::default()
            };
            default_attestations(&environment)
        };
        assert!(!with(None).unwrap() && !with(Some("1")).unwrap() && with(Some("0")).unwrap());
        assert!(with(Some("maybe")).is_err());
    }
}
