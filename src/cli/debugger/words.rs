//! The words of a command at the debugger's prompt.

/// Splits a line into words. Quotes and backslashes work as in a shell; `None` if a quote is open.
pub(crate) fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        match (quote, char) {
            (Some(open), char) if char == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(char);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().push(chars.next()?),
            (None, char) if char.is_whitespace() => words.extend(word.take()),
            (_, char) => word.get_or_insert_default().push(char),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        let words = |line| split(line).unwrap();
        assert_eq!(
            words("  exec  sh -c 'a  b' \"c d\"e \\\" ''"),
            ["exec", "sh", "-c", "a  b", "c de", "\"", ""]
        );
        assert!(words(" ").is_empty());
        assert_eq!(split("exec 'open"), None);
        assert_eq!(split("end\\"), None);
    }
}
