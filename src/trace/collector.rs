//! The collector in the variables `OTEL_EXPORTER_OTLP_*`.

use std::path::PathBuf;
use std::time::Duration;

use http::HeaderMap;

use super::SettingProblem;
use super::endpoint::{ENDPOINT, Place, Protocol};
use super::variables::{Names, Set, first, pairs};
use crate::client::{Endpoint, EngineHeaders, TlsOptions};

/// The default time limit for a collector. The specification has ten seconds, which is too long for
/// a command that is otherwise done.
const PATIENCE: Duration = Duration::from_secs(2);

/// The destination of the spans.
#[derive(Debug, Clone)]
pub(super) struct Collector {
    pub(super) protocol: Protocol,
    pub(super) endpoint: Endpoint,
    /// `None` means a plain connection.
    pub(super) tls: Option<TlsOptions>,
    pub(super) authority: String,
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) timeout: Duration,
    pub(super) is_gzip: bool,
}

const PROTOCOL: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
];
const HEADERS: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
    "OTEL_EXPORTER_OTLP_HEADERS",
];
const TIMEOUT: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
];
const COMPRESSION: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
    "OTEL_EXPORTER_OTLP_COMPRESSION",
];
const INSECURE: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_INSECURE",
    "OTEL_EXPORTER_OTLP_INSECURE",
];
const CERTIFICATE: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
];
const CLIENT_CERTIFICATE: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
];
const CLIENT_KEY: Names = [
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
];

impl Collector {
    /// True if the variables set a collector.
    pub(super) fn is_named(variable: &impl Fn(&str) -> Option<String>) -> bool {
        first(variable, ENDPOINT).is_some()
    }

