//! One line of comma-separated values: the syntax of `--mount` and `--device`.

use std::borrow::Cow;

use crate::text::csv_fields_by;

/// Returns the fields of the line: plain, or in double quotes with `""` for a quote. `None` if the
/// line is empty, or a quote is in the wrong place.
pub fn fields(line: &str) -> Option<Vec<String>> {
    let fields = borrowed_fields(line)?.into_iter();
    Some(fields.map(Cow::into_owned).collect())
}

/// Like [`fields`], but borrows plain fields.
pub(super) fn borrowed_fields(line: &str) -> Option<Vec<Cow<'_, str>>> {
    let line = line
        .strip_suffix('\n')
        .map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
    match line.is_empty() {
        true => None,
        false => csv_fields_by(line, ',').ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_line_is_no_field() {
        for text in ["a,\"b,c\"", "a,\"b,c\"\n", "a,\"b,c\"\r\n"] {
            assert_eq!(fields(text).unwrap(), ["a", "b,c"], "{text:?}");
        }
        assert_eq!(fields("a\r").unwrap(), ["a\r"]);
    }

    #[test]
    fn empty_lines_and_misplaced_quotes_have_no_fields() {
        for text in ["", "\n", "\r\n", "a\"b", "\"a\"b", "\"a"] {
            assert_eq!(fields(text), None, "{text:?}");
        }
    }
}
