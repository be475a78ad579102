//! Files that a command writes in the end: their places are checked before the work is done, and their folders made.

use std::path::Path;

use crate::cli::report::Failure;

/// Makes sure that a file can be written there, for a flag.
pub(crate) fn ready(flag: &str, path: &Path) -> Result<(), Failure> {
    let failed = |reason: String| {
        Failure::new(format!("cannot write {}: {reason}", path.display()))
            .hint(format!("{flag} takes the path of a file"))
    };
    solvekit::pipeline::check_file(path)
        .map_err(|error| failed(Failure::from_error(&error).into_message()))?;
    solvekit::pipeline::make_parent(path).map_err(|error| failed(error.to_string()))
}
