//! Formats values as Go's `fmt` does: the history of an image contains such texts.

use std::fmt::Write;

/// `%q` of a list: `["a" "b"]`.
pub(super) fn quoted_list(items: &[String]) -> String {
    let mut text = String::from("[");
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            text.push(' ');
        }
        push_quoted(&mut text, item);
    }
    text.push(']');
    text
}

/// `%v` of a list: `[a b]`.
pub(super) fn list<T: AsRef<str>>(items: &[T]) -> String {
    let mut text = String::from("[");
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            text.push(' ');
        }
        text.push_str(item.as_ref());
    }
    text.push(']');
    text
}

/// `%v` of a duration in nanoseconds: `1m30s`, `1.5s`, `0s`.
pub(super) fn duration(nanoseconds: i64) -> String {
    let total = nanoseconds.unsigned_abs();
    let sign = if nanoseconds < 0 { "-" } else { "" };
    if total == 0 {
        return "0s".to_owned();
    }
    if total < 1_000_000_000 {
        let (unit, digits) = match total {
            ..1_000 => ("ns", 0),
            1_000..1_000_000 => ("µs", 3),
            _ => ("ms", 6),
        };
        return format!("{sign}{}{unit}", decimal(total, digits));
    }
    let (minutes, seconds) = (total / 60_000_000_000, total % 60_000_000_000);
    let seconds = decimal(seconds, 9);
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
        (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// Formats `value` divided by ten to the power of `digits`, without trailing zeros.
fn decimal(value: u64, digits: u32) -> String {
    let base = 10_u64.pow(digits);
    let (whole, fraction) = (value / base, value % base);
    if fraction == 0 {
        return whole.to_string();
    }
    let fraction = format!("{fraction:0width$}", width = digits as usize);
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

/// `%q` of a string.
fn push_quoted(text: &mut String, item: &str) {
    text.push('"');
    for c in item.chars() {
        match c {
            '"' | '\\' => {
                text.push('\\');
                text.push(c);
            }
            '\u{7}' => text.push_str("\\a"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{b}' => text.push_str("\\v"),
            ' '..='~' => text.push(c),
            _ if is_printed(c) => text.push(c),
            // Writing to a String cannot fail.
            _ => drop(match c as u32 {
                code @ ..0x80 => write!(text, "\\x{code:02x}"),
                code @ ..0x1_0000 => write!(text, "\\u{code:04x}"),
                code => write!(text, "\\U{code:08x}"),
            }),
        }
    }
    text.push('"');
}

/// True for letters, marks, numbers, punctuation and symbols; Rust's debug form has the same
/// classes.
fn is_printed(c: char) -> bool {
    let mut pair = [0; 8];
    // Combining marks after another character are not escaped.
    pair[0] = b'x';
    let len = 1 + c.encode_utf8(&mut pair[1..]).len();
    std::str::from_utf8(&pair[..len]).is_ok_and(|pair| pair.escape_debug().count() == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_go_s() {
        let items = [
            "a b".to_owned(),
            "\"\\\n\u{1}\u{7f}é\u{301}\u{200b}\u{1f600}'".to_owned(),
        ];
        assert_eq!(
            quoted_list(&items),
            "[\"a b\" \"\\\"\\\\\\n\\x01\\x7fé\u{301}\\u200b\u{1f600}'\"]"
        );
        assert_eq!(list(&items[..1]), "[a b]");
        assert_eq!(quoted_list(&[]), "[]");
    }

    #[test]
    fn durations_are_go_s() {
        for (nanoseconds, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1µs"),
            (2_200_000, "2.2ms"),
            (3_000_000_000, "3s"),
            (90_500_000_000, "1m30.5s"),
            (3_600_000_000_000, "1h0m0s"),
            (5_025_000_000_000, "1h23m45s"),
            (-1_500_000_000, "-1.5s"),
        ] {
            assert_eq!(duration(nanoseconds), text);
        }
    }
}
