//! What to do next, for failures whose cause can be told from what the daemon says.

use solvekit::client::Failure;
use solvekit::frontend::{MissingSource, Refusal, SolveFailure};
use solvekit::pipeline::{Entitlement, Error};
use solvekit::{client, frontend, gateway};

use super::context_hint;
use super::usage::Advised;
use crate::cli::args::permissions;

impl Advised for Error {
    /// The next step for a failed build: a command, a line of a configuration file.
    fn advice(&self) -> Option<String> {
        for_build(self)
    }
}

fn for_build(error: &Error) -> Option<String> {
    if let Some(hint) = context_hint::for_context(error) {
        return Some(hint);
    }
    match error {
        Error::DeletionNotAllowed { .. } => Some(format!(
            "if that is meant, allow it: --allow {}",
            Entitlement::LocalDelete
        )),
        Error::SeveralLayouts => Some(
            "write all but one of them to archives (tar=true), or build again for the next folder: all steps are cached then"
                .to_owned(),
        ),
        Error::SeveralToStandardOutput => {
            Some("give all but one of them a file: dest=FILE".to_owned())
        }
        Error::NoEngineToLoad => Some(
            "build with a Docker engine (--addr docker://), or write the image to a file and load that: \
             --output type=docker,dest=image.tar && docker load -i image.tar"
                .to_owned(),
        ),
        Error::AttestationsForDocker => Some(
            "use type=oci, or leave the attestations out: --provenance=false --sbom=false".to_owned(),
        ),
        Error::Frontend(frontend::Error::Scanner { .. }) => Some(
            "name the image of another scanner: --sbom generator=IMAGE; the default is docker/buildkit-syft-scanner:stable-1"
                .to_owned(),
        ),
        Error::SeveralPlatformsForDocker { .. } => Some(
            "use type=oci, build one platform at a time, or turn on containerd's image store in the engine that the image is \
             loaded into"
                .to_owned(),
        ),
        Error::IndexAnnotations { .. } => Some(
            "annotate the manifest (--annotation KEY=VALUE), or make an image that has an index: type=oci, --push".to_owned(),
        ),
        Error::NoHostGateway { host } => Some(format!(
            "only the BuildKit of a Docker engine knows it; give the address: --add-host {host}:10.0.0.7"
        )),
        Error::Policy { .. } => Some(
            "build with docker buildx, which obeys it; or, if it is not meant for this build: --policy disabled=true"
                .to_owned(),
        ),
        Error::ContextFileName { .. } => Some(
            "rename the file, exclude it (.dockerignore), or build with a buildkitd, which accepts \
             all names: solvekit create --driver docker-container --use"
                .to_owned(),
        ),
        Error::ResultFileName { .. } => Some(
            "write an archive (type=tar), or build with a buildkitd, which sends all names: \
             solvekit create --driver docker-container --use"
                .to_owned(),
        ),
        Error::PushWithoutName => Some("name the image: -t REGISTRY/REPOSITORY:TAG".to_owned()),
        Error::Frontend(frontend::Error::Solve(failure)) if failure.explanation.is_some() => {
            failure.explanation.as_ref().map(for_missing_source)
        }
        Error::Frontend(frontend::Error::Solve(failure)) if runs_carriage_returns(failure) => Some(
            "the heredoc's lines end with CR LF, and the program gets the CR too; save the \
             Dockerfile with LF"
                .to_owned(),
        ),
        Error::Frontend(frontend::Error::Solve(failure))
            if matches!(failure.source, gateway::Error::MissingCapability(_)) =>
        {
            Some(
                "use a newer BuildKit (--addr, BUILDKIT_HOST; `solvekit workers` shows the versions), or do without it"
                    .to_owned(),
            )
        }
        Error::Frontend(frontend::Error::Refused(failure)) => match &failure.reason {
            Refusal::Entitlement { entitlement } => Some(permissions::hint(entitlement)),
            Refusal::Emulated { platform, .. } => Some(format!(
                "build on a machine for {platform}, let the stage run on the daemon's own platform and compile for the other one \
                 (FROM --platform=$BUILDPLATFORM), or leave out --require-native"
            )),
            Refusal::MissingSource(missing) => Some(for_missing_source(missing)),
            Refusal::CannotRun { platform, .. } => Some(format!(
                "{}; or let the stage run on the daemon's own platform and compile for the other one (FROM \
                 --platform=$BUILDPLATFORM). solvekit platforms shows what the builder runs",
                install(&platform.architecture)
            )),
            _ => None,
        },
        Error::Client(error) => for_daemon(error),
        Error::Export { source } => for_daemon(source),
        Error::Gateway(gateway::Error::Client(error))
        | Error::Frontend(frontend::Error::Gateway(gateway::Error::Client(error))) => {
            for_daemon(error)
        }
        Error::Interrupted => None,
        _ => for_message(&full(error)),
    }
}

