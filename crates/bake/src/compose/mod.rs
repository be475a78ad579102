//! Compose files to groups and targets.

use crate::diagnostic::Diagnostic;
use crate::files::{Environment, FileReader, Host, InputFile};
use crate::target::Definition;

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
    let _ = (files, environment, reader, host);
    Ok(Definition::default())
}

/// Checks that one file alone is a compose file. Files without a telling name are read as compose
/// files if this succeeds.
///
/// # Errors
/// When it is not a compose file.
pub fn check(
    file: &InputFile,
    environment: &Environment,
    reader: &dyn FileReader,
    host: &dyn Host,
) -> Result<(), Diagnostic> {
    load(std::slice::from_ref(file), environment, reader, host).map(|_| ())
}
