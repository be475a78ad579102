//! Values of variables and of attributes at the top level.

use super::interpreter::{Context, Interpreter, Unresolved};
use super::load::Missing;
use super::override_text::{primitive, separated};
use super::variable_info::Variable;
use crate::diagnostic::{Diagnostic, Kind, variable_words};
use crate::eval::type_constraint;
use crate::syntax::ast::{Expression, Node};
use crate::syntax::statics::keyword;
use crate::value::{Type, Value, convert, json};

/// The text that overrides a variable.
struct Override {
    text: String,
    is_json: bool,
}

impl<'b> Interpreter<'b> {
    /// Evaluates all variables.
    pub(super) fn resolve_variables(&mut self) -> Result<Vec<Variable>, Diagnostic> {
        let global = Context::global();
        for name in crate::files::BUILTINS {
            // Cannot fail: it is a text.
            self.resolve_value(name, &global)
                .map_err(Unresolved::into_inner)?;
        }
        let mut indices: Vec<usize> = self.variable_index.values().copied().collect();
        indices.sort_unstable();
        let mut known = Vec::with_capacity(indices.len());
        for index in indices {
            let block = self.variables[index].block;
            let name = block.name();
            self.resolve_value(name, &global).map_err(|error| {
                error
                    .into_inner()
                    .or_at(&block.missing.start_point().within(&block.file))
            })?;
            if let Some(value) = self.globals.variables.get(name) {
                known.push(Variable {
                    name: name.to_owned(),
                    description: self.variables[index].description.clone(),
                    constraint: self.constraints.get(name).cloned(),
                    value: value.clone(),
                });
            }
        }
        Ok(known)
    }

    /// Evaluates all attributes at the top level.
    pub(super) fn resolve_attributes(&mut self) -> Result<(), Diagnostic> {
        let mut indices: Vec<usize> = self.attribute_index.values().copied().collect();
        indices.sort_unstable();
        for index in indices {
            let (attribute, expression) = self.attributes[index];
            self.resolve_value(&attribute.name, &Context::global())
                .map_err(|error| {
                    let range = attribute.range.within(&expression.file);
                    error.into_inner().or_at(&range)
                })?;
        }
        Ok(())
    }

    /// Evaluates a variable or an attribute at the top level.
    pub(super) fn resolve_value(
        &mut self,
        name: &str,
        context: &Context,
    ) -> Result<(), Unresolved> {
        if self.globals.variables.contains_key(name) || context.defines(name) {
            return Ok(());
        }
        if !self.visited_variables.insert((context.id, name.to_owned())) {
            let message = format!("variable {name:?} refers to itself");
            return Err(Diagnostic::new(Kind::Cycle, message)
                .in_reference(format!(
                    "Invalid expression; variable cycle not allowed for {name}"
                ))
                .into());
        }
        let value = match self.environment.builtin(name) {
            Some(text) => Value::string(text),
            None => match (
                self.attribute_index.get(name),
                self.variable_index.get(name),
            ) {
                (Some(index), _) => {
                    let expression = self.attributes[*index].1;
                    self.attribute_value(name, expression, context)?
                }
                (None, Some(index)) => self.variable_value(name, *index)?,
                (None, None) => {
                    let message = format!("there is no variable {name:?}");
                    let known = self.variable_index.keys().copied();
                    return Err(Unresolved::Missing(
                        Diagnostic::new(Kind::Undefined, message)
                            .suggest(name, known)
                            .in_reference(variable_words(name)),
                    ));
                }
            },
        };
        self.globals.variables.insert(name.to_owned(), value);
        Ok(())
    }

    /// Returns the value of an attribute at the top level. It can be overridden if there is a
    /// variable of that name.
    fn attribute_value(
        &mut self,
        name: &str,
        expression: &'b Expression,
        context: &Context,
    ) -> Result<Value, Unresolved> {
        self.load(expression, context, &[], Missing::Allowed)?;
        let value = self.evaluate(expression, context)?;
        match self.find_override(name, false) {
            Some(text) if self.variable_index.contains_key(name) => {
                overridden(name, &text, None, Some(&value)).map_err(Unresolved::from)
            }
            _ => Ok(value),
        }
    }

