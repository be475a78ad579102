//! Solves a single source in the daemon, to read its files.

use super::super::Error;
use crate::client;
use crate::gateway::{self, Bridge, Ref, SolveOptions};
use crate::llb::{Definition, MarshalOptions, State};
use crate::text::redact_url;

/// The bytes of a download that are enough to distinguish an archive from a Dockerfile.
const SNIFFED: u64 = 1024;

/// Solves a source to read from.
pub(super) async fn solve(bridge: &Bridge, source: &State) -> Result<(Definition, Ref), Error> {
    solve_with(bridge, source, &SolveOptions::default()).await
}

/// Solves a source with a URL, and fetches it at once: a server's refusal is not mistaken for a
/// missing file.
pub(super) async fn fetch(
    bridge: &Bridge,
    source: &State,
    url: &str,
) -> Result<(Definition, Ref), Error> {
    let options = SolveOptions {
        evaluate: true,
        ..SolveOptions::default()
    };
    let solved = solve_with(bridge, source, &options).await;
    solved.map_err(|error| not_fetched(url, error))
}

/// Returns the first bytes of a download.
pub(super) async fn first_bytes(
    bridge: &Bridge,
    file: &State,
    url: &str,
) -> Result<Vec<u8>, Error> {
    let (_, solved) = solve(bridge, file).await?;
    let read = bridge.read_file(&solved, "context", Some(0..SNIFFED)).await;
    let read = read.map_err(|error| not_fetched(url, error.into()));
    Ok(read?.to_vec())
}

async fn solve_with(
    bridge: &Bridge,
    source: &State,
    solve_options: &SolveOptions,
) -> Result<(Definition, Ref), Error> {
    let options = MarshalOptions {
        caps: bridge.capabilities().llb,
        ..MarshalOptions::default()
    };
    let definition = source.marshal(&options);
    let definition = definition.map_err(|error| Error::InvalidAttribute {
        name: "context".to_owned(),
        reason: error.into(),
    })?;
    if definition.is_empty() {
        return Ok((definition, Ref::scratch()));
    }
    let solved = bridge.solve(&definition, solve_options).await?;
    Ok((definition, solved))
}

/// Returns the error for a context that the daemon cannot fetch.
fn not_fetched(url: &str, error: Error) -> Error {
    match error {
        Error::Gateway(source @ gateway::Error::Client(client::Error::Call { .. })) => {
            Error::Context {
                url: redact_url(url),
                source,
            }
        }
        other => other,
    }
}
