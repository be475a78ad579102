//! The environment variables of the command, for its reference.

/// Names and effects, in the order of the reference.
pub(super) const VARIABLES: &[(&str, &str)] = &[
    ("BUILDKIT_HOST", "the address of the daemon, as `--addr`"),
    ("BUILDX_BUILDER", "the builder, as `--builder`"),
    ("DOCKER_HOST", "the address of the Docker Engine"),
    ("DOCKER_CONTEXT", "the docker context"),
    (
        "DOCKER_CUSTOM_HEADERS",
        "headers for the Docker Engine, as `NAME=VALUE,…`, instead of `HttpHeaders` in config.json",
    ),
    (
        "DOCKER_TLS_VERIFY",
        "if set, the engine at `DOCKER_HOST` is reached with TLS",
    ),
    (
        "DOCKER_CERT_PATH",
        "the folder of the TLS files for `DOCKER_TLS_VERIFY`",
    ),
    (
        "KUBECONFIG",
        "the configuration of the cluster of Kubernetes builders",
    ),
    (
        "SSH_AUTH_SOCK",
        "the SSH agent for `--ssh` and for daemons at `ssh://`",
    ),
    (
        "COSIGN_PASSWORD",
        "the password of the key of `--sign=key=FILE`",
    ),
    ("DOCKER_DEFAULT_PLATFORM", "the platforms, as `--platform`"),
    (
        "SOURCE_DATE_EPOCH",
        "the time of the image and its files, as the build argument of that name",
    ),
    (
        "BUILDX_NO_DEFAULT_ATTESTATIONS",
        "whether images get provenance by default: `true` is no, `false` is yes",
    ),
    (
        "BUILDX_NO_DEFAULT_LOAD",
        "if true, a build without an output stays in the build cache",
    ),
    (
        "BUILDX_NO_DEFAULT_OCI_ARTIFACT",
        "if true, attestations are not written as OCI artifacts",
    ),
    (
        "BUILDX_METADATA_PROVENANCE",
        "the provenance in `--metadata-file`: `min`, `max` or `disabled`",
    ),
    (
        "BUILDX_METADATA_WARNINGS",
        "if true, the warnings of the build are in `--metadata-file`",
    ),
    (
        "GITHUB_ACTIONS",
        "if `true`, builds write the annotations of a job of GitHub's Actions",
    ),
    (
        "BUILDX_GIT_INFO",
        "whether the provenance names the commit of the context (default: as buildx only)",
    ),
    (
        "BUILDX_GIT_LABELS",
        "labels of the image with its commit: `true`, or `full` for all of them",
    ),
    (
        "BUILDX_GIT_CHECK_DIRTY",
        "if true, a commit with changed files is marked as dirty",
    ),
    (
        "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY",
        "the file of a source policy for every build",
    ),
    (
        "BUILDX_DEFAULT_POLICY",
        "if true, images that Docker ships for builds need a signature",
    ),
    (
        "BUILDX_BAKE_FILE",
        "the files that `bake` reads without `-f`",
    ),
    (
        "BUILDX_BAKE_PATH_SEPARATOR",
        "the separator in `BUILDX_BAKE_FILE` (default: `:`)",
    ),
    (
        "BUILDX_BAKE_FILE_RELATIVE_PATHS",
        "if true, paths of bake files start at the file's folder",
    ),
    (
        "BUILDX_BAKE_DISABLE_VARS_ENV_LOOKUP",
        "if true, bake variables ignore the environment",
    ),
    (
        "BUILDX_BAKE_ENTITLEMENTS_FS",
        "if 0, bake files may use files outside of the folder",
    ),
    (
        "BAKE_ALLOW_REMOTE_FS_ACCESS",
        "if 1, remote bake files may use files of this machine",
    ),
    (
        "BUILDX_BAKE_GIT_AUTH_TOKEN",
        "the token for the repository of a remote bake file",
    ),
    (
        "BUILDX_BAKE_GIT_AUTH_HEADER",
        "the header for the repository of a remote bake file",
    ),
    (
        "BUILDX_BAKE_GIT_SSH",
        "the SSH agent or keys for the repository of a remote bake file",
    ),
    ("BUILDKIT_PROGRESS", "the progress, as `--progress`"),
    (
        "BUILDKIT_COLORS",
        "the colours of progress, for example `run=green:error=255,0,0`",
    ),
    (
        "BUILDKIT_TTY_LOG_LINES",
        "how many lines of its log a running step shows",
    ),
    ("NO_COLOR", "if set, output has no colours"),
    ("DEBUG", "if set, as `--debug`"),
    (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "the OpenTelemetry collector for traces (`OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` before it)",
    ),
    (
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "the collector for traces; with `http/protobuf` the whole URL",
    ),
    (
        "OTEL_TRACES_EXPORTER",
        "`otlp` sends traces, by default to localhost; `none` sends none",
    ),
    (
        "OTEL_TRACES_SAMPLER",
        "which traces are recorded: `always_on`, `always_off`, `traceidratio`, or with \
         `parentbased_` before it",
    ),
    (
        "OTEL_TRACES_SAMPLER_ARG",
        "the part of the traces that `traceidratio` records, from 0 to 1",
    ),
    (
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "`grpc` (default) or `http/protobuf`",
    ),
    (
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "the same, before `OTEL_EXPORTER_OTLP_PROTOCOL`; so for the variables below",
    ),
    (
        "OTEL_EXPORTER_OTLP_HEADERS",
        "headers for the collector: `NAME=VALUE,…`, percent-encoded",
    ),
    ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "the same"),
    (
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        "how long the collector is waited for, in milliseconds (default: 2000)",
    ),
    ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "the same"),
    ("OTEL_EXPORTER_OTLP_COMPRESSION", "`gzip` or `none`"),
    ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "the same"),
    (
        "OTEL_EXPORTER_OTLP_INSECURE",
        "if true, an endpoint without a scheme is reached without TLS",
    ),
    ("OTEL_EXPORTER_OTLP_TRACES_INSECURE", "the same"),
    (
        "OTEL_EXPORTER_OTLP_CERTIFICATE",
        "the file with the authorities of the collector's certificate",
    ),
    ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "the same"),
    (
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
        "the file with the client certificate for the collector",
    ),
    ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "the same"),
    (
        "OTEL_EXPORTER_OTLP_CLIENT_KEY",
        "the file with the key of that certificate",
    ),
    ("OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "the same"),
    (
        "OTEL_SERVICE_NAME",
        "the name of this program in traces (default: `solvekit`)",
    ),
    (
        "OTEL_RESOURCE_ATTRIBUTES",
        "more about this program in traces: `NAME=VALUE,…`, percent-encoded",
    ),
    (
        "OTEL_SDK_DISABLED",
        "if true, no span is recorded; `TRACEPARENT` is passed on all the same",
    ),
    (
        "TRACEPARENT",
        "the span that a command is a part of; the daemon gets it",
    ),
    ("TRACESTATE", "more about `TRACEPARENT`"),
    (
        "DOCKER_CONFIG",
        "the folder of the docker CLI's configuration (default: `~/.docker`)",
    ),
    (
        "DOCKER_AUTH_CONFIG",
        "credentials for registries, as the JSON of a `config.json`",
    ),
    ("REGISTRY_AUTH_FILE", "podman's file of credentials"),
    (
        "BUILDX_CONFIG",
        "the folder of the builders (default: `buildx` in `DOCKER_CONFIG`)",
    ),
    ("HTTP_PROXY", "the proxy for plain HTTP to registries"),
    ("HTTPS_PROXY", "the proxy for TLS to registries"),
    ("NO_PROXY", "hosts that are reached without a proxy"),
    (
        "HOME",
        "the home folder, where the defaults of the folders begin",
    ),
    (
        "XDG_CONFIG_HOME",
        "the folder of certificates and podman's credentials",
    ),
    ("XDG_CACHE_HOME", "the folder of solvekit's own daemons"),
    (
        "XDG_STATE_HOME",
        "the folder of records of builds, for `explain` (default: `~/.local/state`)",
    ),
    (
        "XDG_RUNTIME_DIR",
        "the folder of sockets and podman's logins",
    ),
    (
        "PATH",
        "where credential helpers, git, ssh and kubectl are found",
    ),
];

/// The names that the sources of the command read.
#[test]
fn every_variable_that_is_read_is_in_the_reference() {
    let sources = [
        include_str!("../environment.rs"),
        include_str!("../commands/bake/files.rs"),
        include_str!("../../trace/collector.rs"),
        include_str!("../../trace/settings.rs"),
    ];
    for source in sources {
        for name in source
            .split('"')
            .skip(1)
            .step_by(2)
            .filter(|text| is_variable(text))
        {
            let is_known = VARIABLES.iter().any(|(known, _)| *known == name);
            assert!(is_known, "{name} is missing in VARIABLES");
        }
    }
}

fn is_variable(text: &str) -> bool {
    text.len() > 3
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}
