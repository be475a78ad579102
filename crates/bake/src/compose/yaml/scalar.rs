//! The type of a scalar by go-yaml's rules: YAML 1.2 with some rules of 1.1.
//!
//! `yes` and `on` are text, `0755` is octal, `1_000` is a number, `2020-01-01` is a date.

use super::value::Value;

/// The tag of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScalarTag {
    None,
    Text,
    Bool,
    Int,
    Float,
    Null,
    Time,
    Binary,
    /// A tag without a type: the scalar is text.
    Other,
}

/// The text of a scalar does not match its tag.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TagMismatch;

/// Returns the value of a scalar, or an error if its text does not match its tag.
pub(super) fn resolve(tag: ScalarTag, text: &str, is_plain: bool) -> Result<Value, TagMismatch> {
    let as_text = || Value::Text(text.to_owned());
    match tag {
        ScalarTag::Text | ScalarTag::Other => return Ok(as_text()),
        ScalarTag::Binary => return binary(text).map(Value::Text).ok_or(TagMismatch),
        ScalarTag::None if !is_plain => return Ok(as_text()),
        _ => {}
    }
    let value = implicit(tag, text);
    let fits = match (tag, &value) {
        (ScalarTag::None, _) => true,
        (ScalarTag::Bool, Value::Bool(_)) => true,
        (ScalarTag::Int, Value::Int(_) | Value::Uint(_)) => true,
        (ScalarTag::Float, Value::Float(_)) => true,
        (ScalarTag::Float, Value::Int(number)) => return Ok(Value::Float(*number as f64)),
        (ScalarTag::Null, Value::Null) => true,
        (ScalarTag::Time, Value::Time(_)) => true,
        _ => false,
    };
    if fits { Ok(value) } else { Err(TagMismatch) }
}

/// Returns the value of a plain scalar by its text alone.
fn implicit(tag: ScalarTag, text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Value::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Value::Float(f64::NEG_INFINITY),
        "-0" | "-0.0" => return Value::Float(-0.0),
        _ => {}
    }
    match text.as_bytes().first() {
        Some(b'.') => go_decimal(text).map(Value::Float),
        Some(b'0'..=b'9' | b'+' | b'-') => {
            let dated = matches!(tag, ScalarTag::None | ScalarTag::Time);
            match timestamp(text) {
                Some(shown) if dated => Some(Value::Time(shown)),
                _ => number(&text.replace('_', "")),
            }
        }
        _ => None,
    }
    .unwrap_or_else(|| Value::Text(text.to_owned()))
}

fn number(text: &str) -> Option<Value> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if let Some(number) = integer(digits) {
        if negative {
            let number = i64::try_from(-i128::from(number)).ok();
            if let Some(number) = number {
                return Some(Value::Int(number));
            }
        } else if let Ok(number) = i64::try_from(number) {
            return Some(Value::Int(number));
        } else if text.starts_with(|c: char| c.is_ascii_digit()) {
            return Some(Value::Uint(number));
        }
    }
    go_decimal(text).map(Value::Float)
}

/// Parses an integer with a prefix for its base, as Go does: `0x`, `0b`, `0o` and `0`.
fn integer(digits: &str) -> Option<u64> {
    let bytes = digits.as_bytes();
    let (base, rest) = match (bytes.first()?, bytes.get(1).map(u8::to_ascii_lowercase)) {
        (b'0', Some(b'x')) => (16, &digits[2..]),
        (b'0', Some(b'b')) => (2, &digits[2..]),
        (b'0', Some(b'o')) => (8, &digits[2..]),
        (b'0', Some(_)) => (8, &digits[1..]),
        _ => (10, digits),
    };
    let all_digits = !rest.is_empty() && rest.chars().all(|c| c.is_digit(base));
    if all_digits {
        u64::from_str_radix(rest, base).ok()
    } else {
        None
    }
}

