//! Checks a target against this machine before anything is built.
//!
//! buildx converts every target to build options, even for `--print`. These are the checks that it
//! makes on the way (`bake.toBuildOpt`), in its order. It does not check tags, the context or the
//! Dockerfile, so neither does this.

mod agents;

mod error;

mod outputs;

mod secrets;

use std::io;

use solvekit_bake::target::{Resources, Target};
use solvekit_core::units::{Ulimit, parse_size};

use crate::oci::Platform;
use crate::pipeline::parse_annotations;
use crate::session;
pub use error::{CheckError, OutputProblem};

/// The kind of file at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A regular file of this size in bytes.
    File(u64),
    /// A folder.
    Folder,
    /// A socket.
    Socket,
}

/// The machine that a target would be built from.
pub trait Machine {
    /// An environment variable.
    fn variable(&self, name: &str) -> Option<String>;

    /// Inspects a path; links are followed.
    ///
    /// # Errors
    ///
    /// If nothing exists there, or it cannot be inspected.
    fn look(&self, path: &str) -> io::Result<Found>;

    /// Checks that a file is a usable private key.
    ///
    /// # Errors
    ///
    /// If it is not.
    fn check_key(&self, path: &str) -> Result<(), session::Error>;

    /// True if the standard output is a terminal, to which no archive is written.
    fn stdout_is_terminal(&self) -> bool;

    /// True to accept a folder in place of a secret's file: only a step that reads the secret
    /// fails, as in buildx. Otherwise it is an error.
    fn accepts_secret_folders(&self) -> bool {
        false
    }
}

/// Checks that a build can use every attribute of `target`.
///
/// # Errors
///
/// The first attribute that it cannot use.
pub fn check(target: &Target, machine: &dyn Machine) -> Result<(), CheckError> {
    if target.context.as_deref() == Some("-") {
        return Err(CheckError::ContextFromStdin);
    }
    if target.dockerfile.as_deref() == Some("-") {
        return Err(CheckError::DockerfileFromStdin);
    }
    if let Some(size) = &target.shm_size {
        parse_size(size).map_err(CheckError::SharedMemory)?;
    }
    for platform in target
        .platforms
        .iter()
        .flatten()
        .flat_map(|text| text.split(','))
    {
        if !platform.eq_ignore_ascii_case("local") {
            Platform::parse(platform).map_err(CheckError::Platform)?;
        }
    }
    target
        .secrets
        .iter()
        .try_for_each(|secret| secrets::check(secret, machine))?;
    agents::check(target, machine)?;
    outputs::check(target.outputs.as_deref().unwrap_or_default(), machine)?;
    parse_annotations(&target.annotations).map_err(CheckError::Annotation)?;
    for limit in &target.ulimits {
        Ulimit::parse(limit).map_err(CheckError::Ulimit)?;
    }
    target.resources.as_ref().map_or(Ok(()), check_resources)
}

fn check_resources(limits: &Resources) -> Result<(), CheckError> {
    let memory = limits.memory.as_deref();
    let swap = limits
        .memory_swap
        .as_deref()
        .filter(|text| text.trim() != "-1");
    for (name, text) in [("memory", memory), ("memory-swap", swap)] {
        if let Some(text) = text {
            parse_size(text.trim()).map_err(|source| CheckError::Resource { name, source })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
