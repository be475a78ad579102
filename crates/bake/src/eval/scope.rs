//! The names that expressions see: variables, functions, and the blocks evaluated so far.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use crate::diagnostic::{Diagnostic, Kind};
use crate::files::Host;
use crate::syntax::ast::Expression;
use crate::value::Value;

/// The most steps of an evaluation: evaluated nodes, and bytes by the hundred.
const MAX_STEPS: u64 = 4_000_000;
/// The most bytes of values of an evaluation.
const MAX_BYTES: u64 = 96 << 20;
/// The deepest nesting of expressions, including the functions that they call.
const MAX_DEPTH: u32 = 300;

/// A function that a bake file defines.
#[derive(Debug)]
pub(crate) struct UserFunction {
    /// The names of its parameters.
    pub(crate) parameters: Vec<String>,
    /// The name of the parameter for all further arguments.
    pub(crate) variadic: Option<String>,
    /// The result's expression.
    pub(crate) result: Expression,
}

/// The state that all expressions of an evaluation share.
pub(crate) struct Globals<'a> {
    /// The evaluated variables and top-level attributes.
    pub(crate) variables: HashMap<String, Value>,
    /// The functions that the files define.
    pub(crate) functions: HashMap<String, Rc<UserFunction>>,
    /// The values of blocks by kind and name, as far as they are evaluated.
    pub(crate) blocks: HashMap<&'static str, BTreeMap<String, Value>>,
    /// The source of time, random numbers and the like.
    pub(crate) host: &'a dyn Host,
    steps: Cell<u64>,
    bytes: Cell<u64>,
    depth: Cell<u32>,
}

impl<'a> Globals<'a> {
    /// Returns globals with the standard library alone.
    pub(crate) fn new(host: &'a dyn Host) -> Self {
        Self {
            variables: HashMap::new(),
            functions: HashMap::new(),
            blocks: HashMap::new(),
            host,
            steps: Cell::new(0),
            bytes: Cell::new(0),
            depth: Cell::new(0),
        }
    }

    /// Counts steps of work.
    ///
    /// # Errors
    /// If there are too many steps.
    pub(crate) fn spend(&self, steps: u64) -> Result<(), Diagnostic> {
        let total = self.steps.get().saturating_add(steps);
        self.steps.set(total);
        if total > MAX_STEPS {
            return Err(Diagnostic::new(
                Kind::Limit,
                format!("the evaluation takes more than {MAX_STEPS} steps"),
            ));
        }
        Ok(())
    }

    /// Enters some levels; fails if that is too deep for the stack. Returns the previous depth for
    /// [`Globals::leave`].
    pub(super) fn enter(&self, levels: u32) -> Result<u32, Diagnostic> {
        let before = self.depth.get();
        if before + levels > MAX_DEPTH {
            let message = format!("expressions and functions nest more than {MAX_DEPTH} levels");
            return Err(Diagnostic::new(Kind::Limit, message));
        }
        self.depth.set(before + levels);
        Ok(before)
    }

    /// Restores a previous depth.
    pub(super) fn leave(&self, before: u32) {
        self.depth.set(before);
    }

    /// Counts a new value, of which `bytes` are new.
    ///
    /// # Errors
    /// If the value is too large or too deep, or all values together are too large.
    pub(crate) fn charge(&self, value: &Value, bytes: u64) -> Result<(), Diagnostic> {
        value
            .check_size()
            .map_err(|error| Diagnostic::new(Kind::Limit, error.to_string()))?;
        self.spend(bytes / 100)?;
        let total = self.bytes.get().saturating_add(bytes);
        self.bytes.set(total);
        if total > MAX_BYTES {
            return Err(Diagnostic::new(
                Kind::Limit,
                format!("the values are larger than {} MiB", MAX_BYTES >> 20),
            ));
        }
        Ok(())
    }
}

/// Names and values of one level of a scope.
pub(crate) type Locals<'a> = [(&'a str, Value)];

/// The scope of an expression: local names, the innermost first, then the globals.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) globals: &'a Globals<'a>,
    pub(crate) locals: &'a Locals<'a>,
    pub(crate) outer: Option<&'a Scope<'a>>,
}

impl<'a> Scope<'a> {
    /// Returns a scope with globals only.
    pub(crate) fn global(globals: &'a Globals<'a>) -> Self {
        Self {
            globals,
            locals: &[],
            outer: None,
        }
    }

    /// Returns a scope within `outer` that also has `locals`.
    pub(crate) fn within(outer: &'a Scope<'a>, locals: &'a Locals<'a>) -> Self {
        Self {
            globals: outer.globals,
            locals,
            outer: Some(outer),
        }
    }

    /// Returns the value of a local name or a variable.
    pub(super) fn find(&self, name: &str) -> Option<&'a Value> {
        let mut scope = Some(self);
        while let Some(level) = scope {
            if let Some((_, value)) = level.locals.iter().rev().find(|(local, _)| *local == name) {
                return Some(value);
            }
            scope = level.outer;
        }
        self.globals.variables.get(name)
    }

    /// Returns the names of all variables, for suggestions.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        let locals = std::iter::successors(Some(self), |scope| scope.outer)
            .flat_map(|scope| scope.locals.iter().map(|(name, _)| *name))
            .collect::<Vec<_>>();
        locals
            .into_iter()
            .chain(self.globals.variables.keys().map(String::as_str))
    }
}
