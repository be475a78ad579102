//! One record of comma-separated values: the syntax of `--output`, `--mount` and attributes of bake
//! files. Callers remove the end of the line, because the rules for it differ.

use std::borrow::Cow;

/// The reason a text is not one CSV record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsvError {
    /// A quote in the middle of a field.
    #[error("a quote stands inside an unquoted field")]
    QuoteInside,
    /// Text between a closing quote and the next separator.
    #[error("text follows a closing quote")]
    AfterQuote,
    /// The text ends inside quotes.
    #[error("a quote is not closed")]
    NotClosed,
}

/// Splits one CSV record of a flag such as `--output` into fields. A field in double quotes may
/// contain commas, and `""` for a quote.
///
/// # Errors
/// [`CsvError`] for misplaced quotes.
pub fn csv_fields(text: &str) -> Result<Vec<String>, CsvError> {
    let fields = csv_fields_by(text, ',')?;
    Ok(fields.into_iter().map(Cow::into_owned).collect())
}

/// Like [`csv_fields`], with another separator. Fields without quotes are borrowed.
///
/// # Errors
/// [`CsvError`] for misplaced quotes.
pub fn csv_fields_by(text: &str, separator: char) -> Result<Vec<Cow<'_, str>>, CsvError> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(inside) => quoted_field(inside)?,
            None => plain_field(rest, separator)?,
        };
        fields.push(field);
        match after.strip_prefix(separator) {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(fields),
            None => return Err(CsvError::AfterQuote),
        }
    }
}

/// A field and the text after it.
type Field<'a> = Result<(Cow<'a, str>, &'a str), CsvError>;

fn plain_field(text: &str, separator: char) -> Field<'_> {
    let (field, after) = text.split_at(text.find(separator).unwrap_or(text.len()));
    match field.contains('"') {
        true => Err(CsvError::QuoteInside),
        false => Ok((Cow::Borrowed(field), after)),
    }
}

/// Parses a field after its opening quote.
fn quoted_field(text: &str) -> Field<'_> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"').ok_or(CsvError::NotClosed)?;
        field.push_str(before);
        match after.strip_prefix('"') {
            Some(next) => rest = next,
            None => return Ok((Cow::Owned(field), after)),
        }
        field.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_split_at_separators_outside_quotes() {
        for (text, fields) in [
            ("", &[""][..]),
            ("a,b=c,,", &["a", "b=c", "", ""]),
            (r#""a,""b""",c"#, &[r#"a,"b""#, "c"]),
            (r#"type=local,"dest=a,b""#, &["type=local", "dest=a,b"]),
            ("\"a\nb\",c\n", &["a\nb", "c\n"]),
        ] {
            assert_eq!(csv_fields(text).unwrap(), fields, "{text:?}");
        }
        assert_eq!(csv_fields_by("a,b:\":\"", ':').unwrap(), ["a,b", ":"]);
    }

    #[test]
    fn plain_fields_are_borrowed() {
        let fields = csv_fields_by("a,\"b\"", ',').unwrap();
        assert!(matches!(fields[..], [Cow::Borrowed("a"), Cow::Owned(_)]));
    }

    #[test]
    fn misplaced_quotes_are_rejected() {
        for (text, error) in [
            ("a\"b", CsvError::QuoteInside),
            (r#"a,x="""#, CsvError::QuoteInside),
            ("\"a\"b", CsvError::AfterQuote),
            ("\"a\"\n", CsvError::AfterQuote),
            ("\"a", CsvError::NotClosed),
            ("a,\"", CsvError::NotClosed),
        ] {
            assert_eq!(csv_fields(text), Err(error), "{text:?}");
        }
    }
}
