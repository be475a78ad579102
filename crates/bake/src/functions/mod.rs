//! The standard library: functions that bake files can call.
//!
//! `try`, `can` and `convert` work on expressions rather than values, so they are in the module
//! `eval`. Every result is bounded: a function fails before it creates a value larger than
//! [`crate::value::MAX_SIZE`].

mod arguments;

mod error;

mod numeric;

mod logic;

mod text;

mod letters;

mod pattern;

mod regex;

mod printf;

mod sequence;

mod mapping;

mod product;

mod set;

mod encoding;

mod csv;

mod hash;

mod rsa;

mod uuid;

mod network;

mod calendar;

mod time;

mod version;

mod path;

#[cfg(test)]
mod tests;

use crate::files::Host;
use crate::value::{MAX_SIZE, SizeError, Type, Value, convert};

use arguments::{Arguments, Fault};
pub use error::{CallError, CallReason};

/// A function of the standard library.
#[derive(Clone, Copy, Debug)]
pub struct Function(&'static Definition);

/// The definition of a function.
#[derive(Debug)]
struct Definition {
    name: &'static str,
    parameters: &'static [Parameter],
    /// The parameter for all further arguments.
    rest: Option<Parameter>,
    run: fn(&Arguments<'_>, &dyn Host) -> Result<Value, Fault>,
}

/// One parameter.
#[derive(Clone, Copy, Debug)]
struct Parameter {
    name: &'static str,
    ty: ParameterType,
    null: bool,
}

/// The type to which an argument is converted.
#[derive(Clone, Copy, Debug)]
enum ParameterType {
    Any,
    Bool,
    Number,
    Text,
    TextList,
    List,
    Set,
    Bytes,
}

impl ParameterType {
    fn constraint(self) -> Type {
        match self {
            Self::Any => Type::Any,
            Self::Bool => Type::Bool,
            Self::Number => Type::Number,
            Self::Text => Type::String,
            Self::TextList => Type::list(Type::String),
            Self::List => Type::list(Type::Any),
            Self::Set => Type::set(Type::Any),
            Self::Bytes => Type::Bytes,
        }
    }
}

/// The functions of all modules.
const MODULES: [&[Definition]; 15] = [
    numeric::FUNCTIONS,
    logic::FUNCTIONS,
    text::FUNCTIONS,
    regex::FUNCTIONS,
    printf::FUNCTIONS,
    sequence::FUNCTIONS,
    mapping::FUNCTIONS,
    product::FUNCTIONS,
    set::FUNCTIONS,
    encoding::FUNCTIONS,
    hash::FUNCTIONS,
    uuid::FUNCTIONS,
    network::FUNCTIONS,
    time::FUNCTIONS,
    path::FUNCTIONS,
];

impl Function {
    /// Returns the function named `name`.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let all = MODULES.iter().flat_map(|module| module.iter());
        all.into_iter()
            .find(|definition| definition.name == name)
            .map(Self)
    }

    /// Returns the names of all functions, sorted.
    pub fn names() -> impl Iterator<Item = &'static str> {
        let all = MODULES.iter().flat_map(|module| module.iter());
        let mut names: Vec<&'static str> = all.map(|definition| definition.name).collect();
        names.sort_unstable();
        names.into_iter()
    }

    /// Returns the function's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Returns the least number of arguments, and the most, unless it accepts any number.
    #[must_use]
    pub fn arity(self) -> (usize, Option<usize>) {
        let least = self.0.parameters.len();
        (least, self.0.rest.is_none().then_some(least))
    }

    /// Returns the name of the parameter of argument `index`.
    #[must_use]
    pub fn parameter(self, index: usize) -> Option<&'static str> {
        self.parameter_at(index).map(|parameter| parameter.name)
    }

    /// Converts the value of argument `index` to the type of its parameter.
    ///
    /// # Errors
    ///
    /// If the value does not have that type and cannot be converted.
    pub fn convert_argument(self, index: usize, value: Value) -> Result<Value, CallError> {
        let Some(parameter) = self.parameter_at(index) else {
            return Ok(value);
        };
        if let ParameterType::Any = parameter.ty {
            return Ok(value);
        }
        convert(&value, &parameter.ty.constraint())
            .map_err(|error| self.fault(Fault::at(index, error)))
    }

    /// Returns the approximate number of steps (fractions of a microsecond) of a call, without the
    /// creation of its result.
    #[must_use]
    pub fn work(self, arguments: &[Value]) -> u64 {
        let sizes = arguments.iter().map(Value::size);
        let size = sizes.fold(0, u64::saturating_add);
        match self.0.name {
            "bcrypt" => hash::bcrypt_work(arguments.get(1)),
            "rsadecrypt" => 100_000,
            "regex" | "regexall" | "regex_replace" => 1_000 + size / 10,
            "semvercmp" => 2 * size,
            // These search for grapheme clusters.
            "reverse" | "strlen" | "substr" | "title" => size / 8,
            _ => size / 100,
        }
    }

    /// Calls the function with converted `arguments`, whose number must match its arity.
    ///
    /// # Errors
    /// If the function rejects an argument (for example null), or the result would be too large.
    /// The function refuses an argument (null among them), or the result would be too large.
    pub fn call(self, arguments: &[Value], host: &dyn Host) -> Result<Value, CallError> {
        self.run(arguments, host).map_err(|fault| self.fault(fault))
    }

    fn run(self, arguments: &[Value], host: &dyn Host) -> Result<Value, Fault> {
        for (index, value) in arguments.iter().enumerate() {
            let allowed = self
                .parameter_at(index)
                .is_some_and(|parameter| parameter.null);
            if value.is_null() && !allowed {
                return Err(Fault::at(index, CallReason::Null));
            }
        }
        let given = arguments
            .iter()
            .map(Value::size)
            .fold(0, u64::saturating_add);
        if given > MAX_SIZE {
            return Err(SizeError::TooLarge.into());
        }
        let result = (self.0.run)(&Arguments(arguments), host)?;
        result.check_size()?;
        Ok(result)
    }

    fn parameter_at(self, index: usize) -> Option<Parameter> {
        self.0.parameters.get(index).copied().or(self.0.rest)
    }

    fn fault(self, fault: Fault) -> CallError {
        CallError {
            function: self.0.name,
            argument: fault.argument,
            parameter: fault.argument.and_then(|index| self.parameter(index)),
            reason: fault.reason,
        }
    }
}

/// Defines a function with a fixed number of parameters.
const fn function(
    name: &'static str,
    parameters: &'static [Parameter],
    run: fn(&Arguments<'_>, &dyn Host) -> Result<Value, Fault>,
) -> Definition {
    Definition {
        name,
        parameters,
        rest: None,
        run,
    }
}

impl Definition {
    /// Adds a parameter for any number of further arguments.
    const fn and_more(mut self, rest: Parameter) -> Self {
        self.rest = Some(rest);
        self
    }
}

/// Defines a parameter of the given type.
const fn parameter(name: &'static str, ty: ParameterType) -> Parameter {
    Parameter {
        name,
        ty,
        null: false,
    }
}

/// Defines a parameter for a value of any type.
const fn any(name: &'static str) -> Parameter {
    parameter(name, ParameterType::Any)
}

/// Defines a parameter for a number.
const fn number(name: &'static str) -> Parameter {
    parameter(name, ParameterType::Number)
}

/// Defines a parameter for text.
const fn text(name: &'static str) -> Parameter {
    parameter(name, ParameterType::Text)
}

impl Parameter {
    /// Allows null for the parameter.
    const fn or_null(mut self) -> Self {
        self.null = true;
        self
    }
}
