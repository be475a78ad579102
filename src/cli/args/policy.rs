//! The source policy that the environment names, and policies beside Dockerfiles.

use super::headings::BUILD;
use crate::cli::report::usage::BuildUsage;
use solvekit::client::SourcePolicy;
use solvekit::files::read_at_most;
use solvekit::pipeline::PolicyUse;

use super::values;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;

/// Far more than any policy.
const LIMIT: u64 = 16 << 20;

/// The file of `EXPERIMENTAL_BUILDKIT_SOURCE_POLICY`.
pub(crate) fn of_environment(environment: &Environment) -> Result<Option<SourcePolicy>, Failure> {
    let Some(path) = &environment.source_policy else {
        return Ok(None);
    };
    let bytes = read_at_most(path, LIMIT).map_err(|error| failed(path, &error.to_string()))?;
    let policy = SourcePolicy::parse(&bytes)
        .map_err(|error| failed(path, &Failure::from_error(&error).into_message()))?;
    Ok(Some(policy))
}

fn failed(path: &std::path::Path, reason: &str) -> Failure {
    let (path, reason) = (path.to_owned(), reason.to_owned());
    BuildUsage::SourcePolicy { path, reason }.into()
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = BUILD)]
pub(crate) struct PolicyArgs {
    /// Handle the policy beside the Dockerfile (Dockerfile.rego): disabled=true builds without it.
    /// Policies are not supported yet: a build that has one is refused
    #[arg(long, value_name = "POLICY")]
    policy: Vec<String>,
}

impl PolicyArgs {
    /// Reads the flags; none may be taken for obeyed that is not.
    pub(crate) fn parse(&self) -> Result<PolicyUse, Failure> {
        let mut policy = PolicyUse::Refuse;
        for text in &self.policy {
            let disabled = text.strip_prefix("disabled=").map(values::boolean);
            match disabled {
                Some(Ok(true)) => policy = PolicyUse::Disabled,
                Some(Ok(false)) => {}
                _ => {
                    return Err(BuildUsage::Policy(text.clone()).into());
                }
            }
        }
        Ok(policy)
    }
}
