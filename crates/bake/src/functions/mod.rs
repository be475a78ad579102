//! The standard library: functions that bake files can call.
//!
//! `try`, `can` and `convert` look at expressions rather than values; [`crate::eval`] has them.

use crate::files::Host;
use crate::value::Value;

/// A function of the standard library.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    name: &'static str,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallError {
    /// The argument that is at fault, from 0; none if it is the call as a whole.
    pub argument: Option<usize>,
    /// What is wrong: a lowercase fragment.
    pub message: String,
}

impl Function {
    /// The function named `name`.
    pub fn find(name: &str) -> Option<Self> {
        let _ = name;
        None
    }

    /// The names of all functions, sorted.
    pub fn names() -> impl Iterator<Item = &'static str> {
        [].into_iter()
    }

    /// The function's name.
    pub fn name(self) -> &'static str {
        self.name
    }

    /// The least number of arguments, and the most unless it takes any number.
    pub fn arity(self) -> (usize, Option<usize>) {
        (0, None)
    }

    /// The value of argument `index`, converted to the type of its parameter.
    ///
    /// # Errors
    /// When the value does not have that type and cannot be converted.
    pub fn convert_argument(self, index: usize, value: Value) -> Result<Value, CallError> {
        let _ = index;
        Ok(value)
    }

    /// The result of the function for converted `arguments`, whose number fits its arity.
    ///
    /// # Errors
    /// When the function refuses an argument (null among them), or the result would be too large.
    pub fn call(self, arguments: &[Value], host: &dyn Host) -> Result<Value, CallError> {
        let _ = (arguments, host);
        Ok(Value::null())
    }
}
