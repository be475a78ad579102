//! Function calls: the standard library, functions of the files, and `try`, `can`, `convert`.

use super::expression::Evaluator;
use super::scope::{Scope, UserFunction};
use super::types::type_of_node;
use crate::diagnostic::{Diagnostic, Kind, call_words};
use crate::functions::Function;
use crate::syntax::Range;
use crate::syntax::ast::{Call, Node};
use crate::value::{Type, Value, convert};

/// Functions of expressions rather than values.
const SPECIAL: [&str; 3] = ["can", "convert", "try"];

/// The number of nesting levels of an expression that use as much stack as a call.
const CALL_LEVELS: u32 = 2;

/// True if the standard library has a function of this name.
pub(crate) fn is_standard(name: &str) -> bool {
    SPECIAL.contains(&name) || Function::find(name).is_some()
}

/// An argument: an expression, or an element of an expanded list.
#[derive(Clone)]
enum Argument<'a> {
    Node(&'a Node),
    Value(Value, Range),
}

impl Argument<'_> {
    /// Returns the position for errors about the argument.
    fn start(&self) -> Range {
        match self {
            Self::Node(node) => node.start_range(),
            Self::Value(_, range) => *range,
        }
    }
}

impl Evaluator<'_> {
    /// Returns the result of a call.
    pub(super) fn call(&self, call: &Call) -> Result<Value, Diagnostic> {
        let name = call.name.as_str();
        if SPECIAL.contains(&name) {
            let arguments = self.arguments(call)?;
            return match name {
                "try" => self.try_each(call, &arguments),
                "can" => self.can(call, &arguments),
                _ => self.convert_call(call, &arguments),
            };
        }
        if let Some(function) = Function::find(name) {
            return self.standard(call, function);
        }
        match self.globals().functions.get(name) {
            Some(function) => self.user(call, function),
            None => Err(self.unknown_function(call)),
        }
    }

    /// Returns the error for an unknown function.
    fn unknown_function(&self, call: &Call) -> Diagnostic {
        let name = call.name.as_str();
        let own = self.globals().functions.keys().map(String::as_str);
        let mut known: Vec<&str> = own.collect();
        for name in Function::names() {
            known.push(name);
        }
        known.extend(SPECIAL);
        let message = format!("there is no function {name:?}");
        let failed = self.undefined(call.name_range, message, (name, known));
        failed.in_reference(call_words(name))
    }

    /// Returns the arguments; an expanded list is evaluated.
    fn arguments<'b>(&self, call: &'b Call) -> Result<Vec<Argument<'b>>, Diagnostic> {
        let (Some(last), true) = (call.arguments.last(), call.expand) else {
            return Ok(call.arguments.iter().map(Argument::Node).collect());
        };
        let list = self.node(last)?;
        let range = last.range();
        let Some(items) = list.items() else {
            let message = match list {
                Value::Null(_) => "null cannot be expanded to arguments",
                _ => "only a list can be expanded to arguments",
            };
            return self.fail(Kind::Type, range, message);
        };
        let plain = &call.arguments[..call.arguments.len() - 1];
        let expanded = items
            .iter()
            .map(|item| Argument::Value(item.clone(), range));
        Ok(plain.iter().map(Argument::Node).chain(expanded).collect())
    }

    /// Returns the value of an argument.
    fn argument(&self, argument: &Argument<'_>) -> Result<Value, Diagnostic> {
        match argument {
            Argument::Node(node) => self.node(node),
            Argument::Value(value, _) => Ok(value.clone()),
        }
    }

    /// Checks the number of arguments: at least `least`, at most `most`.
    fn check_count(
        &self,
        call: &Call,
        arguments: &[Argument<'_>],
        (least, most): (usize, Option<usize>),
    ) -> Result<(), Diagnostic> {
        let (name, given) = (&call.name, arguments.len());
        if given < least {
            let at_least = if most == Some(least) { "" } else { "at least " };
            let message = format!("{name} needs {at_least}{least} argument(s), found {given}");
            return self.fail(Kind::Function, call.close, message);
        }
        match most.and_then(|most| Some((most, arguments.get(most)?))) {
            Some((most, extra)) => {
                let message = format!("{name} takes {most} argument(s), found {given}");
                let reference = format!(
                    "Too many function arguments; Function {name:?} expects only {most} \
                     argument(s)."
                );
                let failed = self.error(Kind::Function, extra.start(), message);
                Err(failed.in_reference(reference))
            }
            None => Ok(()),
        }
    }

    /// Returns the result of a function of the standard library.
    fn standard(&self, call: &Call, function: Function) -> Result<Value, Diagnostic> {
        let arguments = self.arguments(call)?;
        self.check_count(call, &arguments, function.arity())?;
        let range = call.name_range.to(call.open);
        let place = |argument: Option<usize>| {
            let argument = argument.and_then(|index| arguments.get(index));
            argument.map_or(range, Argument::start)
        };
        let mut values = Vec::with_capacity(arguments.len());
        for (index, argument) in arguments.iter().enumerate() {
            let value = self.argument(argument)?;
            let value = function
                .convert_argument(index, value)
                .map_err(|error| self.error(Kind::Function, argument.start(), error.to_string()))?;
            values.push(value);
        }
        let work = self.globals().spend(function.work(&values));
        work.map_err(|error| error.or_at(&range.within(self.file)))?;
        let result = function
            .call(&values, self.globals().host)
            .map_err(|error| {
                self.error(Kind::Function, place(error.argument), error.to_string())
            })?;
        let bytes = usize::try_from(result.size()).unwrap_or(usize::MAX);
        self.made(result, bytes, range)
    }

    /// Returns the result of a function that the files define. Its errors have the position of the
    /// call.
    fn user(&self, call: &Call, function: &UserFunction) -> Result<Value, Diagnostic> {
        let arguments = self.arguments(call)?;
        let least = function.parameters.len();
        let most = function.variadic.is_none().then_some(least);
        self.check_count(call, &arguments, (least, most))?;
        let mut values = Vec::with_capacity(arguments.len());
        for argument in &arguments {
            values.push(self.argument(argument)?);
        }
        if let Some(index) = values.iter().position(Value::is_null) {
            let start = arguments.get(index).map_or(call.close, Argument::start);
            return self.fail(Kind::Function, start, "an argument must not be null");
        }
        let rest = values.split_off(least);
        let parameters = function.parameters.iter().map(String::as_str);
        let mut locals: Vec<(&str, Value)> = parameters.zip(values).collect();
        if let Some(name) = &function.variadic {
            locals.push((name, Value::tuple(rest)));
        }
        let global = Scope::global(self.globals());
        let scope = Scope::within(&global, &locals);
        let range = call.name_range.to(call.open);
        let entered = self.globals().enter(CALL_LEVELS);
        let before = entered.map_err(|error| error.at(range.within(self.file)))?;
        let result = super::evaluate(&function.result, scope);
        self.globals().leave(before);
        result.map_err(|inner| {
            let range = call.name_range.to(call.open).within(self.file);
            if inner.kind == Kind::Limit {
                return inner.at(range);
            }
            let place = inner.span.as_ref().map(|span| format!(" (at {span})"));
            let message = format!(
                "{} failed: {}{}",
                call.name,
                inner.message,
                place.unwrap_or_default()
            );
            inner.with_message(message).at(range)
        })
    }

    /// `try`: returns the first argument that does not fail.
    fn try_each(&self, call: &Call, arguments: &[Argument<'_>]) -> Result<Value, Diagnostic> {
        let mut first = None;
        for argument in arguments {
            match self.argument(argument) {
                Err(error) if error.kind == Kind::Limit => return Err(error),
                Err(error) => {
                    let work = self.globals().spend(10);
                    work.map_err(|error| error.or_at(&argument.start().within(self.file)))?;
                    first = first.or(Some(error));
                }
                value => return value,
            }
        }
        let message = match first {
            Some(error) => format!("no argument of try succeeds; the first: {error}"),
            None => "try needs at least one argument".to_owned(),
        };
        self.fail(Kind::Function, call.name_range.to(call.open), message)
    }

    /// `can`: returns true if the argument does not fail.
    fn can(&self, call: &Call, arguments: &[Argument<'_>]) -> Result<Value, Diagnostic> {
        self.check_count(call, arguments, (1, Some(1)))?;
        match arguments.first().map(|argument| self.argument(argument)) {
            Some(Err(error)) if error.kind == Kind::Limit => Err(error),
            result => Ok(Value::Bool(matches!(result, Some(Ok(_))))),
        }
    }

    /// `convert`: converts a value to a type.
    fn convert_call(&self, call: &Call, arguments: &[Argument<'_>]) -> Result<Value, Diagnostic> {
        self.check_count(call, arguments, (2, Some(2)))?;
        let [value, ty] = arguments else {
            return Ok(Value::null());
        };
        let start = value.start();
        let value = self.argument(value)?;
        let ty = match ty {
            Argument::Node(node) => type_of_node(node, self.file)?,
            Argument::Value(_, range) => {
                return self.fail(Kind::Type, *range, "expected a type such as list(string)");
            }
        };
        let value = convert(&value, &ty).map_err(|error| {
            self.error(Kind::Type, start, format!("cannot be converted: {error}"))
        })?;
        // As in the reference, a second conversion resolves the types that `any` left open.
        Ok(match Type::of(&value) {
            Type::Any => value,
            ty => convert(&value, &ty).unwrap_or(value),
        })
    }
}
