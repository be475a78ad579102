//! `solvekit version`, in the format of the program that the user called.

use serde_json::json;

use crate::cli::environment::Environment;
use crate::cli::identity::{BUILDX_PACKAGE, BUILDX_VERSION, Identity, REVISION, VERSION};
use crate::cli::report::Failure;
use crate::cli::report::terminal::print;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VersionArgs {
    /// Print as json, which also has the version of buildx that solvekit stands in for
    #[arg(long, value_name = "FORMAT", value_parser = ["json"])]
    format: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  solvekit version
  solvekit version --format json";

/// Prints the name, the version and the revision on one line, as `docker buildx version` does.
pub(crate) fn cmd_version(args: &VersionArgs, environment: &Environment) -> Result<(), Failure> {
    if args.format.is_some() {
        return print(&as_json().to_string());
    }
    let line = match environment.identity {
        // Programs expect three words, and take the second one as the version.
        Identity::Buildx => format!("{BUILDX_PACKAGE} {BUILDX_VERSION} {}", revision("unknown")),
        Identity::Solvekit | Identity::Buildctl => format!("solvekit {VERSION} {}", revision("")),
    };
    print(line.trim_end())
}

fn as_json() -> serde_json::Value {
    json!({
        "name": "solvekit",
        "version": VERSION,
        "revision": revision(""),
        "buildx": {"package": BUILDX_PACKAGE, "version": BUILDX_VERSION},
    })
}

fn revision(unknown: &'static str) -> &'static str {
    REVISION.unwrap_or(unknown)
}
