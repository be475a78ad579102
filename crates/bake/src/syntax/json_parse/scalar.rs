//! Numbers, strings and keywords.

use super::{Json, Parser};
use crate::syntax::json_text::{is_number, unquote};
use crate::syntax::range::Range;
use crate::value::{Number, Value};

impl Parser<'_> {
    pub(super) fn number(&mut self) -> Option<Json> {
        let token = self.read();
        match Number::parse(token.text) {
            Ok(number) if is_number(token.text) => {
                Some(Json::Constant(Value::Number(number), token.range))
            }
            _ => {
                self.error(
                    token.range,
                    format!("{:?} is not a number of JSON", token.text),
                    "Invalid JSON number; There is a syntax error in the given JSON number.",
                );
                None
            }
        }
    }

    pub(super) fn string(&mut self) -> Option<Json> {
        let token = self.read();
        let at = match unquote(token.text) {
            Ok(text) => return Some(Json::String(text, token.range)),
            Err(at) => at,
        };
        let mut start = token.range.start;
        start.byte += at;
        start.column += u32::try_from(at).unwrap_or(0);
        let mut end = start;
        end.byte += 1;
        end.column += 1;
        self.error(
            Range { start, end },
            "the string has an escape or a character that JSON does not allow",
            "Invalid JSON string; There is a syntax error in the given JSON string.",
        );
        None
    }

    pub(super) fn keyword(&mut self) -> Option<Json> {
        let token = self.read();
        let value = match token.text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::null(),
            other => {
                let near = crate::diagnostic::nearest(other, ["true", "false", "null"]);
                let hint = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
                let message = format!("JSON has no {other:?}{hint}");
                self.error(token.range, message, keyword_words(other));
                return None;
            }
        };
        Some(Json::Constant(value, token.range))
    }
}

/// The words of the reference for an unknown keyword.
fn keyword_words(word: &str) -> String {
    if let "undefined" | "NaN" | "Infinity" = word {
        return format!(
            "Invalid JSON keyword; The JavaScript identifier {word:?} cannot be used in JSON."
        );
    }
    let known = ["false", "true", "null"];
    let near = known
        .into_iter()
        .find(|known| word.len() < 10 && strsim::levenshtein(word, known) < 3);
    let hint = near.map_or_else(String::new, |near| format!(" Did you mean {near:?}?"));
    format!("Invalid JSON keyword; {word:?} is not a valid JSON keyword.{hint}")
}
