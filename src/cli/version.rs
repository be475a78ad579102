//! `solvekit version`.

use super::Failure;
use super::failure::print;

#[derive(Debug, clap::Args)]
pub(super) struct VersionArgs {}

/// Prints path, version and revision on one line, as `docker buildx version` does.
pub(super) fn cmd_version(_args: &VersionArgs) -> Result<(), Failure> {
    let revision = option_env!("SOLVEKIT_REVISION").unwrap_or("");
    let line = format!("solvekit v{} {revision}", env!("CARGO_PKG_VERSION"));
    print(line.trim_end())
}
