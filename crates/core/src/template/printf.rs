//! Go's `print`, `println` and `printf`, with the verbs that templates use.

use super::{Json, Value};

/// Joins values, with a space between two that are not strings.
pub(super) fn print(values: &[Value]) -> String {
    let mut text = String::new();
    let mut before_is_text = true;
    for value in values {
        let is_text = matches!(value, Value::String(_));
        if !text.is_empty() && !before_is_text && !is_text {
            text.push(' ');
        }
        text.push_str(&value.to_string());
        before_is_text = is_text;
    }
    text
}

/// Joins values with spaces and appends a newline.
pub(super) fn println(values: &[Value]) -> String {
    let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    format!("{}\n", texts.join(" "))
}

/// Supports `%s %v %d %q %t %x %f %%`, with width, precision, `-` and `0`.
pub(super) fn printf(format: &str, values: &[Value]) -> String {
    let mut text = String::new();
    let mut values = values.iter();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        let mut verb = Verb::default();
        while let Some(flag) = chars.next_if(|c| matches!(c, '-' | '0' | '+' | '#' | ' ')) {
            verb.left |= flag == '-';
            verb.zeros |= flag == '0';
        }
        let number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut digits = String::new();
            while let Some(digit) = chars.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            digits
                .parse::<usize>()
                .ok()
                .map(|number| number.min(1 << 12))
        };
        verb.width = number(&mut chars).unwrap_or_default();
        if chars.next_if_eq(&'.').is_some() {
            verb.precision = Some(number(&mut chars).unwrap_or_default());
        }
        match chars.next() {
            Some('%') => text.push('%'),
            Some(letter) => match values.next() {
                Some(value) => text.push_str(&verb.apply(letter, value)),
                None => text.push_str(&format!("%!{letter}(MISSING)")),
            },
            None => text.push_str("%!(NOVERB)"),
        }
    }
    text
}

#[derive(Default)]
struct Verb {
    left: bool,
    zeros: bool,
    width: usize,
    precision: Option<usize>,
}

impl Verb {
    fn apply(&self, letter: char, value: &Value) -> String {
        let shown = match (letter, value) {
            ('q', value) => Value::String(value.to_string()).to_json(Json::Compact),
            ('x', Value::Int(value)) => format!("{value:x}"),
            ('f', Value::Float(value)) => format!("{value:.*}", self.precision.unwrap_or(6)),
            ('f', Value::Int(value)) => format!("{value}.{:0>1$}", 0, self.precision.unwrap_or(6)),
            ('s' | 'v', value) => match self.precision {
                Some(precision) => value.to_string().chars().take(precision).collect(),
                None => value.to_string(),
            },
            ('d', Value::Int(_)) | ('t', Value::Bool(_)) => value.to_string(),
            (letter, value) => format!("%!{letter}({value})"),
        };
        let missing = self.width.saturating_sub(shown.chars().count());
        let number = matches!(value, Value::Int(_) | Value::Float(_));
        match (self.left, self.zeros && number) {
            (true, _) => shown + &" ".repeat(missing),
            (false, true) => "0".repeat(missing) + &shown,
            (false, false) => " ".repeat(missing) + &shown,
        }
    }
}
