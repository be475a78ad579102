//! Files that a command writes in the end: their places are checked before the work is done, and
//! their folders made.

use std::path::Path;

use crate::cli::report::Failure;
use crate::cli::report::usage::BuildUsage;

/// Makes sure that a file can be written there, for a flag.
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
