//! The short form of a port: `[ip:][published:]target[/protocol]`. Bake only validates it.

use std::net::IpAddr;

/// The reason a port is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PortError {
    #[error("{0:?} has no port")]
    NoPort(String),
    #[error("the protocol {0:?} is unknown: expected tcp, udp or sctp")]
    Protocol(String),
    #[error("{0:?} is not an IP address")]
    Address(String),
    #[error("{0:?} is not a port or a range of ports, such as 80 or 8000-8010")]
    Target(String),
    #[error("{0:?} is not a port or a range of ports, such as 80 or 8000-8010")]
    Published(String),
    #[error("the ranges {target} and {published} differ in length")]
    DifferentLength { target: String, published: String },
}

impl PortError {
    /// Returns the reference's words.
    pub(super) fn in_reference(&self) -> String {
        match self {
            PortError::NoPort(text) => format!("no port specified: {text}<empty>"),
            PortError::Protocol(name) => format!("invalid proto: {}", name.to_lowercase()),
            PortError::Address(text) => {
                let bare = text.trim_start_matches('[').trim_end_matches(']');
                format!("invalid IP address: {bare}")
            }
            PortError::Target(text) => format!("invalid containerPort: {text}"),
            PortError::Published(text) => format!("invalid hostPort: {text}"),
            PortError::DifferentLength { target, published } => format!(
                "invalid ranges specified for container and host Ports: {target} and {published}"
            ),
        }
    }
}

/// Checks the short form of a port.
pub(super) fn check(text: &str) -> Result<(), PortError> {
    let (front, container) = text.rsplit_once(':').unwrap_or(("", text));
    let (address, published) = front.rsplit_once(':').unwrap_or(("", front));
    let (target, protocol) = container.split_once('/').unwrap_or((container, ""));
    if target.is_empty() {
        return Err(PortError::NoPort(text.to_owned()));
    }
    if !["", "tcp", "udp", "sctp"].contains(&protocol.to_lowercase().as_str()) {
        return Err(PortError::Protocol(protocol.to_owned()));
    }
    let bare = address
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'));
    let bare = bare.unwrap_or(address);
    if !bare.is_empty() && bare.parse::<IpAddr>().is_err() {
        return Err(PortError::Address(address.to_owned()));
    }
    let (start, end) = range(target).ok_or_else(|| PortError::Target(target.to_owned()))?;
    if published.is_empty() {
        return Ok(());
    }
    let (from, to) = range(published).ok_or_else(|| PortError::Published(published.to_owned()))?;
    if start != end && end - start != to - from {
        let (target, published) = (target.to_owned(), published.to_owned());
        return Err(PortError::DifferentLength { target, published });
    }
    Ok(())
}

fn range(text: &str) -> Option<(u16, u16)> {
    let number = |text: &str| text.parse::<u16>().ok();
    match text.split_once('-') {
        None => number(text).map(|port| (port, port)),
        Some((start, end)) => {
            let (start, end) = (number(start)?, number(end)?);
            (start <= end).then_some((start, end))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_forms_are_accepted() {
        for text in [
            "80",
            "8080:80",
            "127.0.0.1:8080:80/udp",
            "[::1]:8080:80",
            "::1:8080:80",
            "8000-9000:80",
            "3000-3001:4000-4001",
            ":80",
            "127.0.0.1::80",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(check("bad:port:80"), Err(PortError::Address("bad".into())));
        assert_eq!(check("80:"), Err(PortError::NoPort("80:".into())));
        assert_eq!(check("80/x"), Err(PortError::Protocol("x".into())));
        assert_eq!(check("70000"), Err(PortError::Target("70000".into())));
        assert_eq!(check("2-1"), Err(PortError::Target("2-1".into())));
        assert!(matches!(
            check("1-3:1-2"),
            Err(PortError::DifferentLength { .. })
        ));
    }
}