/// The hint for a step that a foreign program could not be run in, told from its log: which emulator is missing.
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
            "the daemon's machine cannot run programs of this platform: its emulator is not registered there. {}",
            install("all")
        ));
    };
    let architecture = &platform.architecture;
    Some(format!(
        "the daemon's machine cannot run programs for {platform}: the emulator {} is not registered there (binfmt_misc), or the \
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
    error.advice().or_else(|| for_message(&full(error)))
}

/// How a registry's way to plain HTTP is refused; it comes back in the daemon's message, too.
const DOWNGRADE: &str = " over plain HTTP, which is not allowed for it";

/// The hint for a message of the daemon.
pub(crate) fn for_message(message: &str) -> Option<String> {
    if let Some(hint) = context_hint::for_git(message) {
        return Some(hint);
    }
    if message.contains("server gave HTTP response to HTTPS client") {
        return Some(plain_http(&registry_in(message)));
    }
    if message.contains("the lock has ") || message.contains("the lock does not have ") {
        return Some(
            "bring the lock up to date, for all platforms: solvekit lock --platform … -o FILE; or, in a build, look up \
             what it lacks: --lock-missing=resolve"
                .to_owned(),
        );
    }
    if message.contains("InvalidContentType") && message.contains("cannot reach the registry ") {
        let registry = registry_in(message);
        let registry = registry.trim_end_matches(':');
        return Some(format!(
            "{registry} does not speak TLS. If plain HTTP is meant: --insecure-registry {registry}"
        ));
    }
    if let Some((before, _)) = message.split_once(DOWNGRADE) {
        let registry = before
            .rsplit_once(" leads to ")
            .map_or("", |(before, _)| before);
        let registry = registry.rsplit(' ').next().unwrap_or_default();
        return Some(format!(
            "credentials do not go over plain HTTP. If that is meant: --insecure-registry {registry}"
        ));
    }
    if message.contains("invalid peer certificate: UnknownIssuer") {
        return Some(
            "the registry's certificate is of an authority that this machine does not know; install that authority's \
             certificate, put it where docker has it (/etc/docker/certs.d/HOST:PORT/ca.crt), or name its file: SSL_CERT_FILE=ca.pem"
                .to_owned(),
        );
    }
    if message.contains("certificate signed by unknown authority") {
        return Some(private_ca(&registry_in(message)));
    }
    if [
        "401 Unauthorized",
        "403 Forbidden",
        "insufficient_scope",
        "authorization failed",
        "access denied",
        "no basic auth credentials",
    ]
    .iter()
    .any(|sign| message.contains(sign))
    {
        return Some(login(&registry_in(message), message));
    }
    if message.contains("no space left on device") {
        return Some(
            "the daemon's disk is full: solvekit du shows what its cache holds, solvekit prune removes what no build uses"
                .to_owned(),
        );
    }
    if let Some(hint) = missing_source(message).or_else(|| missing_base(message)) {
        return Some(hint);
    }
    if message.contains("429 Too Many Requests") || message.contains("toomanyrequests") {
        return Some(format!(
            "{} limits how often it is asked; log in for a higher limit, or wait and try again",
            registry_in(message)
        ));
    }
    if let Some(name) = refused_entitlement(message) {
        return Some(name);
    }
    None
}

/// True if a command failed whose lines in the Dockerfile are a heredoc with CR LF.
fn runs_carriage_returns(failure: &SolveFailure) -> bool {
    let (Some(_), Some(found)) = (failure.exit_code, &failure.lines) else {
        return false;
    };
    let is_of_step = |number| found.ranges.iter().any(|range| range.contains_line(number));
    let lines = found.info.data.split(|byte| *byte == b'\n').zip(1..);
    let mut lines = lines.filter(|(_, number)| is_of_step(*number));
    let begins = |line: &[u8]| line.windows(2).any(|pair| pair == b"<<");
    // A body is what comes after the line that begins the heredoc.
    lines.any(|(line, _)| begins(line)) && lines.any(|(line, _)| line.ends_with(b"\r"))
}

/// What to do about a source that is not found in the context's folder.
fn for_missing_source(missing: &MissingSource) -> String {
    match missing {
        MissingSource::Absent {
            nearest: Some(name),
            ..
        } => format!("did you mean {name}?"),
        MissingSource::Excluded { path, .. } => {
            format!("add the rule {:?} after it", format!("!{path}"))
        }
        _ => "paths count from the context's root: solvekit context ls shows what is there".into(),
    }
}

/// A file that COPY or ADD names is not in the context that the daemon got.
fn missing_source(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("failed to calculate checksum of ref ")?;
    let (_, path) = rest.split_once(": \"")?;
    let (path, _) = path.split_once("\": not found")?;
    Some(format!(
        "{path} is not in the build context, or .dockerignore leaves it out; paths count from the context's root: \
         solvekit context ls"
    ))
}

/// The registry does not have the image of a FROM.
fn missing_base(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("failed to resolve source metadata for ")?;
    let (name, reason) = rest.split_once(": ")?;
    reason.contains("not found").then(|| {
        format!(
            "the registry has no image of that name and tag: look with solvekit imagetools inspect {name}; a private one \
             needs solvekit login"
        )
    })
}

/// The daemon allows an entitlement to nobody, or a step uses one that the build was not given.
fn refused_entitlement(message: &str) -> Option<String> {
    let name = ["network.host", "security.insecure", "device"]
        .into_iter()
        .find(|name| message.contains(name))?;
    if message.contains("granting entitlement") {
        return Some(permissions::daemon_hint(name));
    }
    let step = format!("{name} is not allowed");
    (message.contains(&step) || message.contains("entitlement") && message.contains("not allowed"))
        .then(|| permissions::hint(name))
}

fn login(registry: &str, message: &str) -> String {
    let what = if message.contains("push") {
        "push to"
    } else {
        "pull from"
    };
    format!("log in with an account that may {what} it: solvekit login {registry}")
}

fn plain_http(registry: &str) -> String {
    format!(
        "{registry} speaks plain HTTP. If that is meant, tell the daemon in buildkitd.toml:\n  \
         [registry.\"{registry}\"]\n    http = true\n\
         or a Docker engine in /etc/docker/daemon.json: {{\"insecure-registries\": [\"{registry}\"]}}"
    )
}

fn private_ca(registry: &str) -> String {
    format!(
        "{registry} has a certificate of an authority that the daemon does not know. Tell it in buildkitd.toml:\n  \
         [registry.\"{registry}\"]\n    ca = [\"/path/ca.pem\"]\n\
         or a Docker engine: put the authority's certificate into /etc/docker/certs.d/{registry}/ca.crt"
    )
}

/// The host in the first URL of a message, or of `failed to push HOST/…`.
fn registry_in(message: &str) -> String {
    let refused = [" does not give ", " does not take ", " does not let "];
    let before = refused.iter().find_map(|verb| message.split_once(verb));
    if let Some((before, _)) = before {
        return before
            .rsplit(' ')
            .next()
            .unwrap_or("the registry")
            .to_owned();
    }
    let after = [
        "https://",
        "http://",
        "cannot reach the registry ",
        "failed to push ",
        "failed to resolve source metadata for ",
    ]
    .iter()
    .find_map(|start| message.split_once(start).map(|(_, rest)| rest));
    let host: String = after
        .unwrap_or("the registry")
        .chars()
        .take_while(|c| !matches!(c, '/' | '"' | ' ' | '?' | ','))
        .collect();
    if after.is_none() {
        "the registry".to_owned()
    } else {
        host
    }
}

pub(crate) fn full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_disks_missing_files_and_missing_images_get_a_next_step() {
        let cases = [
            (
                "write /var/lib/x: no space left on device",
                "solvekit prune",
            ),
            (
                "failed to compute cache key: failed to calculate checksum of ref a::b: \"/x.txt\": not found",
                "/x.txt is not in the build context",
            ),
            (
                "failed to resolve source metadata for docker.io/library/nope:1: docker.io/library/nope:1: not found",
                "imagetools inspect docker.io/library/nope:1;",
            ),
        ];
        for (message, part) in cases {
            let hint = for_message(message).unwrap();
            assert!(hint.contains(part), "{hint}");
        }
        assert_eq!(for_message("not found"), None);
    }

    #[test]
    fn plain_http_registries_get_their_configuration_lines() {
        let hint = for_message(
            r#"failed to do request: Head "https://reg.example:5000/v2/a/manifests/1": http: server gave HTTP response to HTTPS client"#,
        );
        assert!(
            hint.unwrap()
                .contains("[registry.\"reg.example:5000\"]\n    http = true")
        );
    }

    #[test]
    fn refused_pushes_name_the_registry_to_log_in_to() {
        let hint = for_message(
            "failed to push ghcr.io/a/b:1: unexpected status from HEAD request: 401 Unauthorized",
        );
        assert_eq!(
            hint.unwrap(),
            "log in with an account that may push to it: solvekit login ghcr.io"
        );
    }

    #[test]
    fn what_is_not_known_gets_no_hint() {
        assert_eq!(for_message("exit code: 1"), None);
    }
}
