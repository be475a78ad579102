//! Output files of a command: checks their paths before the work starts, and creates their folders.

use std::path::Path;

use solvekit::pipeline::{check_file, make_parent};

use crate::cli::report::Failure;
use crate::cli::report::usage::OutputUsage;

/// Makes sure that the file of a flag can be written.
pub(crate) fn ready(flag: &'static str, path: &Path) -> Result<(), Failure> {
    let checked = check_file(path).and_then(|()| Ok(make_parent(path)?));
    Ok(checked.map_err(|source| OutputUsage::Place {
        flag,
        path: path.to_owned(),
        source,
    })?)
}
