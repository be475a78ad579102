//! Classifies the daemon's messages about failed pushes. Registry and network errors have no types
//! there, so their text is matched, and only in this module.

use super::{Code, Error, Failure};
use crate::registry::FailureKind;

/// HTTP statuses and network errors after which a retry may succeed. In lower case.
const TRANSIENT: [&str; 24] = [
    "408 request timeout",
    "429 too many requests",
    "toomanyrequests",
    "http 408 response",
    "http 429 response",
    "500 internal server error",
    "502 bad gateway",
    "503 service unavailable",
    "504 gateway timeout",
    "connection reset by peer",
    "broken pipe",
    "connection timed out",
    "i/o timeout",
    "tls handshake timeout",
    "timeout awaiting response headers",
    "client.timeout exceeded",
    "unexpected eof",
    ": eof",
    "use of closed network connection",
    "server closed idle connection",
    "server sent goaway",
    "client connection lost",
    "connection force closed",
    "temporary failure in name resolution",
];

/// Nothing answers at the address.
const UNREACHABLE: [&str; 4] = [
    "connection refused",
    "no such host",
    "no route to host",
    "network is unreachable",
];

/// The registry needs other credentials.
const DENIED: [&str; 8] = [
    "401 unauthorized",
    "403 forbidden",
    "insufficient_scope",
    "authorization failed",
    "access denied",
    "no basic auth credentials",
    "denied: ",
    "authentication required",
];

/// The content does not match its digest or size, according to the registry or the daemon.
const BROKEN: [&str; 8] = [
    "digest_invalid",
    "size_invalid",
    "manifest_invalid",
    "manifest_blob_unknown",
    "manifest_unverified",
    "blob_upload_invalid",
    "unexpected commit digest",
    "failed size validation",
];

impl Failure {
    /// The kind of the failure, if it happened during a push or another request to a registry.
    pub fn registry_failure(&self) -> Option<FailureKind> {
        let is_final = matches!(self.code, Code::Canceled | Code::InvalidArgument);
        of_text(&self.message).filter(|_| !is_final)
    }
}

impl Error {
    /// The kind of the registry's failure, if the daemon reports one.
    pub fn registry_failure(&self) -> Option<FailureKind> {
        match self {
            Self::Engine { message, .. } => of_text(message),
            error => error.failure().and_then(Failure::registry_failure),
        }
    }
}

fn of_text(message: &str) -> Option<FailureKind> {
    let message = message.to_ascii_lowercase();
    let says = |signs: &[&str]| signs.iter().any(|sign| message.contains(sign));
    // A denial may quote the status of another request, so denials are checked first.
    let kinds: [(&[&str], FailureKind); 4] = [
        (&DENIED, FailureKind::Denied),
        (&TRANSIENT, FailureKind::Transient),
        (&UNREACHABLE, FailureKind::Unreachable),
        (&BROKEN, FailureKind::Broken),
    ];
    let kind = kinds.iter().find(|(signs, _)| says(signs));
    let ends = message.ends_with(" eof") || message == "eof";
    kind.map(|(_, kind)| *kind)
        .or_else(|| ends.then_some(FailureKind::Transient))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_daemons_are_sorted() {
        use FailureKind::{Broken, Denied, Transient, Unreachable};
        let cases = [
            (
                "unexpected status from PUT request to https://r/v2/x: 503 Service Unavailable",
                Transient,
            ),
            (
                "unexpected status from HEAD request to http://r/x: 429 Too Many Requests",
                Transient,
            ),
            (
                "Put \"https://r/x\": read tcp 1:2: read: connection reset by peer",
                Transient,
            ),
            (
                "failed to do request: Head \"https://r/x\": net/http: TLS handshake timeout",
                Transient,
            ),
            (
                "failed to push r/x: failed to copy: failed to do request: Put \"http://r/x\": EOF",
                Transient,
            ),
            ("dial tcp 10.0.0.1:443: i/o timeout", Transient),
            (
                "received unexpected HTTP status: 503 Service Unavailable",
                Transient,
            ),
            ("error parsing HTTP 429 response body: EOF: \"\"", Transient),
            (
                "dial tcp 127.0.0.1:1: connect: connection refused",
                Unreachable,
            ),
            ("dial tcp: lookup r.invalid: no such host", Unreachable),
            ("failed to push r/x: 403 Forbidden", Denied),
            (
                "server message: insufficient_scope: authorization failed",
                Denied,
            ),
            (
                "unexpected status: 400 Bad Request: MANIFEST_BLOB_UNKNOWN: blob unknown",
                Broken,
            ),
        ];
        for (text, kind) in cases {
            let failure = Failure::new(Code::Unknown, text);
            assert_eq!(failure.registry_failure(), Some(kind), "{text}");
        }
        for text in ["no space left on device", "400 Bad Request", "not found"] {
            assert_eq!(Failure::new(Code::Unknown, text).registry_failure(), None);
        }
        let cancelled = Failure::new(Code::Canceled, "read: connection reset by peer");
        assert_eq!(cancelled.registry_failure(), None);
    }
}
