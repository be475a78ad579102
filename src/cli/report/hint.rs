//! Hints for failed builds, by the type of the error.

use solvekit::client::Failure;
use solvekit::frontend::{MissingSource, Refusal, SolveFailure};
use solvekit::pipeline::{CacheDirection, Entitlement, Error, PolicyError};
use solvekit::{client, frontend, gateway};

use super::again::quoted;
use super::daemon_text::{for_error, missing_base};
use super::failure::with_causes;
use super::usage::Advised;
use super::{buildx_values, buildx_words, cluster, context_hint};
use crate::cli::args::permissions;

impl Advised for Error {
    /// A command to run, or a line of a configuration file to change.
    fn advice(&self) -> Option<String> {
        for_build(self)
    }

    fn in_buildx(&self) -> Option<String> {
        buildx_words::of_build(self)
    }
}

/// The failure for a text that is not a platform.
pub(crate) fn for_platform(error: &solvekit::oci::Error) -> super::Failure {
    super::Failure::from_error(error).in_buildx(buildx_values::of_platform(error))
}

/// The failure for an invalid value of a request, with the flag that gave it.
pub(crate) fn for_value(error: &Error) -> super::Failure {
    let (flag, input, reason) = match error {
        Error::Annotation { input, source } => ("--annotation".to_owned(), input, source),
        Error::Attestation {
            kind,
            input,
            source,
        } => (format!("--{}", kind.unwrap_or("attest")), input, source),
        Error::Cache {
            direction,
            input,
            source,
        } => match direction {
            CacheDirection::From => ("--cache-from".to_owned(), input, source),
            CacheDirection::To => ("--cache-to".to_owned(), input, source),
        },
        Error::Entitlement { input, source } => ("--allow".to_owned(), input, source),
        Error::Resource { input, source } => ("--resource".to_owned(), input, source),
        _ => {
            let failure = super::Failure::from_error(error);
            return failure.in_words(buildx_values::of_value(error));
        }
    };
    let failure = super::Failure::new(format!("invalid {flag} {input:?}: {}", with_causes(reason)));
    failure.in_words(buildx_values::of_value(error))
}

fn for_build(error: &Error) -> Option<String> {
    if let Some(hint) = context_hint::for_context(error) {
        return Some(hint);
    }
    if let Some(hint) = for_output(error) {
        return Some(hint.to_owned());
    }
    match error {
        Error::DeletionNotAllowed { .. } => Some(format!(
            "if that is meant, allow it: --allow {}",
            Entitlement::LocalDelete
        )),
        Error::NoHostGateway { host } => Some(format!(
            "only the BuildKit of a Docker engine knows it; give the address: --add-host \
             {host}:10.0.0.7"
        )),
        Error::Policy(PolicyError::InStream { .. }) => Some(
            "unpack the context and build the folder; or, if the policy is not meant for this \
             build: --policy disabled=true"
                .to_owned(),
        ),
        Error::Policy(PolicyError::NotAsked { .. }) => Some(
            "use BuildKit v0.27 or newer (`solvekit workers` shows the version); --policy \
             disabled=true builds without the policy"
                .to_owned(),
        ),
        Error::ContextFileName { .. } => Some(
            "rename the file, exclude it (.dockerignore), or build with a buildkitd, which accepts \
             all names: solvekit create --driver docker-container --use"
                .to_owned(),
        ),
        Error::Frontend(frontend::Error::Refused(failure)) => for_refusal(&failure.reason),
        Error::Frontend(cause) => for_frontend(cause).or_else(|| for_error(error)),
        Error::Client(error) => for_daemon(error),
        Error::Export { source } | Error::EnginePush { source, .. } => for_daemon(source),
        Error::Gateway(gateway::Error::Client(error)) => for_daemon(error),
        Error::PodLost { pod, end, .. } => Some(cluster::for_lost_pod(pod, end)),
        Error::Interrupted => None,
        _ => for_error(error),
    }
}

/// An output that cannot be made as requested.
fn for_output(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::SeveralLayouts => {
            "write all but one of them to archives (tar=true), or build again for the next folder: \
             all steps are cached then"
        }
        Error::SeveralToStandardOutput => "give all but one of them a file: dest=FILE",
        Error::NoEngineToLoad => {
            "build with a Docker engine (--addr docker://), or write the image to a file and load \
             that: \
             --output type=docker,dest=image.tar && docker load -i image.tar"
        }
        Error::AttestationsForDocker => {
            "use type=oci, or leave the attestations out: --provenance=false \
             --sbom=false"
        }
        Error::SeveralPlatformsForDocker { .. } => {
            "use type=oci, build one platform at a time, or turn on containerd's image store in \
             the engine that the image is \
             loaded into"
        }
        Error::IndexAnnotations { .. } => {
            "annotate the manifest (--annotation KEY=VALUE), or make an image that has an index: \
             type=oci, --push"
        }
        Error::EngineStore { .. } => {
            "turn on the store ({\"features\": {\"containerd-snapshotter\": true}} in the engine's \
             daemon.json), or build with a buildkitd: solvekit create --driver docker-container \
             --use"
        }
        Error::ResultFileName { .. } => {
            "write an archive (type=tar), or build with a buildkitd, which sends all names: \
             solvekit create --driver docker-container --use"
        }
        Error::PushWithoutName => "name the image: -t REGISTRY/REPOSITORY:TAG",
        _ => return None,
    })
}

