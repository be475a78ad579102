//! File names that are not UTF-8. buildkitd takes any bytes. The BuildKit of newer Docker Engines
//! (28) does not: its gRPC checks that texts are UTF-8, and names are texts in fsutil's messages.

use crate::client::{self, Client};
use crate::pipeline::Error;
use crate::session::Sent;

/// What gRPC's decoder and encoder say in Go.
const REFUSAL: &str = "string field contains invalid UTF-8";

/// True if the daemon says that it met such a text.
pub(super) fn is_refusal(message: &str) -> bool {
    message.contains(REFUSAL)
}

/// A failure because of such a name gets the name, and what the daemon is. `status` is how the
/// stream of progress ended: a daemon that cannot send a name breaks off the build's own call
/// without a word.
pub(super) async fn explained(
    error: Error,
    status: Option<&client::Error>,
    client: &Client,
    sent: &Sent,
) -> Error {
    if is_of_context(&error)
        && let Some(name) = sent.name_that_is_not_utf8()
    {
        return Error::ContextFileName {
            daemon: client.name().await,
            directory: name.directory,
            path: name.path,
        };
    }
    let message = status.and_then(client::Error::failure);
    let is_of_result = match &error {
        Error::Export { source } => {
            let own = source.failure();
            own.or(message)
                .is_some_and(|failure| is_refusal(&failure.message))
        }
        _ => false,
    };
    match is_of_result {
        true => Error::ResultFileName {
            daemon: client.name().await,
        },
        false => error,
    }
}

/// Of several platforms all fail: they have the context in common.
fn is_of_context(error: &Error) -> bool {
    match error {
        Error::Export { .. } => false,
        Error::Platforms { failed, .. } => {
            let mut failed = failed.iter();
            failed.any(|failure| is_refusal(&failure.error.to_failure().message))
        }
        error => is_refusal(&error.to_failure().message),
    }
}
