//! Entitlements: privileges of a build that are off by default.

use std::fmt;
use std::str::FromStr;

use super::value::ValueError;
use crate::pipeline::Error;
use crate::text::csv_fields;

/// A privilege that both the user and the daemon have to allow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entitlement {
    /// `RUN --network=host`.
    NetworkHost,
    /// `RUN --security=insecure`.
    SecurityInsecure,
    /// `RUN --device`: any device, or the named one; `NAME,alias=ALIAS` lets the Dockerfile call it
    /// `ALIAS`.
    Device(Option<String>),
    /// An output folder may lose files (`type=local,mode=delete`). Not sent to the daemon.
    LocalDelete,
}

/// The names of the entitlements.
const KNOWN: [&str; 4] = [
    "network.host",
    "security.insecure",
    "device",
    "buildx.local.delete",
];

impl Entitlement {
    /// True if the daemon has to allow it too.
    pub(super) fn is_of_daemon(&self) -> bool {
        *self != Self::LocalDelete
    }
}

impl fmt::Display for Entitlement {
    /// The syntax of the daemon.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NetworkHost => f.write_str(KNOWN[0]),
            Self::SecurityInsecure => f.write_str(KNOWN[1]),
            Self::Device(None) => f.write_str(KNOWN[2]),
            Self::Device(Some(device)) => write!(f, "{}={device}", KNOWN[2]),
            Self::LocalDelete => f.write_str(KNOWN[3]),
        }
    }
}

impl FromStr for Entitlement {
    type Err = Error;

    /// Parses `network.host`, `security.insecure`, `device`, `device=NAME[,alias=ALIAS]` or
    /// `buildx.local.delete`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = |source| Error::Entitlement {
            input: text.to_owned(),
            source: Box::new(source),
        };
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let entitlement = match (name, value) {
            ("network.host", None) => Self::NetworkHost,
            ("security.insecure", None) => Self::SecurityInsecure,
            ("buildx.local.delete", None) => Self::LocalDelete,
            ("device", None | Some("")) => Self::Device(None),
            ("device", Some(device)) => {
                check_device(device).map_err(invalid)?;
                Self::Device(Some(device.to_owned()))
            }
            ("fs" | "fs.read" | "fs.write", _) => {
                return Err(invalid(ValueError::NeedsNoLeave));
            }
            (name, Some(_)) if KNOWN.contains(&name) => {
                let name = name.to_owned();
                return Err(invalid(ValueError::TakesNoValue { name }));
            }
            (name, _) => {
                return Err(invalid(ValueError::unknown("entitlement", name, &KNOWN)));
            }
        };
        Ok(entitlement)
    }
}

fn check_device(device: &str) -> Result<(), ValueError> {
    let fields = csv_fields(device)?;
    if fields.first().is_none_or(String::is_empty) {
        return Err(ValueError::Missing {
            key: "device",
            why: "the device has no name".to_owned(),
        });
    }
    for field in fields.iter().skip(1) {
        match field.split_once('=') {
            Some(("alias", alias)) if !alias.is_empty() => {}
            _ => {
                return Err(ValueError::form(
                    field,
                    "alias=NAME, which alone may follow a device",
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entitlements_are_sent_to_the_daemon_as_given() {
        for text in [
            "network.host",
            "security.insecure",
            "device",
            "device=vendor.example/gpu=all",
            "device=vendor.example/gpu=all,alias=gpu",
        ] {
            let entitlement: Entitlement = text.parse().unwrap();
            assert_eq!(entitlement.to_string(), text);
            assert!(entitlement.is_of_daemon());
        }
        let delete: Entitlement = "buildx.local.delete".parse().unwrap();
        assert!(!delete.is_of_daemon());
    }

    #[test]
    fn mistakes_name_what_there_is() {
        for (text, part) in [
            (
                "network-host",
                "did you mean \"network.host\"? the entitlements are network.host, security",
            ),
            ("", "there is no entitlement \"\""),
            ("network.host=1", "takes no value"),
            ("buildx.local.delete=x", "takes no value"),
            ("fs.read=/", "needs no leave"),
            ("device=,alias=x", "no name"),
            ("device=a,b", "not alias=NAME"),
            ("device=a,alias=", "not alias=NAME"),
        ] {
            let error = text.parse::<Entitlement>().unwrap_err();
            let error = crate::causes::in_one_line(&error);
            assert!(error.contains(part), "{text}: {error}");
            assert!(error.contains("invalid entitlement"), "{error}");
        }
    }
}
