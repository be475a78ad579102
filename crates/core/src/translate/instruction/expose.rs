//! EXPOSE.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::super::error::Error;
use super::super::problem::PortProblem;
use super::super::reason::Reason;
use super::super::stage::Layer;
use super::Step;
use super::go_format;
use crate::dockerfile::ExposeInstruction;
use crate::oci::Empty;

/// Adds ports to the config. Variables can expand to several ports; all words are expanded before
/// the first is parsed.
pub(super) fn dispatch(
    step: &mut Step<'_, '_, '_>,
    expose: &ExposeInstruction,
) -> Result<(), Error> {
    let mut words = Vec::with_capacity(expose.ports.len());
    for port in &expose.ports {
        let env = step.stage.state.env();
        words.extend(step.scope.lexer.expand_words(port, env)?);
    }
    let mut exposed = Vec::new();
    for word in &words {
        let refused = |problem| Reason::Port {
            port: word.clone(),
            problem,
        };
        let spec = PortSpec::parse(word).map_err(refused)?;
        if spec.protocol.chars().any(char::is_uppercase) {
            step.lint(|linter, instruction| linter.expose_protocol_case(instruction, word));
        }
        if spec.has_host_part() {
            step.lint(|linter, instruction| linter.expose_format(instruction, word));
        }
        let ports = spec.ports().map_err(refused)?;
        step.stages.grow(16 * ports.clone().count())?;
        let protocol = spec.protocol.to_lowercase();
        exposed.extend(ports.map(|port| format!("{port}/{protocol}")));
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

/// `[[address:]host port:]port[-port][/protocol]`, split; only the protocol is validated.
#[derive(Debug, PartialEq, Eq)]
struct PortSpec<'a> {
    address: String,
    host: &'a str,
    container: &'a str,
    protocol: &'a str,
}

impl<'a> PortSpec<'a> {
    fn parse(text: &'a str) -> Result<Self, PortProblem> {
        let (address, host, container) = split(text);
        let (container, protocol) = container.split_once('/').unwrap_or((container, ""));
        if container.is_empty() {
            return Err(PortProblem::NoPort);
        }
        let protocol = if protocol.is_empty() { "tcp" } else { protocol };
        if !["tcp", "udp", "sctp"].contains(&protocol.to_lowercase().as_str()) {
            let protocol = protocol.to_owned();
            return Err(PortProblem::Protocol { protocol });
        }
        Ok(Self {
            address,
            host,
            container,
            protocol,
        })
    }

    /// True if it names an address or a port of the host, which an image cannot set.
    fn has_host_part(&self) -> bool {
        !self.address.is_empty() || !self.host.is_empty()
    }

    /// Returns the container's ports after validating the other parts.
    fn ports(&self) -> Result<RangeInclusive<u32>, PortProblem> {
        check_address(&self.address)?;
        let (first, last) = range(self.container)?;
        if !self.host.is_empty() {
            let (host_first, host_last) = range(self.host)?;
            if last - first != host_last - host_first && last != first {
                return Err(PortProblem::Lengths {
                    container: self.container.to_owned(),
                    host: self.host.to_owned(),
                });
            }
        }
        Ok(u32::from(first)..=u32::from(last))
    }
}

/// Splits into address, host port and container port, starting at the last colon.
fn split(text: &str) -> (String, &str, &str) {
    let mut parts: Vec<&str> = text.split(':').collect();
    let container = parts.pop().unwrap_or_default();
    let host = parts.pop().unwrap_or_default();
    (parts.join(":"), host, container)
}

fn check_address(address: &str) -> Result<(), PortProblem> {
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
        false => Err(PortProblem::Address {
            address: address.to_owned(),
        }),
    }
}

fn range(text: &str) -> Result<(u16, u16), PortProblem> {
    let number = |text: &str| {
        text.parse::<u16>().map_err(|_| PortProblem::Number {
            text: text.to_owned(),
        })
    };
    let (first, last) = match text.split_once('-') {
        None => (text, text),
        Some(range) => range,
    };
    let (first, last) = (number(first)?, number(last)?);
    if last < first {
        return Err(PortProblem::Reversed {
            range: text.to_owned(),
        });
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(text: &str) -> Result<Vec<u32>, PortProblem> {
        PortSpec::parse(text)?.ports().map(Iterator::collect)
    }

    #[test]
    fn ports_are_numbers_and_ranges() {
        assert_eq!(ports("80"), Ok(vec![80]));
        assert_eq!(ports("80-82/UDP"), Ok(vec![80, 81, 82]));
        assert_eq!(ports("127.0.0.1:8080:80/sctp"), Ok(vec![80]));
        assert_eq!(ports("[::1]:8080:80"), Ok(vec![80]));
        assert!(PortSpec::parse("8080:80").unwrap().has_host_part());
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
            assert!(ports(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_protocol_is_looked_at_before_addresses_and_ranges() {
        let spec = PortSpec::parse("a.b:x:y/UDP").unwrap();
        assert_eq!((spec.protocol, spec.has_host_part()), ("UDP", true));
        assert!(spec.ports().is_err());
    }
}
