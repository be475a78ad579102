//! Errors in buildx's wording: scripts look for these phrases when solvekit is called as buildx.

use std::io;

use solvekit::builder::OptionProblem;
use solvekit::client::{self, Address, AddressProblem, ConnectProblem, Endpoint};
use solvekit::frontend::{MissingSource, Refusal};
use solvekit::pipeline::{EngineLack, PlaceError, PolicyError};
use solvekit::{builder, frontend, imagetools, pipeline, registry};

/// The beginning of buildx's message if the daemon or the frontend in it fails a build.
const FAILED_TO_SOLVE: &str = "failed to solve";

/// buildx's message for a failed build, if it has a well-known one.
pub(super) fn of_build(error: &pipeline::Error) -> Option<String> {
    Some(match error {
        pipeline::Error::Context { path, source, .. } if is_no_such_file(source) => {
            format!("unable to prepare context: path {path:?} not found")
        }
        pipeline::Error::Dockerfile { path, source, .. } if is_no_such_file(source) => {
            let name = path.file_name().unwrap_or_default().display();
            format!(
                "{FAILED_TO_SOLVE}: failed to read dockerfile: open {name}: no such file or \
                 directory"
            )
        }
        pipeline::Error::StreamTwice => {
            "invalid argument: can't use stdin for both build context and dockerfile".to_owned()
        }
        pipeline::Error::PushWithoutName => "tag is needed when pushing to registry".to_owned(),
        pipeline::Error::EmptyStream => {
            format!("{FAILED_TO_SOLVE}: the Dockerfile cannot be empty")
        }
        pipeline::Error::EngineStore { lack } => of_engine(*lack),
        pipeline::Error::IndexAnnotations { .. } => {
            "index annotations not supported for single platform export".to_owned()
        }
        // The daemon's message, which contains the failed command.
        pipeline::Error::Frontend(frontend::Error::Solve(failure)) => {
            let cause = failure.explanation.as_ref();
            let cause = cause.map(|cause| format!("{cause}: ")).unwrap_or_default();
            format!("{FAILED_TO_SOLVE}: {cause}{}", failure.message)
        }
        pipeline::Error::Frontend(frontend) if of_frontend(frontend).is_some() => {
            let words = of_frontend(frontend).unwrap_or_default();
            format!("{FAILED_TO_SOLVE}: {words}")
        }
        pipeline::Error::Gateway(error) if error.failure().is_some() => {
            let message = error.failure().map(|failure| failure.message.as_str());
            format!("{FAILED_TO_SOLVE}: {}", message.unwrap_or_default())
        }
        pipeline::Error::Export { source } if source.failure().is_some() => {
            let message = source.failure().map(|failure| failure.message.as_str());
            format!("{FAILED_TO_SOLVE}: {}", message.unwrap_or_default())
        }
        pipeline::Error::Client(error) if error.failure().is_some() => {
            let message = error.failure().map(|failure| failure.message.as_str());
            format!("{FAILED_TO_SOLVE}: {}", message.unwrap_or_default())
        }
        pipeline::Error::Destination { path, source } => {
            let path = path.display();
            match source {
                PlaceError::IsFolder => format!("destination file {path} is a directory"),
                PlaceError::NotAFolder => format!("destination directory {path} is a file"),
                _ => return None,
            }
        }
        pipeline::Error::NamedContext { name, source } => {
            let pipeline::Error::Context { path, source, .. } = &**source else {
                return None;
            };
            let path = path.display();
            match is_no_such_file(source) {
                true => format!(
                    "failed to get build context {name}: stat {path}: no such file or directory"
                ),
                false => return None,
            }
        }
        pipeline::Error::Frontend(_)
        | pipeline::Error::Gateway(_)
        | pipeline::Error::Export { .. }
        | pipeline::Error::Policy(PolicyError::Denied { .. }) => {
            let message = super::Failure::from_error(error).into_message();
            format!("{FAILED_TO_SOLVE}: {message}")
        }
        _ => return None,
    })
}

