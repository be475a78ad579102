//! Text for people: sizes, durations, and lines that fit a terminal's width.

use std::time::Duration;

use super::event::VertexStatus;
use crate::text::clip;

/// Formats a size in decimal units with two digits, e.g. `12.34MB`; below a kilobyte in whole
/// bytes, e.g. `999B`.
pub(super) fn bytes(size: i64) -> String {
    const UNITS: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    let mut unit = 0;
    let mut base: u64 = 1;
    while unit + 1 < UNITS.len() && size.unsigned_abs() >= base * 1000 {
        base *= 1000;
        unit += 1;
    }
    if unit == 0 {
        return format!("{size}B");
    }
    format!("{:.2}{}", size as f64 / base as f64, UNITS[unit])
}

/// As [`bytes`].
pub(crate) fn size(bytes: u64) -> String {
    self::bytes(i64::try_from(bytes).unwrap_or(i64::MAX))
}

/// Formats a transfer's bytes, e.g. `1.20kB / 3.40MB`; empty if unknown.
pub(super) fn moved(transfer: &VertexStatus) -> String {
    match (transfer.current, transfer.total) {
        (0, 0) => String::new(),
        (current, 0) => bytes(current),
        (current, total) => format!("{} / {}", bytes(current), bytes(total)),
    }
}

/// Formats seconds with one digit, e.g. `12.3s`.
pub(super) fn seconds(duration: Duration) -> String {
    format!("{:.1}s", duration.as_secs_f64())
}

/// Formats the time before a log line: seconds with enough digits for a constant width, e.g.
/// `0.123`.
pub(super) fn log_time(at: Duration) -> String {
    let seconds = at.as_secs_f64();
    let digits = match seconds {
        ..10.0 => 3,
        ..100.0 => 2,
        _ => 1,
    };
    format!("{seconds:.digits$}")
}

/// Returns a line of exactly `columns` columns: left and right text with spaces between; the left
/// one is cut if necessary.
///
/// Without room for both, the right text is omitted.
pub(super) fn justify(left: &str, right: &str, columns: usize) -> String {
    let (right, right_columns) = clip(right, columns);
    let room = columns.saturating_sub(right_columns + usize::from(!right.is_empty()));
    if room < columns / 2 {
        let (left, used) = clip(left, columns);
        return format!("{left}{:1$}", "", columns - used);
    }
    let (left, used) = clip(left, room);
    format!("{left}{:1$}{right}", "", columns - used - right_columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_decimal() {
        let cases = [
            (0, "0B"),
            (999, "999B"),
            (1000, "1.00kB"),
            (1234, "1.23kB"),
            (12_345_678, "12.35MB"),
            (-5000, "-5.00kB"),
            (i64::MAX, "9.22EB"),
            (i64::MIN, "-9.22EB"),
        ];
        for (size, expected) in cases {
            assert_eq!(bytes(size), expected);
        }
    }

    #[test]
    fn log_times_keep_their_width() {
        let times = [1, 12_340, 123_400].map(|millis| log_time(Duration::from_millis(millis)));
        assert_eq!(times, ["0.001", "12.34", "123.4"]);
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(clip("日本語", 5), ("日本", 4));
        assert_eq!(clip("e\u{301}x", 1), ("e\u{301}", 1));
        assert_eq!(justify("日本語", "1s", 8), "日本  1s");
    }

    #[test]
    fn a_line_has_the_columns_it_should() {
        for columns in 0..40 {
            let line = justify("a name that is long enough", "12.3s", columns);
            assert_eq!(line.chars().count(), columns, "{line:?}");
        }
        assert_eq!(justify("ab", "1s", 7), "ab   1s");
        assert_eq!(justify("abcdefg", "1s", 7), "abcd 1s");
        assert_eq!(justify("abcdefg", "1s", 4), "abcd");
    }
}
