//! From a request to its result: prepare the inputs, attempt the build on a daemon, and repeat it
//! if the connection was lost.
//!
//! [`prepared`] reads the inputs. [`retry`] calls [`build`], which makes an [`attempt`]: its
//! [`served`] session, its [`setting`], its [`attended`] run. [`question`] makes an attempt too.
//! [`graph`] solves ready-made graphs. [`shared`], [`linked`] and [`gate`] are for builds that run
//! together.
//! together.

pub(super) mod environment;
pub(super) mod prepared;

mod build;
pub(super) mod graph;
pub(super) mod retry;

pub(super) mod push_retry;

mod attempt;
mod attended;
mod fetch;
mod file_names;
pub(super) mod host;
mod kept_cache;
mod loss;
mod lost_files;
mod native;
mod served;
mod setting;
pub(super) mod step_limit;

pub(super) mod gate;
mod linked;
pub(super) mod shared;
mod shown_inputs;
mod sources;
pub(in crate::pipeline) mod started;

mod aside;
mod dry_run;

pub(super) mod asking;
pub(super) mod outcome;
pub(super) mod provenance;
pub(super) mod question;
pub(super) mod remote_files;

use crate::client::Client;
use crate::pipeline::{BuildRequest, Error};
use environment::Environment;
use outcome::BuildOutcome;

/// Builds: reads the inputs, translates, solves all platforms at once, exports. Combines
/// [`prepare`](prepared::prepare) and [`Prepared::run`](prepared::Prepared::run).
///
/// # Errors
/// Those of both functions.
pub async fn run(
    client: &Client,
    request: BuildRequest,
    environment: Environment,
) -> Result<BuildOutcome, Error> {
    prepared::prepare(request)
        .await?
        .run(client, environment)
        .await
}
