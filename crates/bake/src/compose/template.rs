//! Variables in text: `$NAME`, `${NAME}`, `${NAME:-default}` and the like, and `$$` for a dollar.
//!
//! The rules are those of compose-go's template package. Compose files and `.env` files have the
//! same syntax.

use std::borrow::Cow;

/// The deepest nesting of `${A:-${B:-…}}`.
const MAX_DEPTH: usize = 50;

/// The reason a text cannot be interpolated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TemplateError {
    #[error("`$` must be followed by a name, as in ${{NAME}}; for a dollar sign write $$")]
    Invalid,
    #[error("the variable {name} is required{}", reason(.message))]
    Required { name: String, message: String },
    #[error("variables nest deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

fn reason(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(": {message}")
    }
}

/// Returns `text` with every variable replaced by its value in `lookup`; unknown ones are empty.
pub(super) fn substitute(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, TemplateError> {
    expand(text, lookup, 0)
}

fn expand(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
    depth: usize,
) -> Result<String, TemplateError> {
    if depth > MAX_DEPTH {
        return Err(TemplateError::TooDeep);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut line = LineEnd::default();
    while let Some(dollar) = rest.find('$') {
        out.push_str(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let start = text.len() - after.len();
            let (value, length) = braced(after, line.last_brace(text, start), lookup, depth)?;
            out.push_str(&value);
            rest = &after[length..];
        } else {
            let name = &rest[..name_length(rest)];
            if name.is_empty() {
                out.push('$');
            } else {
                out.push_str(&lookup(name).unwrap_or_default());
                rest = &rest[name.len()..];
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Expands the text after `${`; returns the result and the number of bytes read.
///
/// `last_brace` is the offset of the last `}` of the line, which bounds a default.
fn braced<'a>(
    after: &'a str,
    last_brace: Option<usize>,
    lookup: &dyn Fn(&str) -> Option<String>,
    depth: usize,
) -> Result<(Cow<'a, str>, usize), TemplateError> {
    let name = &after[..name_length(after)];
    let rest = &after[name.len()..];
    if name.is_empty() {
        return Err(TemplateError::Invalid);
    }
    if rest.starts_with('}') {
        return Ok((lookup(name).unwrap_or_default().into(), name.len() + 1));
    }
    let is_soft = rest.starts_with(':');
    let operator = rest
        .get(usize::from(is_soft)..)
        .and_then(|text| text.chars().next());
    let operand = name.len() + usize::from(is_soft) + operator.map_or(1, char::len_utf8);
    let last = last_brace
        .filter(|last| *last >= operand)
        .ok_or(TemplateError::Invalid)?;
    // Braces are balanced if possible; else the last one of the line ends the variable.
    let close = closing_brace(&after[..=last])
        .filter(|close| *close >= operand)
        .unwrap_or(last);
    let operand = &after[operand..close];
    let value = lookup(name);
    let is_missing = match &value {
        None => true,
        Some(value) => is_soft && value.is_empty(),
    };
    let operand = || expand(operand, lookup, depth + 1);
    let result = match operator {
        Some('-') if is_missing => operand()?,
        Some('+') if !is_missing => operand()?,
        Some('?') if is_missing => {
            return Err(TemplateError::Required {
                name: name.to_owned(),
                message: operand()?,
            });
        }
        Some('-' | '+' | '?') => value.unwrap_or_default(),
        _ => return Err(TemplateError::Invalid),
    };
    Ok((result.into(), close + 1))
}

/// Returns the brace that closes the one before `text`. As in the reference, the byte after a `{`
/// is skipped.
fn closing_brace(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut open = 1;
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'}' => {
                open -= 1;
                if open == 0 {
                    return Some(at);
                }
            }
            b'{' => {
                open += 1;
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

fn name_length(text: &str) -> usize {
    let is_start = |byte: u8| byte == b'_' || byte.is_ascii_alphabetic();
    match text.bytes().next() {
        Some(byte) if is_start(byte) => text
            .bytes()
            .take_while(|byte| is_start(*byte) || byte.is_ascii_digit())
            .count(),
        _ => 0,
    }
}

/// The end of the last scanned line, so that a line with many variables is scanned once.
#[derive(Default)]
struct LineEnd {
    end: usize,
    last_brace: Option<usize>,
}

impl LineEnd {
    /// Returns the last `}` of the line of `start`, relative to `start`.
    fn last_brace(&mut self, text: &str, start: usize) -> Option<usize> {
        if start > self.end || self.end == 0 {
            self.end = text[start..]
                .find('\n')
                .map_or(text.len(), |length| start + length);
            self.last_brace = text[start..self.end].rfind('}').map(|at| start + at);
        }
        self.last_brace
            .filter(|at| *at >= start)
            .map(|at| at - start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> Option<String> {
        match name {
            "A" => Some("a".into()),
            "EMPTY" => Some(String::new()),
            "dollar" => Some("$A".into()),
            _ => None,
        }
    }

    fn ok(text: &str) -> String {
        substitute(text, &known).unwrap()
    }

    #[test]
    fn every_form_is_expanded() {
        for (text, expected) in [
            ("plain", "plain"),
            ("$A-${A}", "a-a"),
            ("$$A $${A}", "$A ${A}"),
            ("$UNSET|${UNSET}|", "||"),
            ("${UNSET:-x}${UNSET-y}${EMPTY:-z}${EMPTY-w}", "xyz"),
            ("${A:-x}${A-y}", "aa"),
            ("${A:+x}${A+y}${EMPTY:+z}${EMPTY+w}${UNSET+v}", "xyw"),
            ("${A?no}${EMPTY?no}", "a"),
            ("${UNSET:-${A}-${UNSET:-deep}}!", "a-deep!"),
            ("${UNSET:-{}}", "{}"),
            ("${UNSET:-}}", "}"),
            ("${UNSET:-a b} c} d", "a b c} d"),
            ("${A:-x} {y}", "a {y}"),
            ("$1 $ 100$", "$1 $ 100$"),
            ("${dollar}", "$A"),
            ("${UNSET:-?x}", "?x"),
            ("${UNSET--x}", "-x"),
        ] {
            assert_eq!(ok(text), expected, "{text}");
        }
    }

    #[test]
    fn broken_variables_are_refused() {
        for text in [
            "${",
            "${A",
            "${}",
            "${1}",
            "${A:x}",
            "${A!}",
            "${A:-x\n}",
            "${A b}",
            "${A\u{e9}}",
            "${A:\u{20ac}x}",
        ] {
            assert_eq!(
                substitute(text, &known),
                Err(TemplateError::Invalid),
                "{text}"
            );
        }
    }

    #[test]
    fn a_required_variable_gives_its_message() {
        let required = |text| substitute(text, &known).unwrap_err().to_string();
        assert_eq!(required("${UNSET?}"), "the variable UNSET is required");
        assert_eq!(
            required("${EMPTY:?set $A}"),
            "the variable EMPTY is required: set a"
        );
    }

    #[test]
    fn deep_nesting_is_refused() {
        let text = "${U:-".repeat(100_000) + &"}".repeat(100_000);
        assert_eq!(substitute(&text, &known), Err(TemplateError::TooDeep));
    }

    #[test]
    fn a_line_of_many_variables_is_read_once() {
        let text = "${U:-x}".repeat(200_000);
        assert_eq!(ok(&text).len(), 200_000);
    }
}
