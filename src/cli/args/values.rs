//! Parsers of flag values: each returns the library's type, or an error that quotes the text.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use solvekit::pipeline::{HostAddress, Ulimit};

/// The special value for the address by which containers reach the engine's machine.
const HOST_GATEWAY: &str = "host-gateway";

/// Parses `key=value`; without `=` the value is `None`. The key must not be empty.
pub(crate) fn key_value(text: &str) -> Result<(String, Option<String>), String> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, Some(value.to_owned())),
        None => (text, None),
    };
    if key.is_empty() {
        return Err(format!("{text:?} has no key before the '='"));
    }
    Ok((key.to_owned(), value))
}

/// Parses `true` or `false`, in the forms of Go's flags.
pub(crate) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

/// The pairs of `--build-arg`: a pair without a value takes it from the environment, and is dropped
/// if it is not set there.
pub(crate) fn build_args(pairs: Vec<(String, Option<String>)>) -> BTreeMap<String, String> {
    pairs
        .into_iter()
        .filter_map(|(key, value)| {
            let value = value.or_else(|| std::env::var(&key).ok())?;
            Some((key, value))
        })
        .collect()
}

/// The pairs of `--label`: a pair without a value has an empty one.
pub(crate) fn labels(pairs: Vec<(String, Option<String>)>) -> BTreeMap<String, String> {
    pairs
        .into_iter()
        .map(|(key, value)| (key, value.unwrap_or_default()))
        .collect()
}

/// Parses `host:ip` or `host=ip`. An IPv6 address may be in brackets, and `host-gateway` is the
/// address of the engine's machine.
pub(crate) fn extra_host(text: &str) -> Result<(String, HostAddress), String> {
    let (host, address) = text
        .split_once('=')
        .or_else(|| text.split_once(':'))
        .filter(|(host, address)| !host.is_empty() && !address.is_empty())
        .ok_or_else(|| format!("{text:?} is not host:ip, for example db:10.0.0.7"))?;
    if address == HOST_GATEWAY {
        return Ok((host.to_owned(), HostAddress::Gateway));
    }
    let address = address
        .strip_prefix('[')
        .and_then(|address| address.strip_suffix(']'))
        .unwrap_or(address);
    let parsed = address.parse();
    let address =
        parsed.map_err(|_| format!("{address:?} is not an IP address, for example 10.0.0.7"))?;
    Ok((host.to_owned(), HostAddress::Ip(address)))
}

/// A parser of whole numbers within limits. Its errors say the limits, and the example.
pub(crate) fn number<T: TryFrom<u64> + Clone + Send + Sync + 'static>(
    limits: RangeInclusive<u64>,
    example: u64,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number = text.parse().ok().filter(|number| limits.contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| {
            let (least, most) = (limits.start(), limits.end());
            format!("{text:?} is not a whole number from {least} to {most}, for example {example}")
        })
    }
}

/// Parses a number that may have decimals.
pub(crate) fn decimal(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| format!("{text:?} is not a number, for example 512 or 1024.5"))
}

/// Parses file permissions.
pub(crate) fn octal(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok();
    let mode = mode.filter(|mode| *mode <= 0o7777);
    mode.ok_or_else(|| format!("{text:?} is not a mode in octal, for example 0755"))
}

/// Parses a size in bytes with an optional unit: `64m`, `1g`, `1.5GiB`, `4096`.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    solvekit::pipeline::parse_bytes(text)
        .ok_or_else(|| format!("{text:?} is not a size, for example 64m or 1g"))
}

/// Parses `name=soft[:hard]`; the default of the hard limit is the soft limit.
pub(crate) fn ulimit(text: &str) -> Result<Ulimit, String> {
    Ulimit::parse(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_docker_s_units() {
        assert_eq!(bytes("64m"), Ok(64 << 20));
        assert_eq!(bytes("1.5 GiB"), Ok(3 << 29));
        assert_eq!(bytes("4096"), Ok(4096));
        for text in ["", "m", "-1", "1x", "1e400", "nan"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_have_limits_and_an_example() {
        let count = number::<u16>(1..=64, 4);
        assert_eq!((count("1"), count("64")), (Ok(1), Ok(64)));
        for wrong in ["", "0", "65", "-1", "1.5", "x", "99999999999999999999"] {
            assert_eq!(
                count(wrong),
                Err(format!(
                    "{wrong:?} is not a whole number from 1 to 64, for example 4"
                ))
            );
        }
        assert_eq!(octal("0755"), Ok(0o755));
        for wrong in ["", "8", "u=rwx", "77777"] {
            assert!(
                octal(wrong).unwrap_err().ends_with("for example 0755"),
                "{wrong}"
            );
        }
        assert_eq!(decimal("1.5"), Ok(1.5));
        for wrong in ["", "x", "nan", "inf"] {
            assert!(
                decimal(wrong).unwrap_err().contains("is not a number"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_pair_without_a_key_is_refused() {
        assert!(key_value("=x").unwrap_err().contains("\"=x\""));
        assert_eq!(key_value("a=b=c"), Ok(("a".into(), Some("b=c".into()))));
        assert_eq!(key_value("a"), Ok(("a".into(), None)));
    }

    #[test]
    fn hosts_take_colon_or_equals_and_ipv6() {
        let ip = |text: &str| Ok(("db".to_owned(), HostAddress::Ip(text.parse().unwrap())));
        assert_eq!(extra_host("db:10.0.0.7"), ip("10.0.0.7"));
        assert_eq!(extra_host("db=[::1]"), ip("::1"));
        assert_eq!(extra_host("db:::1"), ip("::1"));
        let gateway = Ok(("db".to_owned(), HostAddress::Gateway));
        assert_eq!(extra_host("db:host-gateway"), gateway);
        assert!(extra_host("db").is_err());
        assert!(extra_host("db:nowhere").is_err());
    }

    #[test]
    fn ulimits_are_checked() {
        assert_eq!(ulimit("nofile=1024:2048").unwrap().hard, 2048);
        assert_eq!(ulimit("nofile=1024").unwrap().hard, 1024);
        assert!(ulimit("nofile=3:2").is_err());
        assert!(ulimit("files=3").unwrap_err().contains("nofile"));
        assert!(ulimit("nofile=x").is_err());
    }
}
