//! The modes of `--chmod`: octal numbers or symbolic modes, as in chmod(1).

use crate::llb::Mode;

/// Parses a mode; octal ones are at most 7777.
pub(super) fn parse(text: &str) -> Option<Mode> {
    let is_octal = !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    if is_octal {
        let bits = u32::from_str_radix(text, 8).ok()?;
        return (bits <= 0o7777).then_some(Mode::Bits(bits));
    }
    is_symbolic(text).then(|| Mode::Symbolic(text.to_owned()))
}

/// Matches clauses `[ugoa]*([-+=][rwxXst ugo]*)+`, separated by commas.
fn is_symbolic(text: &str) -> bool {
    text.split(',').all(|clause| {
        let operations = clause.trim_start_matches(['u', 'g', 'o', 'a']);
        operations.starts_with(['+', '-', '='])
            && operations
                .bytes()
                .all(|byte| b"+-=rwxXstugo".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octal_and_symbolic_modes_are_known() {
        assert_eq!(parse("0755"), Some(Mode::Bits(0o755)));
        for text in ["u+x", "go=", "a=rX,g+s-w", "+t", "g=u-w"] {
            assert_eq!(parse(text), Some(Mode::Symbolic(text.to_owned())));
        }
        for wrong in [
            "10000",
            "8",
            "0o755",
            "u",
            "u+x,",
            "x+u",
            "+755",
            "u+y",
            "",
            "99999999999",
        ] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
