//! Output files of a command: checks their paths before the work starts, and creates their folders.

use std::path::Path;

use crate::cli::report::Failure;
use crate::cli::report::usage::BuildUsage;

/// Makes sure that the file of a flag can be written.
pub(crate) fn ready(flag: &'static str, path: &Path) -> Result<(), Failure> {
    let failed = |reason: String| BuildUsage::Place {
        flag,
        path: path.to_owned(),
        reason,
    };
    solvekit::pipeline::check_file(path)
        .map_err(|error| failed(Failure::from_error(&error).into_message()))?;
    Ok(solvekit::pipeline::make_parent(path).map_err(|error| failed(error.to_string()))?)
}