/// A build that failed in the frontend.
fn for_frontend(error: &frontend::Error) -> Option<String> {
    match error {
        frontend::Error::Scanner { .. } => Some(
            "name the image of another scanner: --sbom generator=IMAGE; the default is \
             docker/buildkit-syft-scanner:stable-1"
                .to_owned(),
        ),
        frontend::Error::Solve(failure) if failure.explanation.is_some() => {
            failure.explanation.as_ref().map(for_missing_source)
        }
        frontend::Error::Solve(failure) if runs_carriage_returns(failure) => Some(
            "the heredoc's lines end with CR LF, and the program gets the CR too; save the \
             Dockerfile with LF"
                .to_owned(),
        ),
        frontend::Error::Solve(failure)
            if matches!(failure.source, gateway::Error::MissingCapability(_)) =>
        {
            Some(
                "use a newer BuildKit (--addr, BUILDKIT_HOST; `solvekit workers` shows the \
                 versions), or do without it"
                    .to_owned(),
            )
        }
        frontend::Error::Gateway(gateway::Error::Client(error)) => for_daemon(error),
        frontend::Error::LockElsewhere { .. } => {
            Some("translate the Dockerfile here (--frontend=local), or leave out --lock".to_owned())
        }
        // BuildKit's words for it name the image with its registry and tag.
        frontend::Error::Translate(failure) => failure.reference.as_deref().and_then(missing_base),
        _ => None,
    }
}

/// A step that was rejected before it ran.
fn for_refusal(reason: &Refusal) -> Option<String> {
    match reason {
        Refusal::Entitlement { entitlement } => Some(permissions::hint(entitlement)),
        Refusal::Emulated { platform, .. } => Some(format!(
            "build on a machine for {platform}, let the stage run on the daemon's own platform \
                 and compile for the other one \
                 (FROM --platform=$BUILDPLATFORM), or leave out --require-native"
        )),
        Refusal::MissingSource(missing) => Some(for_missing_source(missing)),
        Refusal::CannotRun { platform, .. } => Some(format!(
            "{}; or let the stage run on the daemon's own platform and compile for the other \
                 one (FROM \
                 --platform=$BUILDPLATFORM). solvekit platforms shows what the builder runs",
            install(&platform.architecture)
        )),
        _ => None,
    }
}

/// The hint for a step that could not run a program of another platform: names the missing
/// emulator, according to the step's log.
pub(crate) fn for_foreign_program(error: &frontend::Error, report: &str) -> Option<String> {
    let frontend::Error::Solve(failure) = error else {
        return None;
    };
    if !report.contains("exec format error") && !failure.message.contains("exec format error") {
        return None;
    }
    let operation = failure.source.failure().and_then(Failure::operation);
    let platform = failure
        .platform
        .as_ref()
        .or_else(|| operation?.platform.as_ref());
    let Some(platform) = platform else {
        return Some(format!(
            "the daemon's machine cannot run programs of this platform: its emulator is not \
             registered there. {}",
            install("all")
        ));
    };
    let architecture = &platform.architecture;
    Some(format!(
        "the daemon's machine cannot run programs for {platform}: the emulator {} is not \
         registered there (binfmt_misc), or the \
         image's program is for another platform. {}",
        emulator(architecture),
        install(architecture)
    ))
}

fn install(architecture: &str) -> String {
    format!(
        "Register it on that machine with\n  solvekit platforms --install={architecture}\n  \
         docker run --privileged --rm tonistiigi/binfmt --install {architecture}\n\
         or with the package qemu-user-static (Debian, Ubuntu, Fedora), and build again"
    )
}

/// QEMU's name of an architecture.
fn emulator(architecture: &str) -> String {
    let name = match architecture {
        "amd64" => "x86_64",
        "386" => "i386",
        "arm64" => "aarch64",
        "mips64le" => "mips64el",
        "loong64" => "loongarch64",
        other => other,
    };
    format!("qemu-{name}")
}

fn for_daemon(error: &client::Error) -> Option<String> {
    error.advice().or_else(|| for_error(error))
}

/// True if the failed command's lines in the Dockerfile are a heredoc with CRLF line endings.
fn runs_carriage_returns(failure: &SolveFailure) -> bool {
    let (Some(_), Some(found)) = (failure.exit_code, &failure.lines) else {
        return false;
    };
    let is_of_step = |number| found.ranges.iter().any(|range| range.contains_line(number));
    let lines = found.info.data.split(|byte| *byte == b'\n').zip(1..);
    let mut lines = lines.filter(|(_, number)| is_of_step(*number));
    let begins = |line: &[u8]| line.windows(2).any(|pair| pair == b"<<");
    // The body starts after the line that opens the heredoc.
    lines.any(|(line, _)| begins(line)) && lines.any(|(line, _)| line.ends_with(b"\r"))
}

/// The hint for a source that is not in the context's folder.
fn for_missing_source(missing: &MissingSource) -> String {
    match missing {
        MissingSource::Absent {
            nearest: Some(name),
            ..
        } => format!("did you mean {name}?"),
        MissingSource::Excluded { path, .. } => {
            format!("add the rule {:?} after it", format!("!{path}"))
        }
        MissingSource::Elsewhere { from, .. } => format!(
            "paths count from its root. To see what a stage has: solvekit build --target {} -o - . \
             | tar t",
            quoted(from)
        ),
        _ => "paths count from the context's root: solvekit context ls shows what is there".into(),
    }
}
