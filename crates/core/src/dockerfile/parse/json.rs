//! JSON arrays of strings: the exec form of commands and paths.

use serde::de::IgnoredAny;

/// The reason a text is not an array of strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JsonFault {
    /// It is not a JSON array; the text is then used unchanged.
    NotArray,
    /// It is a JSON array with other values than strings.
    NotStrings,
}

/// Parses the whole text as an array of strings.
pub(super) fn string_array(text: &str) -> Result<Vec<String>, JsonFault> {
    let text = text.trim_start();
    if !text.starts_with('[') {
        return Err(JsonFault::NotArray);
    }
    let mut reader = Reader { rest: &text[1..] };
    match reader.strings() {
        Some(strings) => Ok(strings),
        None if serde_json::from_str::<Vec<IgnoredAny>>(text).is_ok() => Err(JsonFault::NotStrings),
        None => Err(JsonFault::NotArray),
    }
}

/// Parses strings as Go's encoding/json does: half a surrogate pair becomes U+FFFD.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    /// Parses everything after the opening bracket; `None` if it is malformed.
    fn strings(&mut self) -> Option<Vec<String>> {
        let mut strings = Vec::new();
        if self.eat(']') {
            return self.at_end().then_some(strings);
        }
        loop {
            strings.push(if self.eat('"') {
                self.string()?
            } else {
                return None;
            });
            if self.eat(']') {
                return self.at_end().then_some(strings);
            }
            if !self.eat(',') {
                return None;
            }
        }
    }

    /// Skips white space, then consumes the character if it is next.
    fn eat(&mut self, c: char) -> bool {
        self.skip_space();
        let after = self.rest.strip_prefix(c);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn at_end(&mut self) -> bool {
        self.skip_space();
        self.rest.is_empty()
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches(['\t', '\n', '\r', ' ']);
    }

    /// Parses the text up to the closing quote.
    fn string(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            let end = self
                .rest
                .bytes()
                .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))?;
            text.push_str(&self.rest[..end]);
            let special = self.rest.as_bytes()[end];
            self.rest = &self.rest[end + 1..];
            match special {
                b'"' => return Some(text),
                b'\\' => text.push(self.escape()?),
                _ => return None,
            }
        }
    }

    /// Parses the character of an escape.
    fn escape(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(match c {
            '"' | '\\' | '/' => c,
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.hex()?;
                self.rest = &self.rest[4..];
                self.code_point(first)
            }
            _ => return None,
        })
    }

    /// Returns the character of a `\u`, combined with the next one if they are a pair.
    fn code_point(&mut self, first: u32) -> char {
        if let Some(c) = char::from_u32(first) {
            return c;
        }
        let mut next = Reader {
            rest: self.rest.strip_prefix("\\u").unwrap_or_default(),
        };
        match next.hex() {
            Some(second @ 0xdc00..=0xdfff) if first < 0xdc00 => {
                self.rest = &next.rest[4..];
                let pair = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                char::from_u32(pair).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => char::REPLACEMENT_CHARACTER,
        }
    }

    /// Returns the next four characters as a hexadecimal number, without consuming them.
    fn hex(&mut self) -> Option<u32> {
        let digits = self
            .rest
            .get(..4)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_of_strings_are_read() {
        assert_eq!(
            string_array(" [ \"a b\" , \"\\\"\\u0041\\ud83d\\ude00\\n\" ] "),
            Ok(vec!["a b".into(), "\"A😀\n".into()])
        );
        assert_eq!(string_array("[]"), Ok(vec![]));
        assert_eq!(
            string_array(r#"["\ud800x","\ud800\u0041"]"#),
            Ok(vec!["\u{fffd}x".into(), "\u{fffd}A".into()])
        );
    }

    #[test]
    fn other_arrays_are_distinguished_from_text_that_is_none() {
        assert_eq!(string_array("[1, \"a\"]"), Err(JsonFault::NotStrings));
        assert_eq!(string_array("[[\"a\"], null]"), Err(JsonFault::NotStrings));
        for text in [
            "",
            "a",
            "[ -f x ]",
            "['a']",
            "[\"a\"",
            "[\"a\",]",
            "[\"a\"] x",
            "[\"\t\"]",
            "[\"\\x\"]",
            "[\"\\u12\"]",
            "[,]",
        ] {
            assert_eq!(string_array(text), Err(JsonFault::NotArray), "{text}");
        }
    }
}
