//! Removes the numbers that Rust's I/O errors end with: nobody looks them up.

use std::borrow::Cow;

const BEGIN: &str = " (os error ";

/// Returns the text without ` (os error N)`.
///
/// ```
/// let text = "cannot read a: No such file or directory (os error 2)";
/// assert_eq!(
///     solvekit_core::text::without_error_numbers(text),
///     "cannot read a: No such file or directory"
/// );
/// ```
pub fn without_error_numbers(text: &str) -> Cow<'_, str> {
    if !text.contains(BEGIN) {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split(BEGIN);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_number = |number: &str| {
            let digits = number.strip_prefix('-').unwrap_or(number);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        match part.split_once(')') {
            Some((number, rest)) if is_number(number) => out.push_str(rest),
            _ => {
                out.push_str(BEGIN);
                out.push_str(part);
            }
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_are_removed() {
        for (text, expected) in [
            ("a (os error 2)", "a"),
            ("a (os error 2): b (os error -5), c", "a: b, c"),
            ("a (os error )", "a (os error )"),
            ("a (os error x)", "a (os error x)"),
            ("a (os error 2", "a (os error 2"),
            ("a", "a"),
        ] {
            assert_eq!(without_error_numbers(text), expected);
        }
    }
}
