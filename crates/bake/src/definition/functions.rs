//! Functions that files define.

use std::rc::Rc;

use super::interpreter::{Context, Interpreter, Unresolved};
use super::load::Missing;
use crate::diagnostic::{Diagnostic, Kind, call_words};
use crate::eval::{UserFunction, is_standard};
use crate::syntax::ast::{Attribute, Expression};
use crate::syntax::statics::{keyword, list};

impl Interpreter<'_> {
    /// Resolves all functions, so that errors are reported even in functions that are never called.
    pub(super) fn resolve_functions(&mut self) -> Result<(), Diagnostic> {
        let mut indices: Vec<usize> = self.function_index.values().copied().collect();
        indices.sort_unstable();
        for index in indices {
            let function = &self.functions[index];
            let block = function.block;
            let place = match function.parameters {
                Some(parameters) => parameters.range.within(&block.file),
                None => block.name_span(),
            };
            self.resolve_function(block.name(), &Context::global())
                .map_err(|error| error.into_inner().or_at(&place))?;
        }
        Ok(())
    }

    /// Makes a function callable.
    pub(super) fn resolve_function(
        &mut self,
        name: &str,
        context: &Context,
    ) -> Result<(), Unresolved> {
        if is_standard(name) || self.globals.functions.contains_key(name) {
            return Ok(());
        }
        let Some(index) = self.function_index.get(name) else {
            let message = format!("there is no function {name:?}");
            let mut known: Vec<&str> = self.function_index.keys().copied().collect();
            for standard in crate::functions::Function::names() {
                known.push(standard);
            }
            return Err(Unresolved::Missing(
                Diagnostic::new(Kind::Undefined, message)
                    .suggest(name, known)
                    .in_reference(call_words(name)),
            ));
        };
        if !self.visited_functions.insert((context.id, name.to_owned())) {
            let message = format!("function {name:?} calls itself");
            return Err(Diagnostic::new(Kind::Cycle, message).into());
        }
        let function = &self.functions[*index];
        let lacks = |what: &str| {
            Diagnostic::new(Kind::Structure, format!("function {name:?} has no {what}"))
        };
        let result = function
            .result
            .ok_or_else(|| lacks("result"))?
            .expression
            .clone();
        let parameters = function.parameters.ok_or_else(|| lacks("params"))?;
        let parameters = parameter_names(&parameters.expression)?;
        let variadic = function.variadic.map(variadic_name).transpose()?;
        let own: Vec<String> = parameters.iter().chain(&variadic).cloned().collect();
        self.load(&result, &Context::global(), &own, Missing::Refused)?;
        let function = UserFunction {
            parameters,
            variadic,
            result,
        };
        self.globals
            .functions
            .insert(name.to_owned(), Rc::new(function));
        Ok(())
    }
}

/// Returns the names in `params = [a, b]`.
fn parameter_names(expression: &Expression) -> Result<Vec<String>, Diagnostic> {
    let Some(nodes) = list(&expression.node) else {
        let message = "params must be a list of names";
        return Err(Diagnostic::new(Kind::Structure, message).at(expression.start_span()));
    };
    nodes
        .iter()
        .map(|node| {
            keyword(node).map(str::to_owned).ok_or_else(|| {
                let message = "a parameter must be a name";
                let place = node.range().within(&expression.file);
                Diagnostic::new(Kind::Structure, message).at(place)
            })
        })
        .collect()
}

/// Returns the name in `variadic_params = rest`.
fn variadic_name(attribute: &Attribute) -> Result<String, Diagnostic> {
    keyword(&attribute.expression.node)
        .map(str::to_owned)
        .ok_or_else(|| {
            let message = "variadic_params must be a name";
            let place = attribute.range.within(&attribute.expression.file);
            Diagnostic::new(Kind::Structure, message).at(place)
        })
}
