//! What becomes of a build without an output: builders with the option `default-load` load it, an engine keeps it, unless
//! `BUILDX_NO_DEFAULT_LOAD` says that it stays in the cache.

use solvekit::build::{BuildRequest, Output};

use super::Failure;
use super::connection::ConnectionArgs;
use super::environment::Environment;
use super::terminal::talk;
use super::values;

/// Gives a request without an output the one that the builder has.
pub(super) fn apply(
    request: &mut BuildRequest,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    if !request.outputs.is_empty() {
        return Ok(());
    }
    if is_off(environment) {
        request.outputs.push(Output::nowhere());
    } else if connection.loads_by_default(environment)? {
        request.outputs.push(Output::load());
    }
    Ok(())
}

fn is_off(environment: &Environment) -> bool {
    let Some(value) = &environment.no_default_load else {
        return false;
    };
    values::boolean(value).unwrap_or_else(|reason| {
        talk(&format!(
            "WARNING: the variable BUILDX_NO_DEFAULT_LOAD has no effect: {reason}\n"
        ));
        false
    })
}
