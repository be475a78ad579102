//! The source policy that the environment names.

use solvekit::client::SourcePolicy;

use super::Failure;
use super::environment::Environment;

/// The file of `EXPERIMENTAL_BUILDKIT_SOURCE_POLICY`.
pub(super) fn of_environment(environment: &Environment) -> Result<Option<SourcePolicy>, Failure> {
    let Some(path) = &environment.source_policy else {
        return Ok(None);
    };
    let bytes = std::fs::read(path).map_err(|error| failed(path, &error.to_string()))?;
    let policy = SourcePolicy::parse(&bytes)
        .map_err(|error| failed(path, &Failure::from_error(&error).into_message()))?;
    Ok(Some(policy))
}

fn failed(path: &std::path::Path, reason: &str) -> Failure {
    Failure::new(format!(
        "cannot use the source policy {}: {reason}",
        path.display()
    ))
    .hint(
        "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY names it; it is JSON like {\"rules\": [{\"action\": \"DENY\", \
         \"selector\": {\"identifier\": \"docker-image://docker.io/*\"}}]}",
    )
}
