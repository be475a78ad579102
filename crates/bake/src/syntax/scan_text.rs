//! Lengths of pieces of text in quotes, heredocs and bare templates.

/// Returns the length of a `$` or `%` that does not open an interpolation: `$${` is one piece, any
/// other `$` its own. `None` for another character, or none.
pub(super) fn marker_length(text: &str) -> Option<usize> {
    let marker = text.chars().next().filter(|first| "$%".contains(*first))?;
    let after = &text[1..];
    let escaped = after
        .strip_prefix(marker)
        .and_then(|rest| rest.strip_prefix('{'));
    match escaped {
        Some(rest) if rest.starts_with('~') => Some(4),
        Some(_) => Some(3),
        None if after.is_empty() => None,
        None => Some(1),
    }
}

/// Returns the length of quoted text up to a newline, a quote, `$` or `%`; escapes are included.
pub(super) fn quoted_length(text: &str) -> usize {
    let mut characters = text.char_indices();
    while let Some((at, next)) = characters.next() {
        match next {
            '"' | '$' | '%' | '\r' | '\n' => return at,
            '\\' => match characters.next() {
                None | Some((_, '\r' | '\n')) => return at,
                Some(_) => {}
            },
            _ => {}
        }
    }
    text.len()
}

/// Returns the length of the text up to a newline, `$` or `%`.
pub(super) fn plain_length(text: &str) -> usize {
    text.find(['$', '%', '\r', '\n']).unwrap_or(text.len())
}