    /// Returns the value of a variable: its override, its default, or null.
    fn variable_value(&mut self, name: &str, index: usize) -> Result<Value, Unresolved> {
        let global = Context::global();
        let block = &self.variables[index];
        let (default, key) = (block.default, block.block.name());
        let constraint = match block.ty {
            Some(expression) => constraint(expression)?,
            None => None,
        };
        if let Some(constraint) = &constraint {
            self.constraints.insert(key, constraint.clone());
        }
        let value = match default {
            None => None,
            Some(expression) => {
                self.load(expression, &global, &[], Missing::Allowed)?;
                let value = self.evaluate(expression, &global)?;
                let ty = constraint.as_ref().unwrap_or(&Type::Any);
                Some(convert(&value, ty).map_err(|error| {
                    let message = format!("the default of {name} does not fit its type: {error}");
                    let failed = Diagnostic::new(Kind::Variable, message);
                    match error.in_reference() {
                        Some(reason) => failed.in_reference(format!(
                            "Invalid value; invalid type {} for variable {name} default value: \
                             {reason}",
                            ty.friendly()
                        )),
                        None => failed,
                    }
                })?)
            }
        };
        match self.find_override(name, constraint.is_some()) {
            Some(text) => Ok(overridden(
                name,
                &text,
                constraint.as_ref(),
                value.as_ref(),
            )?),
            None => Ok(value.unwrap_or_else(|| match constraint {
                Some(ty) => Value::Null(ty),
                None => Value::string(""),
            })),
        }
    }

    /// Returns the text that overrides `name`. `NAME_JSON` is used if `NAME` is not set, or if the
    /// variable has a type, but never if it is itself a variable.
    fn find_override(&self, name: &str, typed: bool) -> Option<Override> {
        let plain = self.environment.lookup(name);
        if plain.is_none() || typed {
            let json_name = format!("{name}_JSON");
            let declared = self.variable_index.contains_key(json_name.as_str())
                || self.environment.builtin(&json_name).is_some();
            if let (Some(text), false) = (self.environment.lookup(&json_name), declared) {
                return Some(Override {
                    text: text.to_owned(),
                    is_json: true,
                });
            }
        }
        plain.map(|text| Override {
            text: text.to_owned(),
            is_json: false,
        })
    }
}

/// Returns the type of a variable; `None` for `null`, which means no constraint.
fn constraint(expression: &Expression) -> Result<Option<Type>, Diagnostic> {
    match type_constraint(expression) {
        Ok(Type::Any) if keyword(&expression.node) != Some("any") => Ok(None),
        Ok(ty) => Ok(Some(ty)),
        Err(_) if matches!(&*expression.node, Node::Literal(Value::Null(_), _)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the value of a variable from its override.
fn overridden(
    name: &str,
    given: &Override,
    constraint: Option<&Type>,
    default: Option<&Value>,
) -> Result<Value, Diagnostic> {
    let text = given.text.as_str();
    let fail = |message: String| Diagnostic::new(Kind::Variable, message);
    let unsupported = |ty: &Type| {
        let message = format!(
            "variable {name} is {}: no text can override it",
            ty.friendly()
        );
        fail(message).hint(format!("set {name}_JSON to a JSON value"))
    };
    match (constraint, default) {
        (Some(ty), _) if given.is_json => json::decode_as(text, ty)
            .map_err(|error| fail(format!("{name}_JSON is not a {}: {error}", ty.friendly()))),
        (Some(ty @ (Type::List(_) | Type::Set(_) | Type::Map(_) | Type::Tuple(_))), _) => {
            separated(name, text, ty)
        }
        (Some(ty), _) if ty.is_primitive() => primitive(name, text, ty),
        (Some(ty), _) => Err(unsupported(ty)),
        (None, None) => Ok(Value::string(text)),
        (None, Some(default)) => match Type::of(default) {
            Type::Any => Ok(Value::string(text)),
            ty if ty.is_primitive() => primitive(name, text, &ty),
            ty => Err(unsupported(&ty)),
        },
    }
}
