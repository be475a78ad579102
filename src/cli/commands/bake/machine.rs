//! This machine, for bake files and for the checks of their targets.

use std::io::{self, IsTerminal as _};

use solvekit::bake::LocalMachine;

use crate::cli::identity::Identity;
use crate::cli::report::Failure;

/// This machine with the process's folder, variables and standard output.
pub(super) fn this(identity: Identity) -> Result<LocalMachine, Failure> {
    let directory = std::env::current_dir()
        .map_err(|error| Failure::new(format!("cannot find the working directory: {error}")))?;
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let variables = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
    let machine = LocalMachine::new(directory.to_string_lossy(), variables);
    let machine = machine.with_secret_folders(identity == Identity::Buildx);
    Ok(machine.with_terminal(io::stdout().is_terminal()))
}
