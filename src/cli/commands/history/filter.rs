//! `--filter` of `history ls`. The client filters the records: older daemons ignore a filter, and
//! some crash on one.

use std::time::{Duration, SystemTime};

use solvekit::client::BuildRecord;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::cli::report::Failure;
use crate::cli::report::records;
use crate::cli::report::usage::HistoryUsage;

/// A condition on records.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Filter {
    key: Key,
    operator: &'static str,
    value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Ref,
    Repository,
    Status,
    StartedAt,
    CompletedAt,
    Duration,
}

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Text(String),
    /// An age or a duration.
    Span(Duration),
    Time(SystemTime),
}

const KEYS: [(&str, Key); 6] = [
    ("ref", Key::Ref),
    ("repository", Key::Repository),
    ("status", Key::Status),
    ("startedAt", Key::StartedAt),
    ("completedAt", Key::CompletedAt),
    ("duration", Key::Duration),
];

impl Filter {
    /// Parses `KEY=VALUE`, `KEY!=VALUE`, and for times and durations `KEY<VALUE`, `<=`, `>`, `>=`.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |reason: &str| {
            let (text, reason) = (text.to_owned(), reason.to_owned());
            Failure::from(HistoryUsage::BuildFilter { text, reason })
        };
        let found = ["!=", "<=", ">=", "=", "<", ">"]
            .into_iter()
            .filter_map(|operator| Some((text.find(operator)?, operator)))
            .min_by_key(|(at, operator)| (*at, std::cmp::Reverse(operator.len())));
        let (at, operator) = found.ok_or_else(|| wrong("it compares nothing"))?;
        let (name, value) = (&text[..at], &text[at + operator.len()..]);
        let key = KEYS.iter().find(|(known, _)| *known == name);
        let (_, key) = key.ok_or_else(|| wrong(&format!("there is no {name:?} to compare")))?;
        let is_timed = matches!(key, Key::StartedAt | Key::CompletedAt | Key::Duration);
        if is_timed == matches!(operator, "=" | "!=") {
            return Err(wrong(match is_timed {
                true => "times are compared with <, <=, > and >=",
                false => "texts are compared with = and !=",
            }));
        }
        let time = || OffsetDateTime::parse(value, &Rfc3339).ok();
        let value = match (is_timed, records::duration(value)) {
            (false, _) => Value::Text(value.to_owned()),
            (true, Some(span)) => Value::Span(span),
            (true, None) if *key != Key::Duration => {
                let time = time().ok_or_else(|| wrong("it is neither a time nor a duration"))?;
                Value::Time(time.into())
            }
            (true, None) => return Err(wrong("it is not a duration such as 30s or 1h30m")),
        };
        Ok(Self {
            key: *key,
            operator,
            value,
        })
    }

    /// True if the record matches.
    pub(super) fn matches(&self, record: &BuildRecord, now: SystemTime) -> bool {
        let text = |actual: &str| match (&self.value, self.operator) {
            (Value::Text(value), "!=") => actual != value,
            (Value::Text(value), _) if self.key == Key::Status => actual == value,
            (Value::Text(value), _) => actual.contains(value.as_str()),
            _ => false,
        };
        let attribute = |key: &str| record.attributes.get(key).map(String::as_str);
        match self.key {
            Key::Ref => text(&record.build_ref),
            Key::Repository => {
                let source = attribute("vcs:source").or_else(|| attribute("context"));
                text(source.unwrap_or_default())
            }
            Key::Status => text(record.status().as_str()),
            Key::StartedAt => self.compares(record.created_at, now),
            Key::CompletedAt => self.compares(record.completed_at, now),
            Key::Duration => match self.value {
                Value::Span(span) => self.holds(record.duration(now).cmp(&span)),
                _ => false,
            },
        }
    }

    fn compares(&self, at: Option<SystemTime>, now: SystemTime) -> bool {
        let Some(at) = at else { return false };
        match &self.value {
            Value::Span(ago) => match now.checked_sub(*ago) {
                Some(then) => self.holds(at.cmp(&then)),
                None => false,
            },
            Value::Time(time) => self.holds(at.cmp(time)),
            Value::Text(_) => false,
        }
    }

    fn holds(&self, order: std::cmp::Ordering) -> bool {
        match self.operator {
            "<" => order.is_lt(),
            "<=" => order.is_le(),
            ">" => order.is_gt(),
            _ => order.is_ge(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_chosen_by_all_properties() {
        let now = SystemTime::now();
        let mut record = BuildRecord::default();
        record.build_ref = "abcdef".into();
        record.created_at = Some(now - Duration::from_secs(100));
        record.completed_at = Some(now - Duration::from_secs(60));
        record
            .attributes
            .insert("vcs:source".into(), "https://host/team/app.git".into());
        for (text, matches) in [
            ("ref=cde", true),
            ("ref!=abcdef", false),
            ("status=completed", true),
            ("status!=completed", false),
            ("repository=team/app", true),
            ("startedAt>1m", false),
            ("startedAt<=1m", true),
            ("completedAt>=2m", true),
            ("duration>30s", true),
            ("duration<30s", false),
            ("startedAt>2020-01-31T12:00:00Z", true),
        ] {
            let filter = Filter::parse(text).unwrap();
            assert_eq!(filter.matches(&record, now), matches, "{text}");
        }
    }

    #[test]
    fn wrong_filters_are_refused() {
        for text in [
            "",
            "ref",
            "colour=red",
            "duration=3s",
            "status<1",
            "duration>soon",
            "startedAt>soon",
        ] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }
}