/// The wording of BuildKit's own frontend.
pub(super) fn of_frontend(error: &frontend::Error) -> Option<String> {
    match error {
        frontend::Error::Syntax(failure) => Some(failure.reference.clone()),
        frontend::Error::Translate(failure) => failure.reference.clone(),
        frontend::Error::Refused(step) => match &step.reason {
            Refusal::Entitlement { entitlement } => {
                Some(format!("failed to load LLB: {entitlement} is not allowed"))
            }
            Refusal::MissingSource(
                MissingSource::Absent { path, .. } | MissingSource::Excluded { path, .. },
            ) => {
                let path = format!("/{}", path.trim_start_matches('/'));
                Some(format!(
                    "failed to compute cache key: failed to calculate checksum of ref context: \
                     {path:?}: not found"
                ))
            }
            _ => None,
        },
        _ => None,
    }
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
        builder::Error::Client(error) => of_connection(error),
        error => of_create(error),
    }
}

/// Problems of a builder that is created or changed.
fn of_create(error: &builder::Error) -> Option<String> {
    Some(match error {
        builder::Error::InvalidName { name } => format!(
            "invalid name {name}, name needs to start with a letter and may not contain symbols, \
             except ._-"
        ),
        builder::Error::NameOfContext { name } if name == builder::DEFAULT_CONTEXT => {
            format!("{name} is a reserved name and cannot be used to identify builder instance")
        }
        builder::Error::NameOfContext { name } => {
            format!("instance name {name:?} already exists as context builder")
        }
        builder::Error::Exists { name } => format!(
            "existing instance for {name:?} but no append mode, specify the node name to make \
             changes for existing instances"
        ),
        builder::Error::NodeNotFound { builder, node, .. } => {
            format!("node {node:?} not found for {builder}")
        }
        builder::Error::LastNode { .. } => {
            "can not leave last node, do you want to rm instance instead?".to_owned()
        }
        builder::Error::OtherDriver {
            builder, driver, ..
        } => format!("existing instance for {builder:?} but has mismatched driver {driver:?}"),
        builder::Error::UnknownDriver { name } => format!("failed to find driver {name:?}"),
        builder::Error::UnknownOption { driver, option, .. } => {
            format!("invalid driver option {option} for {driver} driver")
        }
        builder::Error::InvalidOption {
            option,
            value,
            source,
            ..
        } => match source {
            OptionProblem::RelativePath => {
                format!("non-absolute path '{value}' provided for {option}")
            }
            OptionProblem::Form => format!("invalid value {option:?}, expecting k=v"),
            _ => return None,
        },
        builder::Error::Words { text, reason } => {
            let reason = match text.ends_with('\\') {
                true => reason,
                // A quote is not closed.
                false => "EOF found when expecting closing quote",
            };
            format!("failed to parse buildkit flags: {reason}")
        }
        _ => return None,
    })
}

/// An engine that cannot be reached, in the wording of Docker's client.
pub(super) fn of_connection(error: &client::Error) -> Option<String> {
    match error {
        client::Error::Connect { address, source } => of_engine_at(address, source),
        client::Error::InvalidAddress {
            reason: AddressProblem::UnknownScheme { scheme },
            ..
        } => Some(format!("unrecognized url scheme {scheme}")),
        client::Error::NotFound { attempts } => attempts
            .iter()
            .find_map(|(address, problem)| of_engine_at(address, problem)),
        _ => None,
    }
}

