//! Parses the values of the options of a `RUN --mount`.

use super::super::error::nearest;
use super::{CacheSharing, MountError, MountType};
use crate::text::lower_case;

const TYPES: [MountType; 5] = [
    MountType::Bind,
    MountType::Cache,
    MountType::Tmpfs,
    MountType::Secret,
    MountType::Ssh,
];
const SHARINGS: [CacheSharing; 3] = [
    CacheSharing::Shared,
    CacheSharing::Private,
    CacheSharing::Locked,
];
/// Parses a type of mount, in any case.
pub(super) fn parse_type(value: &str) -> Result<MountType, MountError> {
    let name = lower_case(value);
    TYPES
        .into_iter()
        .find(|kind| kind.as_str() == name)
        .ok_or_else(|| MountError::UnknownType {
            value: value.to_owned(),
            nearest: nearest(value, TYPES.map(MountType::as_str)),
        })
}

/// Parses a sharing mode, in any case.
pub(super) fn parse_sharing(value: &str) -> Result<CacheSharing, MountError> {
    let name = lower_case(value);
    SHARINGS
        .into_iter()
        .find(|sharing| sharing.as_str() == name)
        .ok_or_else(|| MountError::UnknownSharing {
            value: value.to_owned(),
            nearest: nearest(value, SHARINGS.map(CacheSharing::as_str)),
        })
}

/// Parses the bool value of a key.
pub(super) fn parse_bool(key: &'static str, value: String) -> Result<bool, MountError> {
    go_bool(&value).ok_or(MountError::Value { key, value })
}

/// Parses digits without a sign, up to 32 bits.
pub(super) fn parse_number(
    key: &'static str,
    radix: u32,
    value: String,
) -> Result<u32, MountError> {
    let number = Some(&value)
        .filter(|value| !value.starts_with('+'))
        .and_then(|value| u32::from_str_radix(value, radix).ok());
    number.ok_or(MountError::Value { key, value })
}

/// Parses a bool as Go's `strconv.ParseBool`.
pub fn go_bool(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// Parses a number of bytes, or a number with a binary unit: `64m`, `1.5 GiB`.
pub(super) fn parse_size(text: &str) -> Option<i64> {
    crate::units::parse_size(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(parse_size("10"), Some(10));
        assert_eq!(parse_size("1.5k"), Some(1536));
        assert_eq!(parse_size("2 MiB"), Some(2 << 20));
        assert_eq!(parse_size("1GB"), Some(1 << 30));
        for text in ["", "-1", "1x", "1kbb", "m"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_have_digits_only() {
        assert_eq!(parse_number("mode", 8, "0755".into()), Ok(0o755));
        assert!(parse_number("uid", 10, "+1".into()).is_err());
        assert!(parse_number("mode", 8, "8".into()).is_err());
        assert!(parse_number("uid", 10, "4294967296".into()).is_err());
    }
}
