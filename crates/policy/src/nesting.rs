//! Limits the work of the parser. regorus parses the first element of `[…` and `{…` up to twice,
//! once to find out if it begins a comprehension, and so on inside of it: the time doubles with
//! each level. The count here follows the brackets alone, and is never less than the parser's.

/// The most brackets that the parser may read, repetitions included. Real policies are far below.
const MAX_READS: u64 = 1 << 20;

/// An open bracket: how many bits its state adds to the repetitions of what is inside.
#[derive(Clone, Copy, PartialEq)]
enum Open {
    /// `(`, or what follows the first element.
    Once,
    /// The first element of `[` or `{`.
    Twice,
    /// After the `|` of a comprehension: statements are read twice, too.
    FourTimes,
}

impl Open {
    fn bits(self) -> u32 {
        match self {
            Self::Once => 0,
            Self::Twice => 1,
            Self::FourTimes => 2,
        }
    }
}

/// Returns the line, from 1, at which the brackets are nested too deeply for the parser.
pub(crate) fn too_deep(text: &str) -> Option<u32> {
    let mut open: Vec<(u8, Open)> = Vec::new();
    let (mut bits, mut reads, mut line) = (0_u32, 0_u64, 1_u32);
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\n' => line += 1,
            b'#' => while bytes.next_if(|byte| *byte != b'\n').is_some() {},
            b'"' => loop {
                match bytes.next_if(|byte| *byte != b'\n') {
                    Some(b'\\') => {
                        bytes.next_if(|byte| *byte != b'\n');
                    }
                    Some(b'"') | None => break,
                    Some(_) => {}
                }
            },
            b'`' => {
                for byte in bytes.by_ref().take_while(|byte| *byte != b'`') {
                    line += u32::from(byte == b'\n');
                }
            }
            b'[' | b'{' | b'(' => {
                reads = reads.saturating_add(1 << bits.min(40));
                if reads > MAX_READS {
                    return Some(line);
                }
                let state = if byte == b'(' {
                    Open::Once
                } else {
                    Open::Twice
                };
                bits += state.bits();
                open.push((byte, state));
            }
            b']' | b'}' | b')' => bits -= open.pop().map_or(0, |(_, state)| state.bits()),
            b'|' | b',' | b'=' | b'<' | b'>' | b'+' | b'*' | b'/' | b'%' | b'&' => {
                if let Some((b'[' | b'{', state)) = open.last_mut() {
                    let next = match (byte, *state) {
                        (b'|', _) | (_, Open::FourTimes) => Open::FourTimes,
                        _ => Open::Once,
                    };
                    bits = bits - state.bits() + next.bits();
                    *state = next;
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, Loader};

    #[test]
    fn a_policy_that_is_too_deep_is_rejected_at_once() {
        let add = |text: &str| Loader::new().add("p.rego", text);
        let text = format!(
            "package docker\nallow if input.a.x == \"1\"\nallow if pin_{}image(input.image)\n",
            "[".repeat(124)
        );
        let error = add(&text).expect_err("too deep");
        assert!(matches!(error, Error::TooDeep { .. }), "{error}");
        assert!(error.to_string().contains("p.rego:3"), "{error}");
        let nested = format!("{}1{}", "[".repeat(12), "]".repeat(12));
        add(&format!("package docker\nx := {nested}\n")).expect("not too deep");
    }

    #[test]
    fn only_brackets_whose_first_elements_are_nested_are_too_deep() {
        for (text, line) in [
            (format!("package a\nx = {}", "[".repeat(30)), Some(2)),
            (format!("x = {}", "{".repeat(30)), Some(1)),
            (format!("x = {}", "{[(".repeat(20)), Some(1)),
            (format!("x = {}", "[a | ".repeat(15)), Some(1)),
            (format!("x = {}", "{\"a\": ".repeat(30)), Some(1)),
            (format!("x = `\n\n`\n{}", "[".repeat(30)), Some(4)),
            (
                format!("{}\n", "[[[[[[[[[[]]]]]]]]]]".repeat(10_000)),
                Some(1),
            ),
            ("[1, [2, [3]]]\n".repeat(10_000), None),
            (format!("x = {}", "(".repeat(100)), None),
            (format!("x = {}", "[1, ".repeat(100)), None),
            (format!("# {0}\n\"{0}\" `{0}`", "[".repeat(100)), None),
            (format!("\"\\\"{}\"", "[".repeat(100)), None),
            ("]})".repeat(10), None),
        ] {
            assert_eq!(too_deep(&text), line, "{}", &text[..text.len().min(80)]);
        }
    }
}