/// Parses `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn go_decimal(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let is_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if !is_digits(whole) || !is_digits(fraction) || whole.is_empty() && fraction.is_empty() {
        return None;
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if digits.is_empty() || !is_digits(digits) {
            return None;
        }
    }
    // Go rejects numbers that overflow.
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Decodes the base64 text of a `!!binary` scalar. It is too rare for a base64 crate.
fn binary(text: &str) -> Option<String> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let symbols: Vec<u8> = text
        .bytes()
        .filter(|b| !matches!(b, b'\n' | b'\r'))
        .collect();
    if !symbols.len().is_multiple_of(4) {
        return None;
    }
    let padding = symbols.iter().rev().take_while(|b| **b == b'=').count();
    if padding > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(symbols.len() / 4 * 3);
    for group in symbols[..symbols.len() - padding].chunks(4) {
        let mut bits = 0u32;
        for symbol in group {
            let value = ALPHABET.iter().position(|known| known == symbol)?;
            bits = bits << 6 | value as u32;
        }
        bits <<= 6 * (4 - group.len());
        let [_, first, second, third] = bits.to_be_bytes();
        bytes.extend(&[first, second, third][..group.len() - 1]);
    }
    String::from_utf8(bytes).ok()
}

/// Parses a date with or without a time; returns it as Go prints a time.
fn timestamp(text: &str) -> Option<String> {
    let mut rest = Digits { text };
    let year = rest.exactly(4)?;
    rest.symbol(b"-")?;
    let month = rest.up_to_two()?;
    rest.symbol(b"-")?;
    let day = rest.up_to_two()?;
    if !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if rest.text.is_empty() {
        return Some(format!("{date} 00:00:00 +0000 UTC"));
    }
    let separator = rest.symbol(b"Tt ")?;
    let hour = rest.up_to_two()?;
    rest.symbol(b":")?;
    let minute = rest.up_to_two()?;
    rest.symbol(b":")?;
    let second = rest.up_to_two()?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = rest.fraction();
    let zone = if separator == b' ' {
        rest.end()?
    } else {
        rest.zone()?
    };
    Some(format!(
        "{date} {hour:02}:{minute:02}:{second:02}{fraction} {zone}"
    ))
}

fn days_of(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

struct Digits<'a> {
    text: &'a str,
}

impl<'a> Digits<'a> {
    fn run(&self) -> usize {
        self.text.bytes().take_while(u8::is_ascii_digit).count()
    }

    fn take(&mut self, count: usize) -> &'a str {
        let (taken, rest) = self.text.split_at(count);
        self.text = rest;
        taken
    }

    fn exactly(&mut self, count: usize) -> Option<u32> {
        (self.run() == count)
            .then(|| self.take(count))
            .and_then(|digits| digits.parse().ok())
    }

    fn up_to_two(&mut self) -> Option<u32> {
        let count = self.run();
        matches!(count, 1 | 2)
            .then(|| self.take(count))
            .and_then(|digits| digits.parse().ok())
    }

    fn symbol(&mut self, allowed: &[u8]) -> Option<u8> {
        let symbol = *self.text.as_bytes().first()?;
        allowed.contains(&symbol).then(|| {
            self.take(1);
            symbol
        })
    }

    fn fraction(&mut self) -> String {
        let Some(after) = self.text.strip_prefix('.') else {
            return String::new();
        };
        let count = after.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return String::new();
        }
        self.take(1);
        let digits = self.take(count);
        let kept = digits[..count.min(9)].trim_end_matches('0');
        if kept.is_empty() {
            String::new()
        } else {
            format!(".{kept}")
        }
    }

    fn end(&self) -> Option<String> {
        self.text.is_empty().then(|| "+0000 UTC".to_owned())
    }

    fn zone(&mut self) -> Option<String> {
        if self.symbol(b"Z").is_some() {
            return self.end();
        }
        let sign = char::from(self.symbol(b"+-")?);
        let (hours, minutes) = self.text.split_once(':')?;
        let is_two = |text: &str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        if !is_two(hours) || !is_two(minutes) || hours > "24" || minutes > "59" {
            return None;
        }
        if hours == "00" && minutes == "00" {
            return Some("+0000 UTC".to_owned());
        }
        Some(format!("{sign}{hours}{minutes} {sign}{hours}{minutes}"))
    }
}

#[cfg(test)]
mod tests;
