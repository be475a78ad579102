//! Converts compose files to groups and targets.
//!
//! All compose files are one project. The steps: `yaml` parses documents, `load` merges them
//! (variables, includes, `extends`), `schema` validates, `service` converts to typed values,
//! `target` builds targets. The rules are those of compose-go, as buildx uses it.

mod load;

mod yaml;

mod template;

mod dotenv;

mod interpolate;

mod include;

mod extends;

mod merge;

mod unique;

mod canonical;

mod port;

mod volume;

mod locate;

mod path;

mod places;

mod schema;

mod service;

mod fields;

mod project;

mod target;

mod x_bake;

use std::collections::BTreeMap;

pub use dotenv::DotenvError;
pub(crate) use places::{ComposeSource, X_BAKE};

use self::{
    load::Variables,
    project::{Checks, Project},
};
use crate::{
    diagnostic::Diagnostic,
    files::{Environment, FileReader, Host, InputFile, ReadError},
    target::Definition,
};

/// The file with variables for compose files, in the working directory.
const DOTENV: &str = ".env";

/// Returns the groups and targets of compose `files`, which are loaded as one project.
///
/// # Errors
/// If a file is not a compose file, or breaks a rule of compose.
pub fn load(
    files: &[InputFile],
    environment: &Environment,
    reader: &dyn FileReader,
    host: &dyn Host,
) -> Result<Definition, Diagnostic> {
    load_with_places(files, environment, reader, host).map(|(definition, _)| definition)
}

/// As [`load`], also with the positions of the targets' attributes.
pub(crate) fn load_with_places(
    files: &[InputFile],
    environment: &Environment,
    reader: &dyn FileReader,
    host: &dyn Host,
) -> Result<(Definition, Vec<ComposeSource>), Diagnostic> {
    let project = project(files, environment, reader, host, Checks::Full)?;
    Ok((target::definition(&project)?, project.places))
}

/// Parses a file in the format of `.env` and adds its variables to `known`. A reference in a value
/// uses `known`, or an earlier variable of the file; a name alone on its line takes its value from
/// `lookup`.
///
/// # Errors
/// [`DotenvError`] with the line.
pub fn read_dotenv(
    text: &str,
    known: &BTreeMap<String, String>,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<BTreeMap<String, String>, DotenvError> {
    let mut variables = known.clone();
    dotenv::read_with(text, &mut variables, lookup, &|_| None)?;
    Ok(variables)
}

/// Checks that a single file is a compose file. A file with an ambiguous name is loaded as a
/// compose file if this succeeds.
///
/// # Errors
/// If it is not a compose file. Parts that another file may complete are not an error.
pub fn check(
    file: &InputFile,
    environment: &Environment,
    reader: &dyn FileReader,
    host: &dyn Host,
) -> Result<(), Diagnostic> {
    let file = std::slice::from_ref(file);
    project(file, environment, reader, host, Checks::OneFile).map(|_| ())
}

/// Returns the variables for compose files: from `--var`, the environment, and the `.env` file, in
/// this order of precedence.
///
/// # Errors
/// If the `.env` file cannot be read.
pub fn variables(
    environment: &Environment,
    reader: &dyn FileReader,
) -> Result<Variables, Diagnostic> {
    let mut variables = match reader.read(DOTENV) {
        Ok(content) => {
            let mut found = Variables::new();
            include::read_env_file(DOTENV, content, &mut found, &|name| {
                environment.variables.get(name).cloned()
            })?;
            found
        }
        Err(ReadError::NotFound | ReadError::IsDirectory) => Variables::new(),
        Err(error) => return Err(load::unreadable(DOTENV, &error)),
    };
    for known in [&environment.variables, &environment.overrides] {
        variables.extend(
            known
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
    }
    Ok(variables)
}

fn project(
    files: &[InputFile],
    environment: &Environment,
    reader: &dyn FileReader,
    host: &dyn Host,
    checks: Checks,
) -> Result<Project, Diagnostic> {
    let variables = variables(environment, reader)?;
    project::load(files, variables, reader, host.home_directory(), checks)
}

#[cfg(test)]
mod tests;
