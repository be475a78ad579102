//! The state of an evaluation: declarations, values, and evaluations in progress.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::blocks::BlockState;
use super::collect::Collected;
use super::declarations::{FunctionBlock, VariableBlock};
use super::sources::{Outputs, outputs};
use super::variable_info::Variable;
use crate::diagnostic::{Diagnostic, Kind};
use crate::eval::{Globals, Scope, evaluate};
use crate::files::{Environment, Host};
use crate::syntax::ast::{Attribute, Expression};
use crate::syntax::body::Body;
use crate::syntax::labels::check_labels;
use crate::target::Definition;
use crate::value::{Type, Value};

/// The kinds of blocks that have values.
pub(super) const KINDS: [&str; 2] = ["group", "target"];
/// The deepest chain of variables, functions and attributes that need each other.
const MAX_DEPTH: usize = 200;

/// The names and values of one combination of a matrix, with a unique number.
#[derive(Clone, Debug)]
pub(super) struct Context {
    pub(super) id: usize,
    pub(super) locals: Rc<Vec<(String, Value)>>,
}

impl Context {
    /// Returns the context outside any matrix.
    pub(super) fn global() -> Self {
        Self {
            id: 0,
            locals: Rc::default(),
        }
    }

    /// True if the context itself defines `name`.
    pub(super) fn defines(&self, name: &str) -> bool {
        self.locals.iter().any(|(local, _)| local == name)
    }
}

/// The reason a name has no value.
#[derive(Debug)]
pub(super) enum Unresolved {
    /// The name does not exist. Some expressions may contain such names.
    Missing(Diagnostic),
    /// The name exists, but its evaluation failed.
    Failed(Diagnostic),
}

impl From<Diagnostic> for Unresolved {
    fn from(error: Diagnostic) -> Self {
        Self::Failed(error)
    }
}

impl Unresolved {
    /// Returns the error.
    pub(super) fn into_inner(self) -> Diagnostic {
        match self {
            Self::Missing(error) | Self::Failed(error) => error,
        }
    }
}

/// The evaluation of one body.
pub(super) struct Interpreter<'b> {
    pub(super) environment: &'b Environment,
    pub(super) globals: Globals<'b>,
    pub(super) variables: Vec<VariableBlock<'b>>,
    pub(super) variable_index: HashMap<&'b str, usize>,
    /// The declared types of variables.
    pub(super) constraints: HashMap<&'b str, Type>,
    pub(super) attributes: Vec<(&'b Attribute, &'b Expression)>,
    pub(super) attribute_index: HashMap<&'b str, usize>,
    pub(super) functions: Vec<FunctionBlock<'b>>,
    pub(super) function_index: HashMap<&'b str, usize>,
    pub(super) blocks: Vec<BlockState<'b>>,
    /// Blocks by kind and name; empty until all names are known.
    pub(super) named: HashMap<(&'static str, String), Vec<usize>>,
    /// Blocks that changed since expressions last saw them: the last block and output of a name.
    pub(super) changed: HashMap<(&'static str, String), (usize, usize)>,
    /// True once expressions may refer to blocks.
    pub(super) blocks_exist: bool,
    pub(super) contexts: usize,
    pub(super) visited_variables: HashSet<(usize, String)>,
    pub(super) visited_functions: HashSet<(usize, String)>,
    depth: usize,
}

impl<'b> Interpreter<'b> {
    /// Returns an evaluation of `body` without any values.
    pub(super) fn new(
        body: &'b Body,
        environment: &'b Environment,
        host: &'b dyn Host,
    ) -> Result<Self, Diagnostic> {
        let globals = Globals::new(host);
        check_labels(body, &["variable", "function"])?;
        let mut variables = Vec::new();
        let mut functions = Vec::new();
        for block in &body.blocks {
            match block.kind.as_str() {
                "variable" => variables.push(VariableBlock::read(block, &globals)?),
                "function" => functions.push(FunctionBlock::read(block)?),
                _ => {}
            }
        }
        check_labels(body, &KINDS)?;
        let allowed = |name: &str| !KINDS.contains(&name) && environment.builtin(name).is_none();
        let index = |names: Vec<&'b str>| -> HashMap<&'b str, usize> {
            let numbered = names.into_iter().enumerate();
            let kept = numbered.filter(|(_, name)| allowed(name));
            kept.map(|(index, name)| (name, index)).collect()
        };
        let attributes: Vec<_> = body
            .attributes
            .iter()
            .filter(|attribute| attribute.name != "function")
            .map(|attribute| (attribute, &attribute.expression))
            .collect();
        Ok(Self {
            environment,
            globals,
            variable_index: index(variables.iter().map(|it| it.block.name()).collect()),
            variables,
            constraints: HashMap::new(),
            attribute_index: index(attributes.iter().map(|(it, _)| it.name.as_str()).collect()),
            attributes,
            function_index: index(functions.iter().map(|it| it.block.name()).collect()),
            functions,
            blocks: BlockState::all(body),
            named: HashMap::new(),
            changed: HashMap::new(),
            blocks_exist: false,
            contexts: 0,
            visited_variables: HashSet::new(),
            visited_functions: HashSet::new(),
            depth: 0,
        })
    }

    /// Evaluates everything and adds the result to `base`.
    pub(super) fn run(
        &mut self,
        base: Definition,
    ) -> Result<(Definition, Vec<Variable>), Diagnostic> {
        let variables = self.resolve_variables()?;
        self.validate_variables()?;
        self.resolve_functions()?;
        self.blocks_exist = true;
        self.resolve_names()?;
        let mut collected = Collected::new(base);
        self.resolve_blocks(&mut collected)?;
        self.resolve_attributes()?;
        Ok((collected.finish(&self.blocks), variables))
    }

    /// Returns the outputs of the blocks after the evaluation.
    pub(super) fn into_outputs(self, body: &Body) -> Vec<Outputs> {
        outputs(body, self.blocks)
    }

    /// Evaluates `expression` in `context`.
    pub(super) fn evaluate(
        &self,
        expression: &Expression,
        context: &Context,
    ) -> Result<Value, Diagnostic> {
        let count = context.locals.len() as u64;
        let work = self.globals.spend(count);
        work.map_err(|error| error.or_at(&expression.span()))?;
        let locals: Vec<(&str, Value)> = context
            .locals
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        let global = Scope::global(&self.globals);
        evaluate(expression, Scope::within(&global, &locals))
    }

    /// Runs `resolve` one level deeper; fails if that is too deep.
    pub(super) fn deeper<T>(
        &mut self,
        resolve: impl FnOnce(&mut Self) -> Result<T, Unresolved>,
    ) -> Result<T, Unresolved> {
        if self.depth >= MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} values refer to each other in a chain");
            return Err(Diagnostic::new(Kind::Limit, message).into());
        }
        self.depth += 1;
        let result = resolve(self);
        self.depth -= 1;
        result
    }
}
