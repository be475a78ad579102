//! The address of a collector in `OTEL_EXPORTER_OTLP_ENDPOINT` and
//! `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`.

use std::path::PathBuf;

use http::Uri;

use super::SettingProblem;
use super::variables::{Names, Set};
use crate::client::Endpoint;

pub(super) const ENDPOINT: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];
const GRPC_PORT: u16 = 4317;
const HTTP_PORT: u16 = 4318;
pub(super) const GRPC_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
pub(super) const HTTP_PATH: &str = "/v1/traces";

/// The protocol of the requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Grpc,
    Http,
}

impl Protocol {
    fn default_port(self) -> u16 {
        match self {
            Self::Grpc => GRPC_PORT,
            Self::Http => HTTP_PORT,
        }
    }

    fn default_path(self) -> &'static str {
        match self {
            Self::Grpc => GRPC_PATH,
            Self::Http => HTTP_PATH,
        }
    }
}

/// The parts of an endpoint's URL.
pub(super) struct Place {
    pub(super) endpoint: Endpoint,
    pub(super) has_tls: bool,
    pub(super) authority: String,
    pub(super) path: String,
}

impl Place {
    pub(super) fn find(
        set: Option<Set>,
        protocol: Protocol,
        is_insecure: bool,
    ) -> Result<Self, SettingProblem> {
        let set = set.unwrap_or_else(|| Set {
            variable: ENDPOINT[1],
            value: format!("http://localhost:{}", protocol.default_port()),
        });
        match set.value.strip_prefix("unix:") {
            Some(path) => Self::of_socket(path, set.variable, protocol),
            None => Self::of_url(&set, protocol, is_insecure),
        }
    }

    /// Go's gRPC supports `unix:PATH` besides `unix://PATH`.
    fn of_socket(
        path: &str,
        variable: &'static str,
        protocol: Protocol,
    ) -> Result<Self, SettingProblem> {
        let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
        match path.is_absolute() {
            true => Ok(Self {
                endpoint: Endpoint::Unix(path),
                has_tls: false,
                authority: "localhost".to_owned(),
                path: protocol.default_path().to_owned(),
            }),
            false => Err(SettingProblem::Endpoint { variable }),
        }
    }

    fn of_url(set: &Set, protocol: Protocol, is_insecure: bool) -> Result<Self, SettingProblem> {
        let malformed = || SettingProblem::Endpoint {
            variable: set.variable,
        };
        let url = match set.value.contains("://") {
            true => set.value.clone(),
            false if is_insecure => format!("http://{}", set.value),
            false => format!("https://{}", set.value),
        };
        let url: Uri = url.parse().map_err(|_| malformed())?;
        let authority = url.authority().ok_or_else(malformed)?;
        if authority.as_str().contains('@') {
            return Err(SettingProblem::EndpointWithUser {
                variable: set.variable,
            });
        }
        let (has_tls, default_port) = match url.scheme_str() {
            Some("http") => (false, 80),
            Some("https") => (true, 443),
            _ => return Err(malformed()),
        };
        let host = authority.host();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(malformed());
        }
        Ok(Self {
            endpoint: Endpoint::Tcp {
                host: host.to_owned(),
                port: authority.port_u16().unwrap_or(default_port),
            },
            has_tls,
            authority: authority.to_string(),
            path: path(&url, protocol, set.variable == ENDPOINT[0]),
        })
    }
}

/// The path of requests: an endpoint for traces alone is used as it is, one for all signals gets
/// the path of traces.
fn path(url: &Uri, protocol: Protocol, is_for_traces: bool) -> String {
    match (protocol, is_for_traces) {
        (Protocol::Grpc, _) => GRPC_PATH.to_owned(),
        (Protocol::Http, true) => url
            .path_and_query()
            .map_or("/", |it| it.as_str())
            .to_owned(),
        (Protocol::Http, false) => format!("{}{HTTP_PATH}", url.path().trim_end_matches('/')),
    }
}
