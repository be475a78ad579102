//! Patterns of names with the syntax of Go's `path.Match`: `*`, `?`, `[a-z]`, `\`.

/// A pattern with an unclosed bracket or a backslash at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pattern has an unclosed bracket or ends with a backslash")]
pub(super) struct BadPattern;

/// A piece of a pattern.
enum Piece {
    /// `*`
    Any,
    /// `?`
    One,
    Literal(char),
    /// `[…]`: ranges, or a negated class.
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// True if `text` contains characters that make it a pattern.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', ']'])
}

/// A compiled pattern.
pub(super) struct Pattern(Vec<Piece>);

impl Pattern {
    /// Compiles a pattern.
    pub(super) fn parse(text: &str) -> Result<Self, BadPattern> {
        let mut characters = text.chars().peekable();
        let mut pieces = Vec::new();
        while let Some(next) = characters.next() {
            pieces.push(match next {
                '*' => Piece::Any,
                '?' => Piece::One,
                '\\' => Piece::Literal(characters.next().ok_or(BadPattern)?),
                '[' => {
                    let negated = characters.next_if_eq(&'^').is_some();
                    let mut ranges = Vec::new();
                    while ranges.is_empty() || characters.next_if_eq(&']').is_none() {
                        let low = class_character(&mut characters)?;
                        let high = match characters.next_if_eq(&'-') {
                            Some(_) => class_character(&mut characters)?,
                            None => low,
                        };
                        ranges.push((low, high));
                    }
                    Piece::Class { negated, ranges }
                }
                other => Piece::Literal(other),
            });
        }
        Ok(Self(pieces))
    }

    /// True if the pattern matches all of `text`. Names have no slashes, so `*` matches anything.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let (mut piece, mut at) = (0, 0);
        // The position of the last `*`, and of the text that it reaches.
        let mut star: Option<(usize, usize)> = None;
        while at < text.len() {
            let fits = match self.0.get(piece) {
                Some(Piece::Any) => {
                    star = Some((piece, at));
                    piece += 1;
                    continue;
                }
                Some(Piece::One) => text[at] != '/',
                Some(Piece::Literal(literal)) => *literal == text[at],
                Some(Piece::Class { negated, ranges }) => {
                    let inside = |(low, high): &(char, char)| (*low..=*high).contains(&text[at]);
                    ranges.iter().any(inside) != *negated
                }
                None => false,
            };
            match (fits, &mut star) {
                (true, _) => {
                    piece += 1;
                    at += 1;
                }
                (false, Some((after, reach))) if text[*reach] != '/' => {
                    *reach += 1;
                    piece = *after + 1;
                    at = *reach;
                }
                _ => return false,
            }
        }
        self.0[piece..]
            .iter()
            .all(|rest| matches!(rest, Piece::Any))
    }
}

/// Parses a character between brackets.
fn class_character(
    characters: &mut std::iter::Peekable<std::str::Chars<'_>>,
) -> Result<char, BadPattern> {
    match characters.next() {
        None | Some('-' | ']') => Err(BadPattern),
        Some('\\') => characters.next().ok_or(BadPattern),
        Some(next) => match characters.peek() {
            None => Err(BadPattern),
            Some(_) => Ok(next),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_go() {
        let matches = |pattern, text| Pattern::parse(pattern).unwrap().matches(text);
        for (pattern, text) in [
            ("*", "app"),
            ("a*p", "app"),
            ("a?p", "app"),
            ("[a-c]pp", "app"),
            ("[^x]pp", "app"),
            ("*-*", "a-b-c"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a", "app"), ("b*", "app"), ("?", "app"), ("[^a]pp", "app")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
        assert!(Pattern::parse("[a").is_err());
    }
}
