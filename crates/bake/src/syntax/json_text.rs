//! Strings and numbers of JSON.

/// Returns the text of a quoted JSON string, or the byte offset of the first error.
pub(super) fn unquote(quoted: &str) -> Result<String, usize> {
    let mut out = String::with_capacity(quoted.len());
    let mut characters = quoted.char_indices().skip(1).peekable();
    loop {
        let Some((at, next)) = characters.next() else {
            return Err(quoted.len());
        };
        match next {
            '"' => {
                return match characters.next() {
                    None => Ok(out),
                    Some((after, _)) => Err(after),
                };
            }
            '\\' => match characters.next() {
                Some((_, 'u')) => {
                    let (unit, length) = code_unit(quoted, at).ok_or(at + 2)?;
                    let character = match pair(quoted, at, unit) {
                        Some(character) => {
                            characters.by_ref().take(4 + 6).for_each(drop);
                            character
                        }
                        None => {
                            characters.by_ref().take(length).for_each(drop);
                            char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)
                        }
                    };
                    out.push(character);
                }
                Some((_, selector)) => out.push(simple(selector).ok_or(at + 2)?),
                None => return Err(quoted.len()),
            },
            _ if next < ' ' => return Err(at + 1),
            _ => out.push(next),
        }
    }
}

/// Returns the character of the escape `\selector`.
fn simple(selector: char) -> Option<char> {
    Some(match selector {
        '"' | '\\' | '/' => selector,
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        _ => return None,
    })
}

/// Returns the number of `\uXXXX` at byte `at`, and the number of its digits.
fn code_unit(text: &str, at: usize) -> Option<(u32, usize)> {
    let digits = text.get(at + 2..at + 6)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    Some((u32::from_str_radix(digits, 16).ok()?, 4))
}

/// Returns the character of two surrogates, the first of which is at byte `at`.
fn pair(text: &str, at: usize, high: u32) -> Option<char> {
    if !(0xd800..0xdc00).contains(&high) || text.get(at + 6..at + 8) != Some("\\u") {
        return None;
    }
    let (low, _) = code_unit(text, at + 6)?;
    if !(0xdc00..0xe000).contains(&low) {
        return None;
    }
    char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
}

/// True if `text` is a JSON number: no leading zeros, no bare dots.
pub(super) fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
    let exponent = exponent.map(|part| part.strip_prefix(['+', '-']).unwrap_or(part));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved() {
        assert_eq!(
            unquote(r#""a\n\u00e9\ud83d\ude00\/""#).as_deref(),
            Ok("a\né😀/")
        );
        assert_eq!(unquote(r#""\ud83d!""#).as_deref(), Ok("\u{fffd}!"));
        assert_eq!(unquote(r#""\x""#), Err(3));
        assert_eq!(unquote("\"a"), Err(2));
    }

    #[test]
    fn numbers_follow_json() {
        for text in ["0", "-1", "1.5", "1e3", "1E-3"] {
            assert!(is_number(text), "{text}");
        }
        for text in ["01", "+1", "1.", ".5", "1e", "-"] {
            assert!(!is_number(text), "{text}");
        }
    }
}
