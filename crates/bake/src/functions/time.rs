//! Timestamps: now, arithmetic, and formats.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::files::Host;
use crate::value::{Number, Value};

use super::arguments::{Arguments, Fault};
use super::calendar::{MONTHS, Moment, WEEKDAYS};
use super::error::CallReason;
use super::{Definition, any, function, number, text, version};

pub(super) const FUNCTIONS: &[Definition] = &[
    function("formatdate", &[text("format"), text("time")], |args, _| {
        let moment = moment(args.text(1)?).map_err(|reason| Fault::at(1, reason))?;
        format(args.text(0)?, moment)
    }),
    function(
        "formattimestamp",
        &[text("format"), any("time")],
        format_timestamp,
    ),
    function(
        "semvercmp",
        &[text("version"), text("constraint")],
        version::satisfies,
    ),
    function("timeadd", &[text("timestamp"), text("duration")], time_add),
    function("timestamp", &[], |_, host| {
        let moment = Moment::utc(host.now().0).ok_or(CallReason::Seconds)?;
        Ok(Value::string(moment.rfc3339()))
    }),
    function(
        "unixtimestampparse",
        &[number("unix_timestamp")],
        unix_timestamp_parse,
    ),
];

fn moment(text: &str) -> Result<Moment, CallReason> {
    Moment::parse(text).ok_or_else(|| CallReason::Timestamp { text: start(text) })
}

/// Returns the start of a text, for a message.
fn start(text: &str) -> String {
    text.chars().take(100).collect()
}

fn unix_time(number: &Number) -> Result<Moment, CallReason> {
    number
        .to_i64()
        .and_then(Moment::utc)
        .ok_or(CallReason::Seconds)
}

/// Accepts timestamps and seconds since 1970; the format `X` is the seconds.
fn format_timestamp(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let pattern = args.text(0)?;
    let moment = match args.value(1)? {
        Value::String(text) => moment(text),
        Value::Number(number) => unix_time(number),
        _ => Err(CallReason::TimeRequired),
    };
    let moment = moment.map_err(|reason| Fault::at(1, reason))?;
    if pattern == "X" {
        return Ok(Value::string(moment.seconds.to_string()));
    }
    format(pattern, moment)
}

fn time_add(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let moment = moment(args.text(0)?)?;
    let text = args.text(1)?;
    let duration = duration(text).ok_or_else(|| CallReason::Duration { text: start(text) })?;
    let later = moment.plus(duration).ok_or(CallReason::Seconds)?;
    Ok(Value::string(later.rfc3339()))
}

fn unix_timestamp_parse(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let moment = unix_time(args.number(0)?).map_err(|reason| Fault::at(0, reason))?;
    let date = moment.date();
    let (iso_year, iso_week) = date.iso_week();
    let numbers = [
        ("year", date.year),
        ("year_day", i64::from(date.year_day)),
        ("day", i64::from(date.day)),
        ("month", i64::from(date.month)),
        ("weekday", i64::from(date.weekday)),
        ("hour", i64::from(date.hour)),
        ("minute", i64::from(date.minute)),
        ("second", i64::from(date.second)),
        ("iso_year", iso_year),
        ("iso_week", iso_week),
    ];
    let mut object: BTreeMap<String, Value> = BTreeMap::new();
    object.extend(numbers.map(|(name, number)| (name.to_owned(), Value::int(number))));
    let texts = [
        (
            "month_name",
            name(&MONTHS, date.month.saturating_sub(1)).to_owned(),
        ),
        ("weekday_name", name(&WEEKDAYS, date.weekday).to_owned()),
        ("rfc3339", moment.rfc3339()),
    ];
    object.extend(texts.map(|(name, text)| (name.to_owned(), Value::string(text))));
    Ok(Value::object(object))
}

