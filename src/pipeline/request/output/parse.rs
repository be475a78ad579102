//! Parses outputs, and checks the values that this client reads.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use super::{Destination, Output, OutputKind, is_layout};
use crate::dockerfile::go_bool;
use crate::pipeline::Error;
use crate::pipeline::request::value::ValueError;
use crate::text::csv_fields;

impl FromStr for Output {
    type Err = Error;

    /// Parses `type=…,dest=…,key=value,…` as one CSV record: a field with commas is quoted
    /// (`"name=a,b"`). A single path means `type=local,dest=PATH`, a single `-` a tar archive on
    /// the standard output.
    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = |source| Error::Output {
            input: text.to_owned(),
            source: Box::new(source),
        };
        let fields = csv_fields(text).map_err(|error| invalid(error.into()))?;
        if let ([field], false) = (fields.as_slice(), text.starts_with("type="))
            && field == text
            && !text.is_empty()
        {
            let kind = if text == "-" {
                OutputKind::Tar
            } else {
                OutputKind::Local
            };
            return Ok(Self::to(kind, text));
        }
        let (mut kind, mut destination) = (None, None);
        let mut attributes = BTreeMap::new();
        for field in fields {
            let Some((key, value)) = field.split_once('=') else {
                return Err(invalid(ValueError::form(&field, "key=value")));
            };
            match key.trim().to_ascii_lowercase().as_str() {
                "type" => kind = Some(value.to_owned()),
                "dest" => destination = Some(value.to_owned()),
                "" => return Err(invalid(ValueError::NoKey { field })),
                key => {
                    attributes.insert(key.to_owned(), value.to_owned());
                }
            }
        }
        let name = kind.ok_or_else(|| invalid(missing("type", "for example type=image")))?;
        Self::of(&name, attributes, destination).map_err(invalid)
    }
}

impl Output {
    /// Makes an output from the name of its type, which may be `registry`.
    ///
    /// # Errors
    /// [`Error::Output`] for an unknown type, and for a destination that the type does not support.
    pub fn new(
        name: &str,
        attributes: BTreeMap<String, String>,
        destination: Option<String>,
    ) -> Result<Self, Error> {
        Self::of(name, attributes, destination).map_err(|source| Error::Output {
            input: format!("type={name}"),
            source: Box::new(source),
        })
    }

    fn of(
        name: &str,
        mut attributes: BTreeMap<String, String>,
        destination: Option<String>,
    ) -> Result<Self, ValueError> {
        let found = OutputKind::ALL.iter().find(|(known, _)| *known == name);
        let kind = found.map(|(_, kind)| *kind).ok_or_else(|| {
            let names: Vec<&'static str> = OutputKind::ALL.iter().map(|(name, _)| *name).collect();
            ValueError::unknown("type", name, &names)
        })?;
        if name == "registry" {
            let push = attributes.entry("push".to_owned()).or_default();
            // buildx pushes whatever the value is; an explicit false is respected here.
            if go_bool(push) != Some(false) {
                *push = "true".to_owned();
            }
        }
        check_attributes(kind, &attributes)?;
        let destination = match is_layout(kind, &attributes) {
            true => folder_of(destination),
            false => destination_of(kind, destination),
        };
        let destination = destination?;
        Ok(Self {
            kind,
            attributes,
            destination,
        })
    }
}

fn folder_of(given: Option<String>) -> Result<Option<Destination>, ValueError> {
    match given.as_deref() {
        None | Some("") => Err(missing("dest", "the folder for the image (tar=false)")),
        Some("-") => Err(ValueError::NotToStandardOutput {
            what: "a folder (tar=false)",
            instead: "tar=true",
        }),
        Some(path) => Ok(Some(Destination::Path(PathBuf::from(path)))),
    }
}

/// Archives go to the standard output by default, as in buildx; an image for docker is loaded.
fn destination_of(
    kind: OutputKind,
    given: Option<String>,
) -> Result<Option<Destination>, ValueError> {
    let given = given.filter(|path| !path.is_empty());
    match (kind, given.as_deref()) {
        (OutputKind::Image | OutputKind::CacheOnly, Some(_)) => {
            Err(ValueError::NoDestination { kind: kind.name() })
        }
        (OutputKind::Image | OutputKind::CacheOnly | OutputKind::Docker, None) => Ok(None),
        (OutputKind::Local, None) => Err(missing("dest", "the folder for the files")),
        (OutputKind::Local, Some("-")) => Err(ValueError::NotToStandardOutput {
            what: "files",
            instead: "type=tar",
        }),
        (_, None | Some("-")) => Ok(Some(Destination::StandardOutput)),
        (_, Some(path)) => Ok(Some(Destination::Path(PathBuf::from(path)))),
    }
}

fn missing(key: &'static str, why: &str) -> ValueError {
    ValueError::Missing {
        key,
        why: why.to_owned(),
    }
}

/// Checks the values that this client reads. Unknown attributes are sent to the daemon, which
/// ignores them: see [`Output::unknown_attributes`].
fn check_attributes(
    kind: OutputKind,
    attributes: &BTreeMap<String, String>,
) -> Result<(), ValueError> {
    for (key, value) in attributes {
        let expected = match (kind, key.as_str()) {
            (OutputKind::Local, "mode") if !matches!(value.as_str(), "" | "copy" | "delete") => {
                "copy nor delete"
            }
            (OutputKind::Oci | OutputKind::Docker, "tar") | (OutputKind::Image, "push")
                if !value.is_empty() && go_bool(value).is_none() =>
            {
                "true nor false"
            }
            _ => continue,
        };
        return Err(ValueError::neither(key, value, expected));
    }
    Ok(())
}
