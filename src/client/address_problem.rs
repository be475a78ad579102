//! Mistakes in addresses of a BuildKit.

use solvekit_host::sockets::LOCAL_SCHEME;

/// The mistake in an address, and the correct form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressProblem {
    /// The text has control characters, which no address has.
    #[error("it has control characters")]
    ControlCharacters,
    /// The text has no scheme.
    #[error("the scheme is missing: {suggestion}")]
    NoScheme {
        /// The address that was probably meant, or the common schemes.
        suggestion: String,
    },
    /// The scheme is unknown.
    #[error("unknown scheme {scheme:?}")]
    UnknownScheme {
        /// The scheme.
        scheme: String,
    },
    /// The scheme is that of a web server.
    #[error("write tcp://{authority}, and give TLS options for https")]
    Http {
        /// The text after the scheme.
        authority: String,
    },
    /// The scheme is not one of an engine.
    #[error("a Docker Engine is at {LOCAL_SCHEME}://, tcp:// or ssh://, not {scheme}://")]
    EngineScheme {
        /// The scheme.
        scheme: String,
    },
    /// The address is that of a daemon, but an engine's is needed.
    #[error("it is not the address of a Docker Engine")]
    NotAnEngine,
    /// The path of a socket is relative.
    #[error("a socket needs an absolute path, as in unix:///run/buildkit/buildkitd.sock")]
    RelativePath,
    /// The host and the port cannot be separated.
    #[error("write host:port, an IPv6 address in brackets")]
    HostAndPort,
    /// The host is empty.
    #[error("the host is missing")]
    NoHost,
    /// The port is missing.
    #[error("the port is missing; buildkitd usually has 1234: tcp://{authority}:1234")]
    NoPort {
        /// The host.
        authority: String,
    },
    /// The port is not a number from 1 to 65535.
    #[error("{port:?} is not a port")]
    Port {
        /// The port.
        port: String,
    },
    /// Text after the port.
    #[error("nothing may follow the port")]
    AfterPort,
    /// Text after the path of a socket on another machine.
    #[error("nothing may follow the path of the socket")]
    AfterSocket,
    /// A password in the address.
    #[error("a password cannot be given")]
    Password,
    /// A required part is empty.
    #[error("the {part} is missing")]
    Missing {
        /// The part, such as `container`.
        part: &'static str,
    },
    /// A part contains invalid characters.
    #[error("{text:?} is not a valid {part}")]
    Invalid {
        /// The part, such as `container`.
        part: &'static str,
        /// The text.
        text: String,
    },
    /// The query has an unknown parameter.
    #[error("{name:?} is not a parameter; {}", listed(known))]
    UnknownParameter {
        /// The parameter.
        name: String,
        /// The known parameters.
        known: Vec<String>,
    },
    /// The value of a parameter is malformed.
    #[error("{value:?} is not percent-encoded")]
    NotEncoded {
        /// The value.
        value: String,
    },
}

fn listed(known: &[String]) -> String {
    match known {
        [] => "there are none".to_owned(),
        known => format!("there are {}", known.join(", ")),
    }
}
