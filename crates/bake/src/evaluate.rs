//! The two steps of bake: evaluating the declarations, and selecting targets.

use std::sync::Arc;

use crate::definition::{Declared, Sources, Variable, declare};
use crate::diagnostic::Diagnostic;
use crate::files::{Environment, FileReader, Host, InputFile};
use crate::plan::{Plan, plan};
use crate::print::ListedVariable;
use crate::target::Definition;

/// Options of an evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// True if contexts are relative to the directory of the file that sets them, not to the
    /// working directory: `BUILDX_BAKE_FILE_RELATIVE_PATHS`.
    pub file_relative_paths: bool,
}

/// The evaluated declarations of the files.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Evaluation {
    /// The parsed files.
    pub(crate) sources: Arc<Sources>,
    /// Groups and targets, before inheritance and overrides.
    pub definition: Definition,
    variables: Option<Vec<Variable>>,
}

/// Evaluates bake files from their names and contents.
///
/// ```
/// use solvekit_bake::{Environment, InputFile, Isolated, Options};
///
/// let file = InputFile {
///     name: "docker-bake.hcl".into(),
///     bytes: br#"
///         variable "VERSION" { default = "1.0" }
///         target "default" { tags = ["app:${VERSION}"] }
///     "#
///     .to_vec(),
/// };
/// let environment = Environment::default();
/// let evaluation =
///     solvekit_bake::evaluate(&[file], &environment, &Isolated, &Isolated, Options::default())?;
/// let plan = evaluation.plan(&["default".into()], &[], &environment)?;
/// assert_eq!(plan.targets["default"].tags, Some(vec!["app:1.0".into()]));
/// # Ok::<(), solvekit_bake::Diagnostic>(())
/// ```
///
/// # Errors
/// The first error in the files, with its position if it has one.
pub fn evaluate(
    files: &[InputFile],
    environment: &Environment,
    reader: &dyn FileReader,
    host: &dyn Host,
    options: Options,
) -> Result<Evaluation, Diagnostic> {
    let relative = options.file_relative_paths;
    declare(files, environment, reader, host, relative)
        .map(
            |Declared {
                 definition,
                 variables,
                 sources,
             }| Evaluation {
                definition,
                variables,
                sources: Arc::new(sources),
            },
        )
        .map_err(|error| error.with_source(files))
}

impl Evaluation {
    /// Returns the variables with their values, for lists; `None` if all files are compose files.
    pub fn variables(&self) -> Option<Vec<ListedVariable>> {
        let variables = self.variables.as_ref()?;
        Some(variables.iter().map(Variable::listed).collect())
    }

    /// Returns the targets selected by `names`, with the overrides `set` (`TARGET.KEY=VALUE`).
    ///
    /// # Errors
    /// If a name or pattern matches nothing, an override cannot be applied, or links between
    /// targets form a cycle.
    pub fn plan(
        &self,
        names: &[String],
        set: &[String],
        environment: &Environment,
    ) -> Result<Plan, Diagnostic> {
        plan(&self.definition, names, set, environment)
    }
}
