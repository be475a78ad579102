//! Compose files to groups and targets.
//!
//! All compose files are one project. The way through it: `yaml` reads documents, `load` merges
//! them (variables, includes, `extends`), `schema` checks the shape, `service` gives types,
//! `target` makes targets. The rules are those of compose-go, as buildx uses it.

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

/// The file whose variables compose files may use, in the working directory.
const DOTENV: &str = ".env";

/// The groups and targets of compose `files`, which are loaded as one project.
///
/// # Errors
/// When a file is not a compose file, or breaks a rule of compose.
pub fn load(
    files: &[InputFile],
    environment: &Environment,
    reader: &dyn FileReader,
    host: &dyn Host,
) -> Result<Definition, Diagnostic> {
    load_with_places(files, environment, reader, host).map(|(definition, _)| definition)
}

/// As [`load`], and where the files set the attributes of targets.
pub(crate) fn load_with_places(
    files: &[InputFile],
    environment: &Environment,
    reader: &dyn FileReader,
    host: &dyn Host,
) -> Result<(Definition, Vec<ComposeSource>), Diagnostic> {
    let project = project(files, environment, reader, host, Checks::Full)?;
    Ok((target::definition(&project)?, project.places))
}

/// Reads a file in the form of `.env`. A reference in a value takes what `known` has, or what the
/// file has set before; a name alone on its line takes what `lookup` has. The answer has what the
/// file sets, and replaces nothing that it does not name.
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

/// Checks that one file alone is a compose file. Files without a telling name are read as compose
/// files if this succeeds.
///
/// # Errors
/// When it is not a compose file. What another file may complete is not an error.
pub fn check(
    file: &InputFile,
    environment: &Environment,
    reader: &dyn FileReader,
    host: &dyn Host,
) -> Result<(), Diagnostic> {
    let file = std::slice::from_ref(file);
    project(file, environment, reader, host, Checks::OneFile).map(|_| ())
}

/// The variables of compose files: `--var`, the environment, and the `.env` file, the weakest.
///
/// # Errors
/// When the `.env` file cannot be read.
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
