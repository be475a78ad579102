//! Cache records as text: filters, rows, sizes and times.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use solvekit::client::CacheRecord;
use solvekit::template::Struct;
use solvekit::text::one_line;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Failure;
use super::table_format::{self, Format};
use super::usage::HistoryUsage;
use crate::cli::identity::Identity;

/// The parsed values of `--filter`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filters {
    /// Records that were used within this time are omitted.
    pub(crate) unused_for: Duration,
    /// Expressions for the daemon; empty if there are none.
    pub(crate) expressions: Vec<String>,
}

impl Filters {
    /// Parses the values of `--filter` as buildx does: `until=24h` is a duration; `id=x` matches a
    /// part of the id; `type=regular`, `description~=x` and `type!=regular` compare; a key alone
    /// (`inuse`, `shared`, `private`) must be true.
    ///
    /// # Errors
    /// The invalid filter, with an example of a valid one.
    pub(crate) fn parse(given: &[String], identity: Identity) -> Result<Self, Failure> {
        let mut filters = Self::default();
        let mut keys: Vec<&str> = Vec::new();
        let mut expressions = Vec::new();
        for text in given {
            let (key, value) = match text.split_once('=') {
                Some((key, value)) => (key.trim(), Some(value.trim())),
                None => (text.trim(), None),
            };
            if key.is_empty() {
                return Err(wrong(text, "it has no key"));
            }
            if value.is_none() && identity == Identity::Buildx {
                return Err(wrong(text, "it is not name=value"));
            }
            // `unused-for` is the older name.
            let key = if key == "unused-for" { "until" } else { key };
            if keys.contains(&key) {
                return Err(wrong(text, &format!("{key} is there twice")));
            }
            keys.push(key);
            if identity == Identity::Solvekit {
                check_key(key, value).map_err(|reason| wrong(text, &reason))?;
            }
            match (key, value) {
                ("until", value) => {
                    filters.unused_for = value
                        .and_then(duration)
                        .ok_or_else(|| wrong(text, "until= is a time, for example until=24h"))?;
                }
                (key, None) => expressions.push(key.to_owned()),
                ("id", Some(value)) => expressions.push(format!("id~={value}")),
                // The first `=` ends the key: of `type==regular` one `=` is left in the value.
                (key, Some(value)) if key.ends_with(['!', '~']) || value.starts_with('=') => {
                    expressions.push(format!("{key}={value}"));
                }
                (key, Some(value)) => expressions.push(format!("{key}=={value}")),
            }
        }
        if !expressions.is_empty() {
            filters.expressions = vec![expressions.join(",")];
        }
        Ok(filters)
    }
}

/// The properties of records that daemons compare with a text, and those that are true or false.
const TEXTS: [&str; 4] = ["id", "type", "description", "parents"];
const STATES: [&str; 5] = ["inuse", "mutable", "immutable", "shared", "private"];

/// Rejects keys that no daemon knows: it would find no record, without an error. As buildx they are
/// sent.
fn check_key(key: &str, value: Option<&str>) -> Result<(), String> {
    let name = key.trim_end_matches(['!', '~']);
    if STATES.contains(&name) && value.is_some() {
        return Err(format!("{name} stands alone, without a value"));
    }
    if name == "until" || TEXTS.contains(&name) || STATES.contains(&name) {
        return Ok(());
    }
    Err(format!("records have no {name:?}"))
}

fn wrong(text: &str, reason: &str) -> Failure {
    let (text, reason) = (text.to_owned(), reason.to_owned());
    HistoryUsage::RecordFilter { text, reason }.into()
}

/// Parses a duration in Go's syntax: numbers with units, for example `1h30m`, `36h`, `500ms`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds = 0.0;
    if text == "0" {
        return Some(Duration::ZERO);
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(rest.len());
        seconds += number
            * match &rest[..end] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = &rest[end..];
    }
    (!text.is_empty())
        .then(|| Duration::try_from_secs_f64(seconds).ok())
        .flatten()
}

