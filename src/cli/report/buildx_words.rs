//! Errors in buildx's wording: scripts look for these phrases when solvekit is called as buildx.

use std::io;

use solvekit::pipeline::EngineLack;
use solvekit::{builder, frontend, pipeline};

/// The beginning of buildx's message if the daemon or the frontend in it fails a build.
const FAILED_TO_SOLVE: &str = "failed to solve";

/// buildx's message for a failed build, if it has a well-known one.
pub(super) fn of_build(error: &pipeline::Error) -> Option<String> {
    Some(match error {
        pipeline::Error::Context { path, source, .. } if is_missing(source) => {
            format!("unable to prepare context: path {path:?} not found")
        }
        pipeline::Error::Dockerfile { path, source, .. } if is_missing(source) => {
            let name = path.file_name().unwrap_or_default().display();
            format!(
                "{FAILED_TO_SOLVE}: failed to read dockerfile: open {name}: no such file or \
                 directory"
            )
        }
        pipeline::Error::EmptyStream => {
            format!("{FAILED_TO_SOLVE}: the Dockerfile cannot be empty")
        }
        pipeline::Error::EngineStore { lack } => of_engine(*lack),
        pipeline::Error::IndexAnnotations { .. } => {
            "index annotations not supported for single platform export".to_owned()
        }
        // The daemon's message, which contains the failed command.
        pipeline::Error::Frontend(frontend::Error::Solve(_)) => {
            format!("{FAILED_TO_SOLVE}: {error}")
        }
        pipeline::Error::Frontend(_)
        | pipeline::Error::Gateway(_)
        | pipeline::Error::Export { .. }
        | pipeline::Error::Denied { .. } => {
            let message = super::Failure::from_error(error).into_message();
            format!("{FAILED_TO_SOLVE}: {message}")
        }
        _ => return None,
    })
}

/// The message for a feature that the docker driver lacks without containerd's image store.
fn of_engine(lack: EngineLack) -> String {
    let (feature, page) = match lack {
        EngineLack::CacheExport => ("Cache export", "build-cache-backends"),
        EngineLack::Attestations => ("Attestation", "attestations"),
        EngineLack::SeveralPlatforms => ("Multi-platform build", "build-multi-platform"),
        EngineLack::OciExporter => ("OCI exporter", "build-exporters"),
        EngineLack::DockerExporter => ("Docker exporter", "build-exporters"),
        EngineLack::LoadOfSeveral => {
            return "docker exporter does not currently support exporting manifest lists"
                .to_owned();
        }
        EngineLack::PushByDigest => {
            return "push-by-digest is currently not implemented for docker driver, please create \
                    a new builder instance"
                .to_owned();
        }
        // Newer variants have no phrase yet.
        _ => return format!("not supported for the docker driver: {lack}"),
    };
    format!(
        "{feature} is not supported for the docker driver.\nSwitch to a different driver, or turn \
         on the containerd image store, and try again.\nLearn more at \
         https://docs.docker.com/go/{page}/"
    )
}

/// buildx's message for a builder that cannot be used, if it has a well-known one.
pub(super) fn of_builder(error: &builder::Error) -> Option<String> {
    match error {
        builder::Error::NotFound { name, .. } => Some(format!("no builder {name:?} found")),
        builder::Error::DuplicateEndpoint { endpoint } => {
            Some(format!("invalid duplicate endpoint {endpoint}"))
        }
        _ => None,
    }
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_files_and_builders_are_named_as_buildx_does() {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        let context = pipeline::Error::Context {
            path: "/none".into(),
            near: None,
            source: missing(),
        };
        assert_eq!(
            of_build(&context).as_deref(),
            Some("unable to prepare context: path \"/none\" not found")
        );
        let dockerfile = pipeline::Error::Dockerfile {
            path: "app/None".into(),
            near: None,
            source: missing(),
        };
        assert_eq!(
            of_build(&dockerfile).as_deref(),
            Some(
                "failed to solve: failed to read dockerfile: open None: no such file or directory"
            )
        );
        assert_eq!(of_build(&pipeline::Error::Interrupted), None);
        let builder = builder::Error::NotFound {
            name: "x".to_owned(),
            nearest: None,
            known: Vec::new(),
        };
        assert_eq!(
            of_builder(&builder).as_deref(),
            Some("no builder \"x\" found")
        );
    }
}
