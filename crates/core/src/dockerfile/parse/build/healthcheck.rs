//! HEALTHCHECK, and the durations of its flags.

use std::time::Duration;

use super::super::super::error::ParseErrorKind;
use super::super::super::instruction::{CommandLine, Healthcheck, HealthcheckInstruction};
use super::super::arguments::command_line;
use super::super::flags::{Flag, Flags};
use super::{Parts, Result};

const FLAGS: &[Flag] = &[
    Flag::text("interval"),
    Flag::text("timeout"),
    Flag::text("start-period"),
    Flag::text("start-interval"),
    Flag::text("retries"),
];

/// Parses `HEALTHCHECK NONE`, or `HEALTHCHECK [flags] CMD command`. The flags of NONE are ignored,
/// as in BuildKit.
pub(super) fn healthcheck(parts: &Parts<'_>) -> Result<HealthcheckInstruction> {
    if parts.args.is_empty() {
        return Err(parts.no_arguments("CMD <command>, or NONE"));
    }
    let end = parts
        .args
        .find(|c: char| c.is_ascii_whitespace() || c == '\x0b')
        .unwrap_or(parts.args.len());
    let (form, rest) = parts.args.split_at(end);
    let command = command_line(rest.trim_start())?;
    let empty = match &command {
        CommandLine::Shell(text) => text.is_empty(),
        CommandLine::Exec(words) => words.is_empty(),
    };
    match form.to_uppercase().as_str() {
        "NONE" if empty => Ok(HealthcheckInstruction::None),
        "NONE" => Err(ParseErrorKind::HealthcheckNone),
        "CMD" if empty => Err(ParseErrorKind::HealthcheckCommand),
        "CMD" => Ok(HealthcheckInstruction::Command(check(parts, command)?)),
        _ => Err(ParseErrorKind::HealthcheckForm {
            form: form.to_owned(),
        }),
    }
}

fn check(parts: &Parts<'_>, command: CommandLine) -> Result<Healthcheck> {
    let flags = Flags::parse(&parts.flags, FLAGS, parts.name())?;
    Ok(Healthcheck {
        command,
        interval: interval(&flags, "interval")?,
        timeout: interval(&flags, "timeout")?,
        start_period: interval(&flags, "start-period")?,
        start_interval: interval(&flags, "start-interval")?,
        retries: retries(&flags)?,
    })
}

/// Returns a duration of zero, or of at least a millisecond.
fn interval(flags: &Flags<'_>, flag: &'static str) -> Result<Duration> {
    let Some(value) = flags.text(flag) else {
        return Ok(Duration::ZERO);
    };
    match parse_duration(&value) {
        Some(0) => Ok(Duration::ZERO),
        Some(nanoseconds @ 1_000_000..) => Ok(Duration::from_nanos(nanoseconds.unsigned_abs())),
        _ => Err(wrong_value(
            flag,
            value,
            "a duration of at least 1ms, as in 1m30s",
        )),
    }
}

fn retries(flags: &Flags<'_>) -> Result<u32> {
    let Some(value) = flags.text("retries") else {
        return Ok(0);
    };
    let number = value
        .parse::<i32>()
        .ok()
        .and_then(|number| u32::try_from(number).ok());
    number.ok_or_else(|| wrong_value("retries", value, "a number that is not negative"))
}

fn wrong_value(flag: &'static str, value: String, expected: &'static str) -> ParseErrorKind {
    ParseErrorKind::FlagValue {
        instruction: "HEALTHCHECK",
        flag,
        value,
        expected,
    }
}

/// Parses a Go duration to nanoseconds: a sign, then numbers with fractions, each with its unit, as
/// in `1h2.5m`; or `0`.
fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (nanoseconds, after) = duration_part(rest)?;
        total = total
            .checked_add(nanoseconds)
            .filter(|total| *total <= 1 << 63)?;
        rest = after;
    }
    if negative {
        0i64.checked_sub_unsigned(total)
    } else {
        i64::try_from(total).ok()
    }
}

/// Parses a number with its unit, and returns the rest.
fn duration_part(text: &str) -> Option<(u64, &str)> {
    let whole_end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (whole, rest) = text.split_at(whole_end);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(
            rest.find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len()),
        ),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let unit_end = rest
        .find(|c: char| c == '.' || c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_end);
    let unit = unit_nanoseconds(unit)?;
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok().filter(|whole| *whole <= 1 << 63)?
    };
    let nanoseconds = whole
        .checked_mul(unit)
        .filter(|nanoseconds| *nanoseconds <= 1 << 63)?;
    Some((nanoseconds.checked_add(fraction_of(fraction, unit))?, rest))
}

fn unit_nanoseconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// Converts the digits after a point to a part of the unit; digits beyond 63 bits are ignored, as
/// in Go.
fn fraction_of(digits: &str, unit: u64) -> u64 {
    let (mut value, mut scale) = (0u64, 1f64);
    for digit in digits.bytes() {
        let next = value
            .checked_mul(10)
            .map(|value| value + u64::from(digit - b'0'))
            .filter(|next| *next < 1 << 63);
        let Some(next) = next else { break };
        value = next;
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        assert_eq!(parse_duration("1h2m3.5s"), Some(3_723_500_000_000));
        assert_eq!(parse_duration(".5ms"), Some(500_000));
        assert_eq!(parse_duration("1.s"), Some(1_000_000_000));
        assert_eq!(parse_duration("-2us"), Some(-2_000));
        assert_eq!(parse_duration("+3µs"), Some(3_000));
        assert_eq!(parse_duration("0"), Some(0));
        assert_eq!(parse_duration("-0"), Some(0));
        assert_eq!(parse_duration("0s"), Some(0));
        for text in [
            "",
            "-",
            "1",
            "s",
            ".s",
            "1x",
            "1s2",
            " 1s",
            "10000000h",
            "3 s",
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
