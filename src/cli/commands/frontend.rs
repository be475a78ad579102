//! `solvekit frontend`: the program in solvekit's frontend image, which BuildKit starts for `#
//! syntax=`.

use solvekit::frontend;
use solvekit::gateway::{Bridge, FrontendEnvironment};

use crate::cli::report::Failure;
use crate::cli::report::failure::with_causes;
use crate::cli::report::usage::BuildUsage;

// Build inside BuildKit, as a frontend.
#[derive(Debug, clap::Args)]
pub(crate) struct FrontendArgs {}

/// Serves one build over the standard streams; the daemon shows its errors.
pub(crate) async fn cmd_frontend(_args: FrontendArgs) -> Result<(), Failure> {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let Some(environment) = FrontendEnvironment::from_vars(variables) else {
        return Err(not_by_hand("its environment has nothing of BuildKit"));
    };
    let bridge = match Bridge::stdio().await {
        Ok(bridge) => bridge,
        Err(error) => return Err(not_by_hand(&with_causes(&error))),
    };
    let served = frontend::serve(&bridge, &environment).await;
    served.map_err(|error| Failure::from_error(&error))
}

fn not_by_hand(reason: &str) -> Failure {
    BuildUsage::FrontendByHand(reason.to_owned()).into()
}
