//! Comma-separated values, as in `type=registry,ref=user/app`.

/// Returns the fields of one line of CSV, with quotes as in Go's `encoding/csv`.
///
/// # Errors
/// If a quote is in the wrong place or not closed.
pub fn csv_fields(text: &str) -> Result<Vec<String>, CsvError> {
    csv_fields_by(text, ',')
}

/// The reason a line of comma-separated values is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsvError {
    /// A quote inside an unquoted field.
    #[error("a quote inside a field without quotes")]
    BareQuote,
    /// No quote at the end of a quoted field, or text after it.
    #[error("a quoted field does not end with a quote")]
    Quote,
}

/// Like [`csv_fields`], with another separator.
pub(crate) fn csv_fields_by(text: &str, separator: char) -> Result<Vec<String>, CsvError> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    let mut fields = Vec::new();
    let mut rest = Some(text);
    while let Some(part) = rest {
        let (field, after) = match part.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted, separator)?,
            None => plain_field(part, separator)?,
        };
        fields.push(field);
        rest = after;
    }
    Ok(fields)
}

/// Parses a field without quotes; returns it and the text after its separator.
fn plain_field(part: &str, separator: char) -> Result<(String, Option<&str>), CsvError> {
    let (field, after) = match part.split_once(separator) {
        Some((field, after)) => (field, Some(after)),
        None => (part, None),
    };
    if field.contains('"') {
        return Err(CsvError::BareQuote);
    }
    Ok((field.to_owned(), after))
}

/// Parses a field after its opening quote; returns it and the text after its separator.
fn quoted_field(mut part: &str, separator: char) -> Result<(String, Option<&str>), CsvError> {
    let mut field = String::new();
    loop {
        let (text, after) = part.split_once('"').ok_or(CsvError::Quote)?;
        field.push_str(text);
        if let Some(more) = after.strip_prefix('"') {
            field.push('"');
            part = more;
        } else if after.is_empty() {
            return Ok((field, None));
        } else {
            let after = after.strip_prefix(separator).ok_or(CsvError::Quote)?;
            return Ok((field, Some(after)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_protect_the_separator() {
        assert_eq!(
            csv_fields(r#"type=local,"dest=a,b",x=""#).unwrap_err(),
            CsvError::BareQuote
        );
        assert_eq!(
            csv_fields(r#"type=local,"dest=a,""b""""#),
            Ok(vec!["type=local".into(), r#"dest=a,"b""#.into()])
        );
        assert_eq!(csv_fields(r#""a"b"#), Err(CsvError::Quote));
        assert_eq!(csv_fields("a,"), Ok(vec!["a".into(), String::new()]));
    }
}