    pub(super) fn from_variables(
        variable: &impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SettingProblem> {
        let first = |names| first(variable, names);
        let protocol = match first(PROTOCOL) {
            // BuildKit's default; the specification's is http/protobuf.
            None => Protocol::Grpc,
            Some(set) => match set.value.as_str() {
                "grpc" => Protocol::Grpc,
                "http/protobuf" => Protocol::Http,
                _ => {
                    let Set { variable, value } = set;
                    return Err(SettingProblem::Protocol { variable, value });
                }
            },
        };
        let is_insecure = first(INSECURE).is_some_and(|set| set.value.eq_ignore_ascii_case("true"));
        let place = Place::find(first(ENDPOINT), protocol, is_insecure)?;
        let file = |names| first(names).map(|set| PathBuf::from(set.value));
        let tls = place.has_tls.then(|| TlsOptions {
            ca: file(CERTIFICATE),
            cert: file(CLIENT_CERTIFICATE),
            key: file(CLIENT_KEY),
            server_name: None,
        });
        Ok(Self {
            protocol,
            endpoint: place.endpoint,
            tls,
            authority: place.authority,
            path: place.path,
            headers: first(HEADERS).map(headers).transpose()?.unwrap_or_default(),
            timeout: first(TIMEOUT).map(timeout).transpose()?.unwrap_or(PATIENCE),
            is_gzip: first(COMPRESSION).map_or(Ok(false), compression)?,
        })
    }
}

impl Collector {
    /// The endpoint, for messages.
    pub(super) fn url(&self) -> String {
        match &self.endpoint {
            Endpoint::Tcp { .. } if self.tls.is_some() => format!("https://{}", self.authority),
            Endpoint::Tcp { .. } => format!("http://{}", self.authority),
            other => other.to_string(),
        }
    }
}

fn headers(set: Set) -> Result<HeaderMap, SettingProblem> {
    let Set { variable, value } = set;
    let pairs = pairs(variable, &value)?;
    let pairs = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let headers = EngineHeaders::new(pairs);
    let headers = headers.map_err(|source| SettingProblem::Header { variable, source })?;
    let mut map = HeaderMap::new();
    headers.add_to(&mut map);
    Ok(map)
}

fn timeout(set: Set) -> Result<Duration, SettingProblem> {
    let Set { variable, value } = set;
    match value.parse() {
        Ok(milliseconds) => Ok(Duration::from_millis(milliseconds)),
        Err(_) => Err(SettingProblem::Timeout { variable, value }),
    }
}

fn compression(set: Set) -> Result<bool, SettingProblem> {
    let Set { variable, value } = set;
    match value.as_str() {
        "gzip" => Ok(true),
        "none" => Ok(false),
        _ => Err(SettingProblem::Compression { variable, value }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::endpoint::{GRPC_PATH, HTTP_PATH};

    fn collector(variables: &[(&str, &str)]) -> Result<Collector, SettingProblem> {
        Collector::from_variables(&|name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn place(variables: &[(&str, &str)]) -> (String, bool, String) {
        let collector = collector(variables).unwrap();
        let endpoint = collector.endpoint.to_string();
        (endpoint, collector.tls.is_some(), collector.path)
    }

    #[test]
    fn an_endpoint_is_a_url_a_socket_or_a_host_and_port() {
        let [traces, all] = ENDPOINT;
        let [_, protocol] = PROTOCOL;
        let http = (protocol, "http/protobuf");
        for (variables, endpoint, has_tls, path) in [
            (&[][..], "localhost:4317", false, GRPC_PATH),
            (&[http], "localhost:4318", false, HTTP_PATH),
            (&[(all, "https://a/x")], "a:443", true, GRPC_PATH),
            (&[(all, "http://[::1]:1")], "[::1]:1", false, GRPC_PATH),
            (&[(all, "a:4317")], "a:4317", true, GRPC_PATH),
            (
                &[(all, "a:4317"), (INSECURE[1], "True")],
                "a:4317",
                false,
                GRPC_PATH,
            ),
            (&[(all, "unix:///s.sock")], "/s.sock", false, GRPC_PATH),
            (&[(all, "http://a/x/"), http], "a:80", false, "/x/v1/traces"),
            (&[(traces, "http://a"), http], "a:80", false, "/"),
            (
                &[(traces, "http://a/t?k=1"), (all, "http://b"), http],
                "a:80",
                false,
                "/t?k=1",
            ),
        ] {
            let (found, tls, at) = place(variables);
            assert!(found.ends_with(endpoint), "{variables:?}: {found}");
            assert_eq!((tls, at.as_str()), (has_tls, path), "{variables:?}");
        }
    }

    #[test]
    fn the_rest_is_taken_as_the_specification_has_it() {
        let found = collector(&[
            (HEADERS[1], "api-key=a%20b%3D, x = y ,"),
            (TIMEOUT[0], "500"),
            (TIMEOUT[1], "9"),
            (COMPRESSION[1], "gzip"),
            (ENDPOINT[1], "https://a"),
            (CERTIFICATE[1], "/ca.pem"),
        ]);
        let found = found.unwrap();
        assert_eq!(found.headers["api-key"], "a b=");
        assert_eq!(found.headers["x"], "y");
        assert_eq!(found.timeout, Duration::from_millis(500));
        assert!(found.is_gzip);
        assert_eq!(found.tls.unwrap().ca.unwrap(), PathBuf::from("/ca.pem"));
    }

    #[test]
    fn garbage_is_refused_by_name() {
        let [variable, general] = ENDPOINT;
        let value = || "x".to_owned();
        let cases = [
            (
                [(PROTOCOL[1], "x")],
                SettingProblem::Protocol {
                    variable: PROTOCOL[1],
                    value: value(),
                },
            ),
            (
                [(TIMEOUT[1], "x")],
                SettingProblem::Timeout {
                    variable: TIMEOUT[1],
                    value: value(),
                },
            ),
            (
                [(COMPRESSION[1], "x")],
                SettingProblem::Compression {
                    variable: COMPRESSION[1],
                    value: value(),
                },
            ),
            (
                [(HEADERS[1], "a=b,secret")],
                SettingProblem::Pair {
                    variable: HEADERS[1],
                    number: 2,
                },
            ),
            (
                [(HEADERS[1], "a=%zz")],
                SettingProblem::Pair {
                    variable: HEADERS[1],
                    number: 1,
                },
            ),
            (
                [(variable, "ftp://a")],
                SettingProblem::Endpoint { variable },
            ),
            (
                [(variable, "http://")],
                SettingProblem::Endpoint { variable },
            ),
            (
                [(variable, "unix://x")],
                SettingProblem::Endpoint { variable },
            ),
            (
                [(general, "http://me:pass@a")],
                SettingProblem::EndpointWithUser { variable: general },
            ),
        ];
        for (variables, problem) in cases {
            assert_eq!(collector(&variables).unwrap_err(), problem);
        }
    }
}
