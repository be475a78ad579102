//! EXPOSE.

use std::net::IpAddr;

use super::super::error::Error;
use super::super::reason::Reason;
use super::super::stage::Layer;
use super::Step;
use super::go_format;
use crate::dockerfile::ExposeInstruction;
use crate::oci::Empty;

/// Adds ports to the config. A word may become several by its variables.
pub(super) fn dispatch(
    step: &mut Step<'_, '_, '_>,
    expose: &ExposeInstruction,
) -> Result<(), Error> {
    let mut exposed = Vec::new();
    for port in &expose.ports {
        for word in step
            .scope
            .lexer
            .expand_words(port, step.stage.state.env())?
        {
            let spec = PortSpec::parse(&word).map_err(|problem| Reason::Port {
                port: word.clone(),
                problem,
            })?;
            if spec.protocol.chars().any(char::is_uppercase) {
                step.lint(|linter, instruction| linter.expose_protocol_case(instruction, &word));
            }
            if spec.has_host_part {
                step.lint(|linter, instruction| linter.expose_format(instruction, &word));
            }
            step.stages.grow(16 * spec.count())?;
            exposed.extend(spec.ports());
        }
    }
    let text = format!("EXPOSE {}", go_format::list(&exposed));
    step.stage
        .image_mut()
        .config
        .exposed_ports
        .extend(exposed.into_iter().map(|port| (port, Empty {})));
    step.commit(text, Layer::None);
    Ok(())
}

/// `[[address:]host port:]port[-port][/protocol]`
#[derive(Debug, PartialEq, Eq)]
struct PortSpec<'a> {
    protocol: &'a str,
    first: u16,
    last: u16,
    /// It says something about the host, which an image cannot.
    has_host_part: bool,
}

impl<'a> PortSpec<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        let (address, host, container) = split(text);
        let (port, protocol) = container.split_once('/').unwrap_or((container, ""));
        if port.is_empty() {
            return Err("there is no port number".to_owned());
        }
        let protocol = if protocol.is_empty() { "tcp" } else { protocol };
        if !["tcp", "udp", "sctp"].contains(&protocol.to_lowercase().as_str()) {
            return Err(format!("the protocol {protocol:?} is not tcp, udp or sctp"));
        }
        check_address(&address)?;
        let (first, last) = range(port)?;
        if !host.is_empty() {
            let (host_first, host_last) = range(host)?;
            if last - first != host_last - host_first && last != first {
                return Err(format!(
                    "the ranges {port} and {host} have different lengths"
                ));
            }
        }
        Ok(Self {
            protocol,
            first,
            last,
            has_host_part: !address.is_empty() || !host.is_empty(),
        })
    }

    fn count(&self) -> usize {
        usize::from(self.last.saturating_sub(self.first)) + 1
    }

    fn ports(&self) -> impl Iterator<Item = String> {
        (self.first..=self.last).map(|port| format!("{port}/{}", self.protocol.to_lowercase()))
    }
}

/// Address, host port, container port: what stands between colons, from the end.
fn split(text: &str) -> (String, &str, &str) {
    let mut parts: Vec<&str> = text.split(':').collect();
    let container = parts.pop().unwrap_or_default();
    let host = parts.pop().unwrap_or_default();
    (parts.join(":"), host, container)
}

fn check_address(address: &str) -> Result<(), String> {
    let inside = address
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let address = if address.starts_with('[') {
        inside.unwrap_or("[")
    } else {
        address
    };
    match address.is_empty() || address.parse::<IpAddr>().is_ok() {
        true => Ok(()),
        false => Err(format!("{address:?} is not an IP address")),
    }
}

fn range(text: &str) -> Result<(u16, u16), String> {
    let number = |text: &str| {
        text.parse::<u16>()
            .map_err(|_| format!("{text:?} is not a number from 0 to 65535"))
    };
    let (first, last) = match text.split_once('-') {
        None => (text, text),
        Some(range) => range,
    };
    let (first, last) = (number(first)?, number(last)?);
    if last < first {
        return Err(format!("the range {text} ends before it begins"));
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_numbers_and_ranges() {
        let ports = |text: &str| PortSpec::parse(text).unwrap().ports().collect::<Vec<_>>();
        assert_eq!(ports("80"), ["80/tcp"]);
        assert_eq!(ports("80-82/UDP"), ["80/udp", "81/udp", "82/udp"]);
        assert_eq!(ports("127.0.0.1:8080:80/sctp"), ["80/sctp"]);
        assert_eq!(ports("[::1]:8080:80"), ["80/tcp"]);
        assert!(PortSpec::parse("8080:80").unwrap().has_host_part);
        for wrong in [
            "",
            "/tcp",
            "80/foo",
            "70000",
            "90-80",
            "-80",
            "x",
            "1-2:3-5",
            "a.b:1:2",
            "[::1:1:2",
            "80/tcp/udp",
        ] {
            assert!(PortSpec::parse(wrong).is_err(), "{wrong}");
        }
    }
}
