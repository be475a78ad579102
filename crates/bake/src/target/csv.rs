//! Comma-separated values, as in `type=registry,ref=user/app`.

use std::borrow::Cow;

use solvekit_core::text;
pub use solvekit_core::text::CsvError;

/// Returns the fields of one line of CSV, with quotes as in Go's `encoding/csv`.
///
/// # Errors
/// If a quote is in the wrong place or not closed.
pub fn csv_fields(text: &str) -> Result<Vec<String>, CsvError> {
    csv_fields_by(text, ',')
}

/// Like [`csv_fields`], with another separator.
pub(crate) fn csv_fields_by(text: &str, separator: char) -> Result<Vec<String>, CsvError> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    let fields = text::csv_fields_by(text, separator)?;
    Ok(fields.into_iter().map(Cow::into_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_line_is_no_field() {
        for text in ["a,\"b,c\"", "a,\"b,c\"\r", "a,\"b,c\"\n", "a,\"b,c\"\r\n"] {
            assert_eq!(csv_fields(text).unwrap(), ["a", "b,c"], "{text:?}");
        }
        assert_eq!(csv_fields("").unwrap(), [""]);
    }

    #[test]
    fn misplaced_quotes_are_rejected() {
        assert_eq!(csv_fields("x=\""), Err(CsvError::QuoteInside));
        assert_eq!(csv_fields("\"a\"b"), Err(CsvError::AfterQuote));
    }
}
