//! Templates: joins parts to one text.

use super::expression::Evaluator;
use crate::diagnostic::{Diagnostic, Kind};
use crate::syntax::Range;
use crate::syntax::ast::Node;
use crate::value::{Type, Value};

impl Evaluator<'_> {
    /// Returns the text of a template.
    pub(super) fn template(&self, parts: &[Node], range: Range) -> Result<Value, Diagnostic> {
        if let [Node::Literal(value @ Value::String(_), _)] = parts {
            return Ok(value.clone());
        }
        let mut text = String::new();
        for part in parts {
            let value = self.node(part)?;
            self.append(&mut text, &value, part.range())?;
        }
        let bytes = text.len();
        self.made(Value::string(text), bytes, range)
    }

    /// Joins the texts of a `%{for}`'s iterations.
    pub(super) fn joined(&self, each: &Node) -> Result<Value, Diagnostic> {
        let tuple = self.node(each)?;
        let mut text = String::new();
        for value in tuple.items().unwrap_or_default() {
            self.append(&mut text, value, each.range())?;
        }
        let bytes = text.len();
        self.made(Value::string(text), bytes, each.range())
    }

    /// Appends a value to a text.
    fn append(&self, text: &mut String, value: &Value, range: Range) -> Result<(), Diagnostic> {
        if value.is_null() {
            return self.fail(Kind::Type, range, "null cannot be part of a text");
        }
        let what = "the value cannot be part of a text";
        let converted = self.convert(value, &Type::String, range, what)?;
        let part = converted.as_str().unwrap_or_default();
        if (text.len() + part.len()) as u64 > crate::value::MAX_SIZE {
            return self.fail(Kind::Limit, range, "the text is too long");
        }
        text.push_str(part);
        Ok(())
    }
}