/// The header of the table.
pub(crate) fn header() -> String {
    row_of("ID", "RECLAIMABLE", "SIZE", "LAST ACCESSED")
}

/// A record in one line. A `*` follows the id of a mutable record, and a shared size.
pub(crate) fn row(record: &CacheRecord, now: SystemTime) -> String {
    let star = |marked: bool| if marked { "*" } else { "" };
    row_of(
        &format!("{}{}", record.id, star(record.mutable)),
        &(!record.in_use).to_string(),
        &format!("{}{}", size(record.size), star(record.shared)),
        &last_used(record, now),
    )
}

fn row_of(id: &str, reclaimable: &str, size: &str, last_used: &str) -> String {
    let id = one_line(id);
    let row = format!("{id:<43} {reclaimable:<13} {size:<11} {last_used}");
    format!("{}\n", row.trim_end())
}

/// The template of the table's columns.
pub(crate) const TABLE: &str = "{{.ID}}\t{{.Reclaimable}}\t{{.Size}}\t{{.LastUsedAt}}";

const PRETTY: &str = "ID:           {{.ID}}
{{- if .Parents}}
Parents:
{{- range .Parents}}
 - {{.}}
{{- end}}
{{- end}}
Created at:   {{.CreatedAt}}
Mutable:      {{.Mutable}}
Reclaimable:  {{.Reclaimable}}
Shared:       {{.Shared}}
Size:         {{.Size}}
{{- if .Description}}
Description:  {{.Description}}
{{- end}}
Usage count:  {{.UsageCount}}
{{- if .LastUsedAt}}
Last used:    {{.LastUsedAt}}
{{- end}}
{{- if .Type}}
Type:         {{.Type}}
{{- end}}
";

/// The headers of the columns.
pub(crate) fn heads() -> Struct {
    table_format::heads([
        ("CreatedAt", "CREATED AT"),
        ("Description", "DESCRIPTION"),
        ("ID", "ID"),
        ("LastUsedAt", "LAST ACCESSED"),
        ("Mutable", "MUTABLE"),
        ("Parents", "PARENTS"),
        ("Reclaimable", "RECLAIMABLE"),
        ("Shared", "SHARED"),
        ("Size", "SIZE"),
        ("Type", "TYPE"),
        ("UsageCount", "USAGE COUNT"),
    ])
}

/// A record with the field names of buildx's templates and JSON. In a table a `*` follows the id of
/// a mutable record, and a shared size.
pub(crate) fn entry(record: &CacheRecord, is_table: bool, now: SystemTime) -> Struct {
    let star = |marked: bool| if marked && is_table { "*" } else { "" };
    let parents = (!record.parents.is_empty()).then(|| record.parents.clone());
    Struct::new()
        .field("CreatedAt", "CreatedAt", go_time(record.created_at))
        .field("Description", "Description", record.description.as_str())
        .field("ID", "ID", format!("{}{}", record.id, star(record.mutable)))
        .field("LastUsedAt", "LastUsedAt", last_used(record, now))
        .field("Mutable", "Mutable", record.mutable)
        .field("Parents", "Parents", parents)
        .field("Reclaimable", "Reclaimable", !record.in_use)
        .field("Shared", "Shared", record.shared)
        .field(
            "Size",
            "Size",
            format!("{}{}", size(record.size), star(record.shared)),
        )
        .field("Type", "Type", record.kind.as_str())
        .field("UsageCount", "UsageCount", record.usage_count)
}

/// A record as JSON: sizes are numbers, times are in RFC 3339.
pub(crate) fn json(record: &CacheRecord) -> Value {
    let time = |at: Option<SystemTime>| {
        let text = OffsetDateTime::from(at?).format(&Rfc3339);
        text.ok()
    };
    json!({
        "id": record.id,
        "type": record.kind,
        "description": record.description,
        "parents": record.parents,
        "bytes": record.size,
        "mutable": record.mutable,
        "inUse": record.in_use,
        "shared": record.shared,
        "createdAt": time(record.created_at),
        "lastUsedAt": time(record.last_used_at),
        "usageCount": record.usage_count,
    })
}