fn name(names: &[&'static str], index: u8) -> &'static str {
    names.get(usize::from(index)).copied().unwrap_or_default()
}

/// Parses `-1h30m0.5s` to nanoseconds, like Go's `time.ParseDuration`.
fn duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total = 0i128;
    loop {
        let length = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .filter(|n| *n > 0)?;
        let (number, after) = rest.split_at(length);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let dots = number.matches('.').count();
        if dots > 1 || whole.is_empty() && fraction.is_empty() || whole.len() > 19 {
            return None;
        }
        let end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit: i128 = match unit {
            "ns" => 1,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60 * 1_000_000_000,
            "h" => 3600 * 1_000_000_000,
            _ => return None,
        };
        let digits = &fraction[..fraction.len().min(18)];
        let scale = 10i128.pow(u32::try_from(digits.len()).ok()?);
        let number = |digits: &str| {
            if digits.is_empty() {
                Some(0)
            } else {
                digits.parse().ok()
            }
        };
        let (whole, part): (i128, i128) = (number(whole)?, number(digits)?);
        total += whole * unit + part * unit / scale;
        if total > 1 << 63 {
            return None;
        }
        rest = after;
        if rest.is_empty() {
            return i64::try_from(if negative { -total } else { total }).ok();
        }
    }
}

/// Replaces runs of one letter by parts of the date; other text and `'quoted'` text is kept.
fn format(pattern: &str, moment: Moment) -> Result<Value, Fault> {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        let length = if first == '\'' {
            quoted(rest, &mut out).ok_or_else(|| Fault::at(0, CallReason::DateQuote))?
        } else if first.is_ascii_alphabetic() {
            let length = rest.find(|c| c != first).unwrap_or(rest.len());
            let verb = &rest[..length];
            part(first, length, moment, &mut out)
                .ok_or_else(|| Fault::at(0, CallReason::DateVerb { verb: start(verb) }))?;
            length
        } else {
            let ends = |c: char| c == '\'' || c.is_ascii_alphabetic();
            let length = rest.find(ends).unwrap_or(rest.len());
            out.push_str(&rest[..length]);
            length
        };
        rest = &rest[length..];
    }
    Ok(Value::string(out))
}

/// Writes quoted text, in which `''` is a quote, and returns its length; `''` alone is a quote.
fn quoted(text: &str, out: &mut String) -> Option<usize> {
    if text.starts_with("''") {
        out.push('\'');
        return Some(2);
    }
    let mut at = 1;
    loop {
        let quote = text[at..].find('\'')?;
        out.push_str(&text[at..at + quote]);
        at += quote + 1;
        if !text[at..].starts_with('\'') {
            return Some(at);
        }
        out.push('\'');
        at += 1;
        // The reference treats a doubled quote at the very end as the closing one.
        if at == text.len() {
            return Some(at);
        }
    }
}

/// Writes the part of the date for `count` repetitions of the letter.
fn part(letter: char, count: usize, moment: Moment, out: &mut String) -> Option<()> {
    let date = moment.date();
    let mut number = |number: i64, count: usize| match count {
        1 => write!(out, "{number}").ok(),
        2 => write!(out, "{number:02}").ok(),
        _ => None,
    };
    match (letter, count) {
        ('Y', 2) => return number(date.year % 100, 2),
        ('Y', 4) => write!(out, "{:04}", date.year).ok()?,
        ('M', 3) => out.push_str(name(&MONTHS, date.month.saturating_sub(1)).get(..3)?),
        ('M', 4) => out.push_str(name(&MONTHS, date.month.saturating_sub(1))),
        ('M', count) => return number(i64::from(date.month), count),
        ('D', count) => return number(i64::from(date.day), count),
        ('E', 3) => out.push_str(name(&WEEKDAYS, date.weekday).get(..3)?),
        ('E', 4) => out.push_str(name(&WEEKDAYS, date.weekday)),
        ('h', count) => return number(i64::from(date.hour), count),
        ('H', count) => return number(i64::from((date.hour + 11) % 12 + 1), count),
        ('A', 2) => out.push_str(if date.hour < 12 { "AM" } else { "PM" }),
        ('a', 2) => out.push_str(if date.hour < 12 { "am" } else { "pm" }),
        ('m', count) => return number(i64::from(date.minute), count),
        ('s', count) => return number(i64::from(date.second), count),
        ('Z', 1) => out.push_str(&moment.zone()),
        ('Z', 3) if moment.offset == 0 => out.push_str("UTC"),
        ('Z', 3 | 4) => out.push_str(&moment.numeric_zone("")),
        ('Z', 5) => out.push_str(&moment.numeric_zone(":")),
        _ => return None,
    }
    Some(())
}
