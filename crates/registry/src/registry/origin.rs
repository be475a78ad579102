//! The single rule for sending credentials: for redirects, upload locations and token servers.
//!
//! An origin is scheme, host and port. Credentials are sent only to the registry's own origin, and
//! nothing is sent from TLS to plain HTTP.

use http::header::{HeaderMap, LOCATION};
use reqwest::Url;

/// The most redirects that one request follows.
pub(super) const REDIRECTS: usize = 10;

/// True if both are the same scheme, host and port, or the second is the first over TLS.
pub(super) fn is_same_origin(own: &Url, other: &Url) -> bool {
    if own.host_str() != other.host_str() || own.host_str().is_none() {
        return false;
    }
    let same_port = own.port_or_known_default() == other.port_or_known_default();
    match (own.scheme(), other.scheme()) {
        (own, other) if own == other => same_port,
        ("http", "https") => same_port || (own.port().is_none() && other.port().is_none()),
        _ => false,
    }
}

/// True if a redirect changes from TLS to plain HTTP.
pub(super) fn is_downgrade(from: &Url, to: &Url) -> bool {
    from.scheme() == "https" && to.scheme() != "https"
}

/// Returns `HOST[:PORT]`; a scheme's default port is omitted, and user and password are never
/// shown.
pub(super) fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Returns the `Location` of an answer, relative to its address. Only HTTP addresses are accepted.
pub(super) fn location(from: &Url, headers: &HeaderMap) -> Option<Url> {
    let location = headers.get(LOCATION)?.to_str().ok()?;
    let url = from.join(location).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn scheme_host_and_port_make_an_origin() {
        for (own, other, same) in [
            ("https://r.example/v2/", "https://r.example:443/x", true),
            ("https://r.example/v2/", "https://R.example/x", true),
            ("https://r.example/v2/", "http://r.example/x", false),
            ("https://r.example/v2/", "http://r.example:443/x", false),
            ("https://r.example/v2/", "https://r.example:8443/x", false),
            ("https://r.example/v2/", "https://r.example.evil/x", false),
            (
                "https://r.example/",
                "https://r.example@evil.example/",
                false,
            ),
            ("http://r.example/v2/", "https://r.example/x", true),
            ("http://r.example:5000/", "https://r.example:5000/x", true),
            ("http://r.example:5000/", "https://r.example/x", false),
        ] {
            assert_eq!(
                is_same_origin(&url(own), &url(other)),
                same,
                "{own} {other}"
            );
        }
    }

    #[test]
    fn only_tls_to_plain_is_a_downgrade() {
        assert!(is_downgrade(&url("https://a/"), &url("http://a/")));
        assert!(!is_downgrade(&url("http://a/"), &url("http://b/")));
        assert!(!is_downgrade(&url("http://a/"), &url("https://a/")));
    }

    #[test]
    fn hosts_are_shown_without_user_and_password() {
        assert_eq!(host_of(&url("https://u:p@a.example:443/x?y")), "a.example");
        assert_eq!(host_of(&url("http://u:p@a.example:81/")), "a.example:81");
    }
}
