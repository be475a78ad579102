//! `--attest`, `--provenance`, `--sbom`, and the amount of provenance in the metadata file.

use super::headings::OUTPUTS;
use solvekit::pipeline::{Attestations, BuildRequest, MetadataProvenance, OutputKind};

use super::values;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::report::{Failure, hint};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = OUTPUTS)]
pub(crate) struct AttestationArgs {
    /// Add an attestation to the image: type=provenance|sbom[,key=value…]; repeatable
    #[arg(long, value_name = "ATTESTATION")]
    attest: Vec<String>,

    /// Attest how the image was built: true, false or mode=min|max[,version=v1|v0.2][,builder-id=…]
    #[arg(long, value_name = "PROVENANCE")]
    provenance: Option<String>,

    /// Attest which packages the image contains: true, false or generator=IMAGE
    #[arg(long, value_name = "SBOM")]
    sbom: Option<String>,
}

impl AttestationArgs {
    pub(crate) fn apply(
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
        let given = given.map_err(|error| hint::for_value(&error))?;
        request.attestations = given;
        defaults(request, metadata_file, environment)
    }
}

/// Applies the environment's defaults for the attestations of every build.
pub(crate) fn defaults(
    request: &mut BuildRequest,
    metadata_file: bool,
    environment: &Environment,
) -> Result<(), Failure> {
    if default_attestations(environment)? {
        request.attestations = std::mem::take(&mut request.attestations).or_default();
    }
    let no_artifacts = &environment.buildx_defaults.no_default_oci_artifact;
    if switch("BUILDX_NO_DEFAULT_OCI_ARTIFACT", no_artifacts)? == Some(true) {
        without_artifacts(request);
    }
    if metadata_file {
        let mode = environment
            .buildx_defaults
            .metadata_provenance
            .as_deref()
            .unwrap_or_default();
        let Ok(mode) = mode.parse::<MetadataProvenance>();
        request.metadata_provenance = mode;
    }
    Ok(())
}

/// True if provenance is attested by default. buildx does, unless `BUILDX_NO_DEFAULT_ATTESTATIONS`
/// is true. solvekit does only if the variable is false: by default it makes an index with one
/// manifest per platform and nothing else.
fn default_attestations(environment: &Environment) -> Result<bool, Failure> {
    let none = &environment.buildx_defaults.no_default_attestations;
    Ok(match switch("BUILDX_NO_DEFAULT_ATTESTATIONS", none)? {
        Some(none) => !none,
        None => environment.identity == Identity::Buildx,
    })
}

/// A variable that is true, false or not set.
fn switch(name: &str, value: &Option<String>) -> Result<Option<bool>, Failure> {
    let read = value.as_deref().map(values::boolean).transpose();
    read.map_err(|reason| {
        let value = value.as_deref().unwrap_or_default();
        let words = format!("invalid {name}: strconv.ParseBool: parsing {value:?}: invalid syntax");
        let failure = Failure::new(format!("the variable {name} cannot be used: {reason}"));
        failure.in_buildx(Some(words))
    })
}

/// Newer daemons store attestations as OCI artifacts; `BUILDX_NO_DEFAULT_OCI_ARTIFACT` is for
/// registries that do not support them.
fn without_artifacts(request: &mut BuildRequest) {
    let images = request
        .outputs
        .iter_mut()
        .filter(|output| matches!(output.kind, OutputKind::Image | OutputKind::Oci));
    for image in images {
        let attribute = image.attributes.entry("oci-artifact".to_owned());
        attribute.or_insert_with(|| "false".to_owned());
    }
}

/// True if the metadata file should contain warnings.
pub(crate) fn metadata_warnings(environment: &Environment) -> bool {
    let wanted = environment.buildx_defaults.metadata_warnings.as_deref();
    wanted.map(values::boolean) == Some(Ok(true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::environment::BuildxDefaults;

    #[test]
    fn the_default_of_buildx_is_asked_for_by_its_variable() {
        let called = |identity, value: Option<&str>| {
            let environment = Environment {
                identity,
                buildx_defaults: BuildxDefaults {
                    no_default_attestations: value.map(str::to_owned),
                    ..BuildxDefaults::default()
                },
                ..Environment::default()
            };
            default_attestations(&environment)
        };
        let with = |value| called(Identity::Solvekit, value);
        assert!(called(Identity::Buildx, None).unwrap());
        assert!(!called(Identity::Buildx, Some("true")).unwrap());
        assert!(!with(None).unwrap() && !with(Some("1")).unwrap() && with(Some("0")).unwrap());
        assert!(with(Some("maybe")).is_err());
    }

    #[test]
    fn artifacts_can_be_left_out_by_default() {
        let mut request = BuildRequest::new(".");
        request.outputs = ["type=registry", "type=oci,oci-artifact=true", "out"]
            .map(|text| text.parse().unwrap())
            .into();
        without_artifacts(&mut request);
        let of = |at: usize| {
            request.outputs[at]
                .attributes
                .get("oci-artifact")
                .map(String::as_str)
        };
        assert_eq!((of(0), of(1), of(2)), (Some("false"), Some("true"), None));
    }
}
