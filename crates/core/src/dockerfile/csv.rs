//! One line of comma-separated values: the syntax of `--mount` and `--device`.

use std::borrow::Cow;

/// The line has no fields or malformed quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CsvError {
    /// The line is empty.
    Empty,
    /// A `"` inside an unquoted field, or text after the closing one.
    StrayQuote,
    /// A quoted field does not end.
    Unclosed,
}

/// Returns the fields of the line: plain, or in double quotes with `""` for a quote.
pub fn fields(line: &str) -> Result<Vec<String>, CsvError> {
    Ok(borrowed_fields(line)?
        .into_iter()
        .map(Cow::into_owned)
        .collect())
}

/// Like [`fields`], but borrows plain fields.
pub(super) fn borrowed_fields(line: &str) -> Result<Vec<Cow<'_, str>>, CsvError> {
    let line = line
        .strip_suffix('\n')
        .map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
    if line.is_empty() {
        return Err(CsvError::Empty);
    }
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(inside) => quoted_field(inside)?,
            None => plain_field(rest)?,
        };
        fields.push(field);
        match after {
            Some(after) => rest = after,
            None => return Ok(fields),
        }
    }
}

/// A field, and the rest after its comma if there is one.
type Field<'a> = Result<(Cow<'a, str>, Option<&'a str>), CsvError>;

fn plain_field(text: &str) -> Field<'_> {
    let (field, after) = text
        .split_once(',')
        .map_or((text, None), |(field, after)| (field, Some(after)));
    if field.contains('"') {
        return Err(CsvError::StrayQuote);
    }
    Ok((Cow::Borrowed(field), after))
}

fn quoted_field(text: &str) -> Field<'_> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"').ok_or(CsvError::Unclosed)?;
        field.push_str(before);
        rest = match after.strip_prefix('"') {
            Some(after) => after,
            None if after.is_empty() => return Ok((Cow::Owned(field), None)),
            None => {
                return Ok((
                    Cow::Owned(field),
                    Some(after.strip_prefix(',').ok_or(CsvError::StrayQuote)?),
                ));
            }
        };
        field.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_split_at_commas_outside_quotes() {
        assert_eq!(
            fields("a,b=c,,"),
            Ok(vec!["a".into(), "b=c".into(), String::new(), String::new()])
        );
        assert_eq!(
            fields("\"a,\"\"b\"\"\",c\r\n"),
            Ok(vec!["a,\"b\"".into(), "c".into()])
        );
    }

    #[test]
    fn wrong_quotes_are_rejected() {
        assert_eq!(fields(""), Err(CsvError::Empty));
        assert_eq!(fields("a\"b"), Err(CsvError::StrayQuote));
        assert_eq!(fields("\"a\"b"), Err(CsvError::StrayQuote));
        assert_eq!(fields("\"a"), Err(CsvError::Unclosed));
    }
}
