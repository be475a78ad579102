//! How images get to registries: `--push-retries`.

use solvekit::pipeline::PushRetries;
use solvekit::registry::{ClientOptions, RetryPolicy};

use super::headings::REGISTRIES;

#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = REGISTRIES)]
pub(crate) struct PushRetryArgs {
    /// Retry a push that fails for a transient reason (5xx, 429, a timeout, a broken connection)
    /// this many times [default: 2 for the daemon's pushes, 5 for each request from here]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100))]
    push_retries: Option<u32>,
}

impl PushRetryArgs {
    /// For the pushes of daemons.
    pub(crate) fn of_daemon(&self) -> PushRetries {
        let mut retries = PushRetries::default();
        if let Some(times) = self.push_retries {
            retries.policy.times = times;
        }
        retries
    }

    /// For requests from this machine.
    pub(crate) fn apply(&self, options: &mut ClientOptions) {
        if let Some(times) = self.push_retries {
            options.retries = RetryPolicy {
                times,
                ..options.retries.clone()
            };
        }
    }
}
