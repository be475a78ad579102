//! File names that are not UTF-8. buildkitd accepts any bytes. The BuildKit of newer Docker Engines
//! (28) does not: its gRPC library validates UTF-8 in string fields, and fsutil sends names as
//! strings.

use crate::client::{self, Client};
use crate::pipeline::Error;
use crate::session::Sent;

/// The error text of gRPC's encoder and decoder in Go.
const REFUSAL: &str = "string field contains invalid UTF-8";

/// True if the message is that error.
pub(super) fn is_refusal(message: &str) -> bool {
    message.contains(REFUSAL)
}

/// Adds the file name and the daemon's version to such a failure. `status` is how the status stream
/// ended: a daemon that cannot send a name closes the build's own call without a reason.
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

/// If all platforms fail, the cause is the context, which they share.
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
