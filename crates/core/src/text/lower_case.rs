//! Lower case without a copy.

use std::borrow::Cow;

/// Returns the text in lower case; borrowed if it is ASCII without capitals.
pub(crate) fn lower_case(text: &str) -> Cow<'_, str> {
    match text
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
    {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_texts_are_copied() {
        assert!(matches!(lower_case("a_1"), Cow::Borrowed("a_1")));
        assert_eq!(lower_case("aB"), "ab");
        assert_eq!(lower_case("\u{c4}\u{212a}"), "\u{e4}k");
    }
}
