//! Flags about several platforms: `--require-native`, `--keep-going` and `--push-partial`.

use solvekit::pipeline::{BuildRequest, OnFailure};

use crate::cli::args::headings::PLATFORMS;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = PLATFORMS)]
pub(crate) struct PlatformArgs {
    /// When a platform fails, let the others finish and report the result of each; nothing is
    /// exported
    #[arg(long)]
    keep_going: bool,

    /// With --keep-going, export the platforms that were built
    #[arg(long, requires = "keep_going")]
    push_partial: bool,

    /// Fail if a step would run on a platform that the daemon's machine emulates
    #[arg(long)]
    require_native: bool,
}

impl PlatformArgs {
    pub(crate) fn apply(&self, request: &mut BuildRequest) {
        request.on_failure = match (self.keep_going, self.push_partial) {
            (true, true) => OnFailure::Export,
            (true, false) => OnFailure::Finish,
            (false, _) => OnFailure::Cancel,
        };
        request.require_native = self.require_native;
    }
}
