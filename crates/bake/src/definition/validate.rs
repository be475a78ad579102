//! `validation` blocks of variables.

use super::declarations::Validation;
use super::interpreter::{Context, Interpreter};
use crate::diagnostic::{Diagnostic, Kind};
use crate::syntax::ast::Expression;
use crate::value::{Type, Value, convert};

impl Interpreter<'_> {
    /// Checks all variables. Conditions see the variables evaluated so far.
    pub(super) fn validate_variables(&self) -> Result<(), Diagnostic> {
        let mut indices: Vec<usize> = self.variable_index.values().copied().collect();
        indices.sort_unstable();
        for index in indices {
            for rule in &self.variables[index].validations {
                self.validate(self.variables[index].block.name(), rule)?;
            }
        }
        Ok(())
    }

    /// Checks one rule of a variable.
    fn validate(&self, name: &str, rule: &Validation<'_>) -> Result<(), Diagnostic> {
        let global = Context::global();
        let Some(condition) = rule.condition else {
            let place = rule.block.missing.within(&rule.block.file);
            let message = format!("the validation of {name} has no condition");
            return Err(Diagnostic::new(Kind::Variable, message).at(place));
        };
        let fail = |message: String| Diagnostic::new(Kind::Variable, message).at(condition.span());
        let value = self.evaluate(condition, &global)?;
        if value.is_null() {
            return Err(fail(format!(
                "the condition of {name} is null: it must be true or false"
            )));
        }
        let holds = convert(&value, &Type::Bool)
            .map_err(|error| fail(format!("the condition must be true or false: {error}")))?;
        if holds.as_bool() == Some(true) {
            return Ok(());
        }
        let reason = self.message(rule.message)?;
        let failed = fail(format!("the value of {name} is not valid: {reason}"));
        Err(failed.in_reference(format!("Validation failed; {reason}")))
    }

    /// The message of a rule.
    fn message(&self, message: Option<&Expression>) -> Result<String, Diagnostic> {
        let value = match message {
            Some(message) => self.evaluate(message, &Context::global())?,
            None => Value::null(),
        };
        let text = convert(&value, &Type::String).ok();
        let text = text.as_ref().and_then(Value::as_str);
        Ok(text.unwrap_or("its condition is false").to_owned())
    }
}
