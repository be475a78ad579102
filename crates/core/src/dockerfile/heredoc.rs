//! Heredocs: finds the words of a line that start one, and parses these words.

use super::instruction::Heredoc;
use super::lexer::{ExpandError, Lexer};

/// Returns the heredocs that a line starts, with empty bodies. A quoted `<<EOF` starts none;
/// neither does any word on a line with unclosed quotes.
///
/// # Errors
/// If a word like `<<${x?}` cannot be expanded.
pub(super) fn heredocs_of_line(line: &str) -> Result<Vec<Heredoc>, ExpandError> {
    let lexer = Lexer {
        raw_quotes: true,
        raw_escapes: true,
        keep_unset: true,
        ..Lexer::new('\\')
    };
    let words = lexer.expand_words(line, &()).unwrap_or_default();
    let mut heredocs = Vec::new();
    for word in &words {
        heredocs.extend(parse_heredoc(word)?);
    }
    Ok(heredocs)
}

/// Parses a word of the form `[number]<<[-]name`, with blanks allowed before the name; `None` if
/// the word is something else.
///
/// # Errors
/// If the name cannot be expanded.
pub fn parse_heredoc(word: &str) -> Result<Option<Heredoc>, ExpandError> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let Some(after) = word[digits..].strip_prefix("<<") else {
        return Ok(None);
    };
    let (chomp, after) = after
        .strip_prefix('-')
        .map_or((false, after), |after| (true, after));
    let name = after.trim_start_matches(['\t', '\n', '\x0c', '\r', ' ']);
    if name.is_empty() || name.contains('<') {
        return Ok(None);
    }
    let file_descriptor = file_descriptor(&word[..digits]);
    if is_plain(name) {
        return Ok(Some(Heredoc {
            name: name.to_owned(),
            content: String::new(),
            chomp,
            expand: true,
            file_descriptor,
        }));
    }
    let lexer = Lexer {
        keep_unset: true,
        ..Lexer::new('\\')
    };
    let mut plain = lexer.expand_words(name, &())?;
    let mut raw = Lexer {
        raw_quotes: true,
        ..lexer
    }
    .expand_words(name, &())?;
    let (Some(plain), true, Some(raw), true) =
        (plain.pop(), plain.is_empty(), raw.pop(), raw.is_empty())
    else {
        return Ok(None);
    };
    Ok(Some(Heredoc {
        // Quotes that are only in the raw form are quotes of the word.
        expand: quotes(&plain) == quotes(&raw),
        name: plain,
        content: String::new(),
        chomp,
        file_descriptor,
    }))
}

/// True for a name that is one word, whatever the rules for reading words.
fn is_plain(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

/// Removes the tabs at the beginning of lines, for `<<-`.
pub fn chomp(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| line.trim_start_matches('\t'))
        .collect()
}

fn quotes(word: &str) -> usize {
    word.bytes()
        .filter(|byte| matches!(byte, b'\'' | b'"'))
        .count()
}

/// A number that is too large becomes the largest one, as in BuildKit.
fn file_descriptor(digits: &str) -> u64 {
    if digits.is_empty() {
        0
    } else {
        digits.parse().unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<String> {
        heredocs_of_line(line)
            .unwrap()
            .into_iter()
            .map(|heredoc| heredoc.name)
            .collect()
    }

    #[test]
    fn a_line_may_begin_several() {
        assert_eq!(
            names("RUN cat <<A 3<<-'B c' <<\"D\" > x"),
            ["A", "B c", "D"]
        );
        assert_eq!(names("RUN cat << EOF"), ["EOF"]);
        assert_eq!(names("RUN echo $((1 <<2))"), ["2))"]);
    }

    #[test]
    fn quoted_and_unclosed_signs_begin_none() {
        assert!(names("RUN echo '<<EOF'").is_empty());
        assert!(names("RUN cat <<EOF 'x").is_empty());
        assert!(names("RUN cat <<<EOF x<<EOF <<").is_empty());
    }

    #[test]
    fn a_quoted_name_means_a_body_without_variables() {
        let heredoc = |word| parse_heredoc(word).unwrap().unwrap();
        assert!(heredoc("<<EOF").expand);
        assert!(heredoc("<<E\\OF").expand);
        assert!(!heredoc("<<'EOF'").expand);
        assert!(!heredoc("<<E\"O\"F").expand);
        let full = heredoc("3<<-EOF");
        assert_eq!(
            (full.name.as_str(), full.chomp, full.file_descriptor),
            ("EOF", true, 3)
        );
        assert!(parse_heredoc("<<'EOF").is_err());
    }

    #[test]
    fn chomping_takes_leading_tabs_only() {
        assert_eq!(chomp("\t\ta\t\n \tb\n\n\tc"), "a\t\n \tb\n\nc");
    }
}
