//! `--buildkitd-flags`: splits a text into words like a shell, without other shell features.

use super::Error;

/// Splits a text into words separated by blanks; `'…'`, `"…"` and `\` protect blanks.
///
/// # Errors
/// [`Error::Words`] if a quote is not closed.
pub fn split_words(text: &str) -> Result<Vec<String>, Error> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.chars();
    let wrong = |reason| Error::Words {
        text: text.to_owned(),
        reason,
    };
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\\' => match letters.next() {
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err(wrong("nothing follows the last \\")),
            },
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match letters.next() {
                        None => return Err(wrong("a quote is not closed")),
                        Some(end) if end == letter => break,
                        Some('\\') if letter == '"' => match letters.next() {
                            Some(next @ ('"' | '\\')) => word.push(next),
                            Some(next) => word.extend(['\\', next]),
                            None => return Err(wrong("a quote is not closed")),
                        },
                        Some(inner) => word.push(inner),
                    }
                }
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        let words = split_words(r#"--debug  --oci-worker-net='a b' "x\"y" c\ d '' "#).unwrap();
        assert_eq!(
            words,
            ["--debug", "--oci-worker-net=a b", "x\"y", "c d", ""]
        );
        assert!(split_words("").unwrap().is_empty());
        assert!(split_words("'a").is_err());
        assert!(split_words("a\\").is_err());
    }
}