/// The format with one line per property, and an empty line after each record.
pub(crate) fn pretty() -> Result<Format, Failure> {
    Format::of_lines(PRETTY)
}

/// One record in that format.
pub(crate) fn paragraph(record: &CacheRecord, now: SystemTime) -> Result<String, Failure> {
    pretty()?.print(heads(), [entry(record, false, now)])
}

/// The total sizes in the last lines of a listing.
pub(crate) fn totals(records: &[CacheRecord]) -> String {
    let sum = |keep: &dyn Fn(&CacheRecord) -> bool| -> i64 {
        let kept = records.iter().filter(|record| keep(record));
        kept.map(|record| record.size.max(0))
            .fold(0, i64::saturating_add)
    };
    let total = sum(&|_| true);
    let shared = sum(&|record| record.shared);
    let mut text = String::new();
    if shared > 0 {
        text.push_str(&format!("Shared:\t\t{}\n", size(shared)));
        text.push_str(&format!("Private:\t{}\n", size(total - shared)));
    }
    let reclaimable = sum(&|record| !record.in_use);
    text.push_str(&format!("Reclaimable:\t{}\n", size(reclaimable)));
    text.push_str(&format!("Total:\t\t{}\n", size(total)));
    text
}

/// A size with four significant digits and a decimal unit, as in docker: `1.234GB`, `12kB`, `0B`.
pub(crate) fn size(bytes: i64) -> String {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value.abs() >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{}{}", four_digits(value), UNITS[unit])
}

/// A number with at most four significant digits, as Go's `%.4g` formats numbers below 10000.
pub(crate) fn four_digits(number: f64) -> String {
    let decimals = match number.abs() {
        ..10.0 => 3,
        ..100.0 => 2,
        ..1000.0 => 1,
        _ => 0,
    };
    let text = format!("{number:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

pub(crate) fn last_used(record: &CacheRecord, now: SystemTime) -> String {
    match record.last_used_at {
        Some(at) => format!("{} ago", age(now.duration_since(at).unwrap_or_default())),
        None => String::new(),
    }
}

/// A rough age: `5 seconds`, `About an hour`, `3 weeks`.
pub(crate) fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    let minutes = seconds / 60;
    let hours = (age.as_secs_f64() / 3600.0).round() as u64;
    let days = hours / 24;
    match () {
        () if seconds < 1 => "Less than a second".to_owned(),
        () if seconds == 1 => "1 second".to_owned(),
        () if seconds < 60 => format!("{seconds} seconds"),
        () if minutes == 1 => "About a minute".to_owned(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".to_owned(),
        () if hours < 48 => format!("{hours} hours"),
        () if days < 14 => format!("{days} days"),
        () if days < 60 => format!("{} weeks", days / 7),
        () if days < 730 => format!("{} months", days / 30),
        () => format!("{} years", days / 365),
    }
}

/// A time as Go's `time.Time` prints it, in UTC: `2026-03-01 12:30:00.5 +0000 UTC`.
pub(crate) fn go_time(time: Option<SystemTime>) -> String {
    let at = OffsetDateTime::from(time.unwrap_or(SystemTime::UNIX_EPOCH));
    let (hour, minute, second) = at.time().as_hms();
    let fraction = match at.nanosecond() {
        0 => String::new(),
        nanoseconds => format!(".{nanoseconds:09}")
            .trim_end_matches('0')
            .to_owned(),
    };
    format!(
        "{} {hour:02}:{minute:02}:{second:02}{fraction} +0000 UTC",
        at.date()
    )
}

#[cfg(test)]
mod tests;