fn of_engine_at(address: &Address, problem: &ConnectProblem) -> Option<String> {
    let endpoint = match address {
        Address::Docker(endpoint) => endpoint.clone(),
        Address::Container { engine, .. } => Some((**engine).clone()),
        Address::Buildkit(_) => return None,
    };
    let (url, dialed) = match endpoint {
        None => (
            DEFAULT_ENGINE.to_owned(),
            DEFAULT_ENGINE.replace("://", " "),
        ),
        Some(Endpoint::Unix(path)) => {
            let path = path.display();
            (format!("unix://{path}"), format!("unix {path}"))
        }
        Some(Endpoint::Tcp { host, port }) => {
            (format!("tcp://{host}:{port}"), format!("tcp {host}:{port}"))
        }
        Some(Endpoint::Pipe(_) | Endpoint::Process(_)) => return None,
    };
    let reason = match problem {
        ConnectProblem::NoSocket { .. } => "no such file or directory",
        ConnectProblem::Refused { .. } => "connection refused",
        ConnectProblem::PermissionDenied { .. } => {
            return Some(format!(
                "permission denied while trying to connect to the docker API at {url}"
            ));
        }
        _ => return None,
    };
    Some(format!(
        "failed to connect to the docker API at {url}; check if the path is correct and if the \
         daemon is running: dial {dialed}: connect: {reason}"
    ))
}

/// Docker's own socket.
const DEFAULT_ENGINE: &str = "unix:///var/run/docker.sock";

/// Something that a registry does not have.
pub(super) fn of_registry(error: &registry::Error) -> Option<String> {
    match error {
        registry::Error::Refused(refusal) if error.is_not_found() => {
            let at = if refusal.what.starts_with("sha256:") {
                '@'
            } else {
                ':'
            };
            let (registry, repository) = (&refusal.registry, &refusal.repository);
            // GitHub's actions-toolkit looks for buildx's "not found" at the end of the text, where
            // our advice is, or for these words of the registry anywhere.
            Some(format!(
                "{registry}/{repository}{at}{}: manifest unknown: not found",
                refusal.what
            ))
        }
        _ => None,
    }
}

/// Sources that cannot be combined to an image.
pub(super) fn of_imagetools(error: &imagetools::Error) -> Option<String> {
    match error {
        imagetools::Error::NoPlatform { .. } => {
            Some("none of the manifests match the provided platforms".to_owned())
        }
        _ => None,
    }
}

/// True if Go's text for the error is `no such file or directory`.
pub(in crate::cli::report) fn is_no_such_file(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builders_that_cannot_be_made_are_named_as_buildx_does() {
        let name = || "x".to_owned();
        for (error, expected) in [
            (
                builder::Error::Exists { name: name() },
                "existing instance for \"x\" but no append mode, specify the node name to make \
                 changes for existing instances",
            ),
            (
                builder::Error::NameOfContext {
                    name: "default".to_owned(),
                },
                "default is a reserved name and cannot be used to identify builder instance",
            ),
            (
                builder::Error::UnknownDriver { name: name() },
                "failed to find driver \"x\"",
            ),
            (
                builder::Error::NodeNotFound {
                    builder: name(),
                    node: "n".to_owned(),
                    nearest: None,
                },
                "node \"n\" not found for x",
            ),
            (
                builder::Error::InvalidName {
                    name: "a b".to_owned(),
                },
                "invalid name a b, name needs to start with a letter and may not contain symbols, \
                 except ._-",
            ),
        ] {
            assert_eq!(of_builder(&error).as_deref(), Some(expected));
        }
    }

    #[test]
    fn an_engine_that_is_not_there_has_docker_s_words() {
        let path = "/none.sock";
        let error = client::Error::Connect {
            address: Address::Docker(Some(Endpoint::Unix(path.into()))),
            source: Box::new(ConnectProblem::NoSocket { path: path.into() }),
        };
        assert_eq!(
            of_connection(&error).as_deref(),
            Some(
                "failed to connect to the docker API at unix:///none.sock; check if the path is \
                 correct and if the daemon is running: dial unix /none.sock: connect: no such \
                 file or directory"
            )
        );
        let buildkit = client::Error::Connect {
            address: Address::Buildkit(Endpoint::Unix(path.into())),
            source: Box::new(ConnectProblem::NoSocket { path: path.into() }),
        };
        assert_eq!(of_connection(&buildkit), None);
    }

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
