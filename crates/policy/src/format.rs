//! `sprintf` with Go's formatting of a policy's values and bounded widths. (regorus' own panics on
//! digits of other scripts and pads without limit.)

use regorus::Value;

const MAX_WIDTH: usize = 4096;

#[derive(Default)]
struct Flags {
    left: bool,
    plus: bool,
    zero: bool,
    sharp: bool,
    space: bool,
    width: usize,
    precision: Option<usize>,
}

pub(crate) fn sprintf(template: &str, arguments: &[&Value]) -> String {
    let mut out = String::with_capacity(template.len());
    let mut arguments = arguments.iter().copied();
    let mut rest = template;
    while let Some((text, tail)) = rest.split_once('%') {
        out.push_str(text);
        let (flags, tail) = flags(tail);
        let mut letters = tail.chars();
        match letters.next() {
            None => out.push_str("%!(NOVERB)"),
            Some('%') => out.push('%'),
            Some(verb) => match arguments.next() {
                Some(value) => out.push_str(&padded(&verb_text(verb, value, &flags), &flags)),
                None => out.push_str(&format!("%!{verb}(MISSING)")),
            },
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
    let extra: Vec<String> = arguments
        .map(|value| format!("{}={}", kind(value), plain(value)))
        .collect();
    if !extra.is_empty() {
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    out
}

fn flags(text: &str) -> (Flags, &str) {
    let mut flags = Flags::default();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        match letter {
            '-' => flags.left = true,
            '+' => flags.plus = true,
            '0' => flags.zero = true,
            '#' => flags.sharp = true,
            ' ' => flags.space = true,
            _ => break,
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    (flags.width, rest) = number(rest);
    if let Some(tail) = rest.strip_prefix('.') {
        let (precision, tail) = number(tail);
        flags.precision = Some(precision);
        rest = tail;
    }
    (flags, rest)
}

fn number(text: &str) -> (usize, &str) {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.get(..text.len() - rest.len()).unwrap_or_default();
    let value = digits
        .parse()
        .unwrap_or(if digits.is_empty() { 0 } else { MAX_WIDTH });
    (value.min(MAX_WIDTH), rest)
}

fn verb_text(verb: char, value: &Value, flags: &Flags) -> String {
    let integer = value
        .as_i128()
        .ok()
        .filter(|_| matches!(value, Value::Number(_)));
    match (verb, value, integer) {
        ('s' | 'v', Value::String(text), _) => match flags.precision {
            Some(most) if verb == 's' => text.chars().take(most).collect(),
            _ => text.to_string(),
        },
        ('q', Value::String(text), _) => quoted(text),
        ('x', Value::String(text), _) => crate::git_object::hex(text.as_bytes()),
        ('d', _, Some(number)) => signed(number, number.unsigned_abs().to_string(), flags),
        ('x', _, Some(number)) => signed(number, format!("{:x}", number.unsigned_abs()), flags),
        ('X', _, Some(number)) => signed(number, format!("{:X}", number.unsigned_abs()), flags),
        ('o', _, Some(number)) => signed(number, format!("{:o}", number.unsigned_abs()), flags),
        ('b', _, Some(number)) => signed(number, format!("{:b}", number.unsigned_abs()), flags),
        ('c', _, Some(number)) => {
            let letter = u32::try_from(number).ok().and_then(char::from_u32);
            letter.unwrap_or(char::REPLACEMENT_CHARACTER).to_string()
        }
        ('e' | 'f' | 'F' | 'g', Value::Number(_), None) => float(verb, value, flags),
        ('t', Value::Bool(truth), _) => truth.to_string(),
        ('v', _, _) => plain(value),
        // OPA formats values other than numbers and strings as the text of the term.
        ('s', _, _) if !matches!(value, Value::Number(_)) => plain(value),
        _ => format!("%!{verb}({}={})", kind(value), plain(value)),
    }
}

fn signed(number: i128, digits: String, flags: &Flags) -> String {
    let sign = match number {
        ..0 => "-",
        _ if flags.plus => "+",
        _ if flags.space => " ",
        _ => "",
    };
    let width = flags.width.saturating_sub(sign.len());
    let zeros = if flags.zero && !flags.left { width } else { 0 };
    format!("{sign}{digits:0>zeros$}")
}

fn float(verb: char, value: &Value, flags: &Flags) -> String {
    let Ok(number) = value.as_f64() else {
        return plain(value);
    };
    let precision = flags.precision.unwrap_or(6);
    match verb {
        'f' | 'F' => format!("{number:.precision$}"),
        'e' => format!("{number:.precision$e}"),
        _ => number.to_string(),
    }
}

fn padded(text: &str, flags: &Flags) -> String {
    let width = flags.width;
    if flags.left {
        format!("{text:<width$}")
    } else {
        format!("{text:>width$}")
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "string",
        Value::Number(_) if value.as_i128().is_ok() => "int",
        Value::Number(_) => "float64",
        _ => "string",
    }
}

/// Formats a value like OPA.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        Value::Undefined => "<undefined>".to_owned(),
        _ => value.to_json_str().unwrap_or_default(),
    }
}
