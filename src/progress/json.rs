//! Go's JSON forms for the parts of a status update: RFC 3339 times with trimmed nanoseconds,
//! base64 bytes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// True for numbers that Go omits because they are zero.
pub(super) fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// As [`is_zero`].
pub(super) fn is_zero_i32(number: &i32) -> bool {
    *number == 0
}

/// Formats a time like Go's RFC3339Nano in UTC, e.g. `2024-05-01T10:20:30.25Z`; `None` outside the
/// supported years.
pub(crate) fn format_time(at: SystemTime) -> Option<String> {
    let nanos = match at.duration_since(UNIX_EPOCH) {
        Ok(after) => i128::try_from(after.as_nanos()).ok()?,
        Err(before) => -i128::try_from(before.duration().as_nanos()).ok()?,
    };
    let date = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok()?;
    let (year, month, day) = date.to_calendar_date();
    let (hour, minute, second, nano) = date.to_hms_nano();
    let mut text = format!(
        "{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}",
        u8::from(month)
    );
    if nano != 0 {
        let digits = format!("{nano:09}");
        text.push('.');
        text.push_str(digits.trim_end_matches('0'));
    }
    text.push('Z');
    Some(text)
}

/// Parses an RFC 3339 time with any offset.
fn parse_time(text: &str) -> Option<SystemTime> {
    let nanos = OffsetDateTime::parse(text, &Rfc3339)
        .ok()?
        .unix_timestamp_nanos();
    let distance = u64::try_from(nanos.unsigned_abs() / 1_000_000_000).ok()?;
    let rest = u32::try_from(nanos.unsigned_abs() % 1_000_000_000).ok()?;
    let distance = Duration::new(distance, rest);
    if nanos < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    }
}

/// An optional time; callers omit the field if there is none.
pub(super) mod time_option {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        at: &Option<SystemTime>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        at.and_then(format_time).serialize(out)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<SystemTime>, D::Error> {
        Ok(Option::<String>::deserialize(input)?
            .as_deref()
            .and_then(parse_time))
    }
}

/// A time that is always written: a missing one becomes the epoch, as in Go's protobuf conversion.
pub(super) mod time_or_epoch {
    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        at: &Option<SystemTime>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        let text = at.and_then(format_time);
        text.as_deref()
            .unwrap_or("1970-01-01T00:00:00Z")
            .serialize(out)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<SystemTime>, D::Error> {
        Ok(time_option::deserialize(input)?.filter(|at| *at != UNIX_EPOCH))
    }
}

/// Bytes as padded standard base64; empty bytes are `null`, as Go writes a nil slice.
pub(super) mod base64 {
    use ::base64::Engine as _;
    use ::base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;

    use super::*;

    pub(in super::super) fn serialize<S: Serializer>(
        data: &Bytes,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        if data.is_empty() {
            out.serialize_none()
        } else {
            out.serialize_str(&STANDARD.encode(data))
        }
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Bytes, D::Error> {
        let text = Option::<String>::deserialize(input)?.unwrap_or_default();
        STANDARD
            .decode(text)
            .map(Bytes::from)
            .map_err(serde::de::Error::custom)
    }
}

/// A list of byte strings, each in base64.
pub(super) mod base64_list {
    use bytes::Bytes;

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Item(#[serde(with = "super::base64")] Bytes);

    pub(in super::super) fn serialize<S: Serializer>(
        list: &[Bytes],
        out: S,
    ) -> Result<S::Ok, S::Error> {
        out.collect_seq(list.iter().map(|data| Item(data.clone())))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Vec<Bytes>, D::Error> {
        let items = Option::<Vec<Item>>::deserialize(input)?.unwrap_or_default();
        Ok(items.into_iter().map(|item| item.0).collect())
    }
}
