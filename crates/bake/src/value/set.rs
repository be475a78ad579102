//! The order of sets: text by bytes, numbers by value, anything else by go-cty's hash text.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt::Write;

use super::{FloatStyle, Value};

/// Returns the values sorted and without duplicates.
pub(super) fn sorted(values: Vec<Value>) -> Vec<Value> {
    let mut keyed: Vec<(Key, Value)> = values.into_iter().map(|v| (Key::of(&v), v)).collect();
    keyed.sort_by(|(a, x), (b, y)| a.compare(x, b, y));
    let mut seen = HashSet::new();
    let values = keyed.into_iter().map(|(_, value)| value);
    values
        .filter(|value| seen.insert(value.set_identity()))
        .collect()
}

/// The sort key of a value.
enum Key {
    /// The value itself.
    Plain,
    /// Its hash text.
    Text(String),
}

impl Key {
    fn of(value: &Value) -> Self {
        match value {
            Value::Null(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => Self::Plain,
            _ => {
                let mut text = String::new();
                write_hash_text(&mut text, value);
                Self::Text(text)
            }
        }
    }

    fn compare(&self, value: &Value, other: &Self, other_value: &Value) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => compare_plain(value, other_value),
        }
    }
}

/// Compares plain values; nulls come last.
fn compare_plain(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => a.compare(b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        _ => a.is_null().cmp(&b.is_null()),
    }
}

fn write_hash_text(out: &mut String, value: &Value) {
    match value {
        Value::Null(_) => out.push('~'),
        Value::Bool(true) => out.push('T'),
        Value::Bool(false) => out.push('F'),
        Value::Number(number) => out.push_str(&number.text(FloatStyle::General('e'), Some(10))),
        Value::String(text) => write_quoted(out, text),
        Value::Map(_, entries) => {
            out.push('{');
            for (name, value) in entries.iter() {
                write_quoted(out, name);
                out.push(':');
                write_hash_text(out, value);
                out.push(';');
            }
            out.push('}');
        }
        Value::List(_, items) | Value::Set(_, items) => write_parts(out, '[', items.iter(), ']'),
        Value::Tuple(items) => write_parts(out, '<', items.iter(), '>'),
        Value::Object(entries) => write_parts(out, '<', entries.values(), '>'),
    }
}

fn write_parts<'a>(
    out: &mut String,
    open: char,
    parts: impl Iterator<Item = &'a Value>,
    close: char,
) {
    out.push(open);
    for part in parts {
        write_hash_text(out, part);
        out.push(';');
    }
    out.push(close);
}

/// Quotes text like Go's `%q`.
fn write_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            '\0'..='\x1f' | '\x7f' => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            '\u{80}'..='\u{a0}' | '\u{ad}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

impl Value {
    /// Returns text that is equal for equal values of one type, and only for those.
    pub(crate) fn identity(&self) -> String {
        let mut out = String::new();
        write_identity(&mut out, self, false);
        out
    }

    /// Like [`Value::identity`], but negative zero and zero are different elements of a set.
    pub(crate) fn set_identity(&self) -> String {
        let mut out = String::new();
        write_identity(&mut out, self, true);
        out
    }
}

fn write_identity(out: &mut String, value: &Value, signed_zeros: bool) {
    match value {
        Value::Null(_) => out.push('~'),
        Value::Bool(true) => out.push('T'),
        Value::Bool(false) => out.push('F'),
        Value::Number(number) if number.is_zero() => {
            let signed = signed_zeros && number.is_negative();
            out.push_str(if signed { "-0" } else { "0" });
        }
        Value::Number(number) => match number.truncate().filter(|_| number.is_integer()) {
            Some(integer) => {
                let _ = write!(out, "{integer:x}");
            }
            None => {
                let _ = write!(out, "{number}");
            }
        },
        // The length marks the end of the text.
        Value::String(text) => {
            let _ = write!(out, "{}:{text}", text.len());
        }
        Value::List(_, items) | Value::Set(_, items) | Value::Tuple(items) => {
            out.push('[');
            for item in items.iter() {
                write_identity(out, item, signed_zeros);
                out.push(';');
            }
            out.push(']');
        }
        Value::Map(_, entries) | Value::Object(entries) => {
            out.push('{');
            for (name, value) in entries.iter() {
                let _ = write!(out, "{}:{name}", name.len());
                write_identity(out, value, signed_zeros);
                out.push(';');
            }
            out.push('}');
        }
    }
}
