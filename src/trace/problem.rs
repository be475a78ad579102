//! Problems with traces.

use crate::client;

/// Why a variable is invalid. Values that may contain a credential are not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingProblem {
    /// The exporter is not supported.
    #[error("OTEL_TRACES_EXPORTER is {value:?}; otlp and none are supported")]
    Exporter {
        /// The value.
        value: String,
    },
    /// The sampler is not supported.
    #[error(
        "OTEL_TRACES_SAMPLER is {value:?}; always_on, always_off, traceidratio and these with \
         parentbased_ before them are supported"
    )]
    Sampler {
        /// The value.
        value: String,
    },
    /// The ratio of the sampler is not a number from 0 to 1.
    #[error("OTEL_TRACES_SAMPLER_ARG is {value:?}; it is a number from 0 to 1")]
    SamplerArgument {
        /// The value.
        value: String,
    },
    /// The protocol is not supported.
    #[error("{variable} is {value:?}; grpc and http/protobuf are supported")]
    Protocol {
        /// The variable.
        variable: &'static str,
        /// The value.
        value: String,
    },
    /// The compression is not supported.
    #[error("{variable} is {value:?}; gzip and none are supported")]
    Compression {
        /// The variable.
        variable: &'static str,
        /// The value.
        value: String,
    },
    /// The endpoint is malformed.
    #[error("{variable} is not an address such as http://HOST:4317 or unix:///PATH")]
    Endpoint {
        /// The variable.
        variable: &'static str,
    },
    /// The endpoint has a user name and perhaps a password.
    #[error("{variable} has a user name; OTEL_EXPORTER_OTLP_HEADERS can carry credentials")]
    EndpointWithUser {
        /// The variable.
        variable: &'static str,
    },
    /// The time limit is not a number.
    #[error("{variable} is {value:?}; it is a number of milliseconds")]
    Timeout {
        /// The variable.
        variable: &'static str,
        /// The value.
        value: String,
    },
    /// The list has an entry that is not a pair, or that is not percent-encoded.
    #[error("entry {number} of {variable} is not NAME=VALUE with percent-encoded values")]
    Pair {
        /// The variable.
        variable: &'static str,
        /// The position of the entry, from 1.
        number: usize,
    },
    /// A header cannot be sent.
    #[error("{variable}: {source}")]
    Header {
        /// The variable.
        variable: &'static str,
        /// The problem with the header.
        source: client::EngineHeaderProblem,
    },
    /// The parent is malformed.
    #[error("TRACEPARENT is {value:?}; it is 00-TRACE-SPAN-FLAGS in hexadecimal digits")]
    Parent {
        /// The value.
        value: String,
    },
}

/// Why spans did not reach a collector.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportProblem {
    /// The certificates cannot be used.
    #[error(transparent)]
    Tls(Box<client::Error>),
    /// There is no connection.
    #[error(transparent)]
    Connect(Box<client::ConnectProblem>),
    /// The connection broke, or the server does not speak the protocol.
    #[error("the connection broke")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The collector did not answer in time.
    #[error("no answer within {seconds} seconds")]
    TimedOut {
        /// The time limit.
        seconds: f64,
    },
    /// The collector answered with an error.
    #[error("it answered {status}{}", after_colon(.message))]
    Refused {
        /// The HTTP or gRPC status.
        status: String,
        /// The collector's message; may be empty.
        message: String,
    },
    /// The collector rejected some spans.
    #[error("it rejected {spans} spans{}", after_colon(.message))]
    Rejected {
        /// The number of rejected spans.
        spans: i64,
        /// The collector's message; may be empty.
        message: String,
    },
    /// There were more spans than the limit.
    #[error("{spans} spans were dropped, because a trace has {limit} at most")]
    Dropped {
        /// The number of dropped spans.
        spans: usize,
        /// The limit.
        limit: usize,
    },
    /// The system has no random numbers.
    #[error("there are no random numbers for ids")]
    Random,
}

fn after_colon(message: &str) -> String {
    match message.trim() {
        "" => String::new(),
        message => format!(": {message}"),
    }
}
