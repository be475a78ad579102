//! Parses the options of a `RUN --mount`.

use std::borrow::Cow;

use super::super::csv;
use super::super::error::nearest;
use super::super::lexer::ExpandError;
use super::value::{parse_bool, parse_number, parse_sharing, parse_size, parse_type};
use super::{Mount, MountError, MountType};
use crate::text::lower_case;

const KEYS: [&str; 19] = [
    "type",
    "from",
    "source",
    "target",
    "readonly",
    "id",
    "sharing",
    "required",
    "size",
    "mode",
    "uid",
    "gid",
    "src",
    "dst",
    "destination",
    "ro",
    "rw",
    "readwrite",
    "env",
];

/// Returns the stage or image of `from=`, which is known before variables are expanded.
///
/// # Errors
/// If the list is malformed, or `from=` contains a variable.
pub(in super::super) fn mount_from(text: &str) -> Result<Option<String>, MountError> {
    let mut from = None;
    for field in fields(text)? {
        let Some((key, value)) = field.split_once('=') else {
            continue;
        };
        if !key.eq_ignore_ascii_case("from") {
            continue;
        }
        if value
            .find('$')
            .is_some_and(|position| position + 1 != value.len())
        {
            return Err(MountError::FromVariable {
                value: value.to_owned(),
            });
        }
        from = Some(value.to_owned()).filter(|value| !value.is_empty());
    }
    Ok(from)
}

/// Parses the value of a `RUN --mount`; `expand` gets each option's value, in order.
///
/// # Errors
/// [`MountError`] for an unknown key, type or sharing mode, an invalid value, or an option of
/// another type of mount.
pub fn parse_mount(
    text: &str,
    expand: &mut dyn FnMut(&str) -> Result<String, ExpandError>,
) -> Result<Mount, MountError> {
    let mut mount = Mount::default();
    let mut read_only = None;
    for field in fields(text)? {
        match field.split_once('=') {
            None => set_switch(&mut mount, &mut read_only, &field)?,
            Some((key, value)) => {
                let value = expand(value)?;
                set_option(&mut mount, &mut read_only, &lower_case(key), value)?;
            }
        }
    }
    mount.read_only =
        read_only.unwrap_or(!matches!(mount.kind, MountType::Cache | MountType::Tmpfs));
    check_owner(&mount)?;
    check_secret(&mount)?;
    if mount.sharing.is_some() && mount.kind != MountType::Cache {
        return Err(MountError::KeyOfOtherType {
            key: "sharing",
            kind: mount.kind,
        });
    }
    Ok(mount)
}

fn fields(text: &str) -> Result<Vec<Cow<'_, str>>, MountError> {
    csv::borrowed_fields(text).ok_or_else(|| MountError::List {
        text: text.to_owned(),
    })
}

/// Sets an option without a value.
fn set_switch(
    mount: &mut Mount,
    read_only: &mut Option<bool>,
    field: &str,
) -> Result<(), MountError> {
    match &*lower_case(field) {
        "readonly" | "ro" => *read_only = Some(true),
        "readwrite" | "rw" => *read_only = Some(false),
        "required" => set_required(mount, true)?,
        _ => {
            return Err(MountError::NoValue {
                field: field.to_owned(),
            });
        }
    }
    Ok(())
}

/// Sets an option with a value; the key is in lower case.
fn set_option(
    mount: &mut Mount,
    read_only: &mut Option<bool>,
    key: &str,
    value: String,
) -> Result<(), MountError> {
    match key {
        "type" => mount.kind = parse_type(&value)?,
        "from" => mount.from = Some(value).filter(|value| !value.is_empty()),
        "source" | "src" => mount.source = value,
        "target" | "dst" | "destination" => mount.target = value,
        "readonly" | "ro" => *read_only = Some(parse_bool("readonly", value)?),
        "readwrite" | "rw" => *read_only = Some(!parse_bool("readwrite", value)?),
        "required" => set_required_value(mount, value)?,
        "size" => set_size(mount, value)?,
        "id" => mount.id = value,
        "sharing" => mount.sharing = Some(parse_sharing(&value)?),
        "mode" => mount.mode = Some(parse_number("mode", 8, value)?),
        "uid" => mount.uid = Some(parse_number("uid", 10, value)?),
        "gid" => mount.gid = Some(parse_number("gid", 10, value)?),
        "env" => mount.env = Some(value),
        _ => {
            return Err(MountError::UnknownKey {
                key: key.to_owned(),
                nearest: nearest(key, KEYS),
            });
        }
    }
    Ok(())
}

fn set_required(mount: &mut Mount, required: bool) -> Result<(), MountError> {
    if !matches!(mount.kind, MountType::Secret | MountType::Ssh) {
        return Err(MountError::KeyOfOtherType {
            key: "required",
            kind: mount.kind,
        });
    }
    mount.required = required;
    Ok(())
}

fn set_required_value(mount: &mut Mount, value: String) -> Result<(), MountError> {
    set_required(mount, false)?;
    mount.required = parse_bool("required", value)?;
    Ok(())
}

fn set_size(mount: &mut Mount, value: String) -> Result<(), MountError> {
    if mount.kind != MountType::Tmpfs {
        return Err(MountError::KeyOfOtherType {
            key: "size",
            kind: mount.kind,
        });
    }
    mount.size_limit = parse_size(&value).ok_or(MountError::Value { key: "size", value })?;
    Ok(())
}

/// Checks that owner and mode are only set for files that BuildKit itself creates.
fn check_owner(mount: &Mount) -> Result<(), MountError> {
    if matches!(
        mount.kind,
        MountType::Secret | MountType::Ssh | MountType::Cache
    ) {
        return Ok(());
    }
    let given = [("mode", mount.mode), ("uid", mount.uid), ("gid", mount.gid)];
    match given.into_iter().find(|(_, value)| value.is_some()) {
        Some((key, _)) => Err(MountError::KeyOfOtherType {
            key,
            kind: mount.kind,
        }),
        None => Ok(()),
    }
}

fn check_secret(mount: &Mount) -> Result<(), MountError> {
    if mount.kind != MountType::Secret {
        return Ok(());
    }
    if mount.from.is_some() {
        return Err(MountError::KeyOfOtherType {
            key: "from",
            kind: mount.kind,
        });
    }
    if mount.source.is_empty() && mount.target.is_empty() && mount.id.is_empty() {
        return Err(MountError::SecretWithoutName);
    }
    if !mount.source.is_empty() && !mount.id.is_empty() {
        return Err(MountError::SecretWithTwoNames);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
