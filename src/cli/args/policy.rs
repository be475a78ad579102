//! The source policy of the environment, and policies beside Dockerfiles.

use super::headings::BUILD;
use crate::cli::report::usage::BuildUsage;
use solvekit::client::SourcePolicy;
use solvekit::files::read_at_most;
use solvekit::policy::{self, LogLevel, Policies, PolicyText};

use super::values;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;

/// The size limit of a policy, in bytes.
const LIMIT: u64 = 16 << 20;

/// Reads the file of `EXPERIMENTAL_BUILDKIT_SOURCE_POLICY`.
pub(crate) fn of_environment(environment: &Environment) -> Result<Option<SourcePolicy>, Failure> {
    let Some(path) = &environment.source_policy else {
        return Ok(None);
    };
    let bytes = read_at_most(path, LIMIT).map_err(|source| BuildUsage::SourcePolicyUnreadable {
        path: path.clone(),
        source,
    })?;
    let policy = SourcePolicy::parse(&bytes).map_err(|source| BuildUsage::SourcePolicy {
        path: path.clone(),
        source,
    })?;
    Ok(Some(policy))
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = BUILD)]
pub(crate) struct PolicyArgs {
    /// Use a Rego policy besides Dockerfile.rego: filename=FILE (in the context, or cwd://FILE;
    /// repeatable), reset=true, disabled=true, strict=true, log-level=LEVEL
    #[arg(long, value_name = "POLICY")]
    policy: Vec<String>,
}

impl PolicyArgs {
    /// The policies of a build.
    pub(crate) fn parse(&self, environment: &Environment) -> Result<Policies, Failure> {
        let mut policies = Policies::default();
        for text in &self.policy {
            let read =
                PolicyText::parse(text).map_err(|error| BuildUsage::Policy(text.clone(), error))?;
            policies.configs.push(policy::config(&read));
        }
        of_process(&mut policies, environment);
        Ok(policies)
    }
}

/// Applies the environment's settings to the policies of a build.
pub(crate) fn of_process(policies: &mut Policies, environment: &Environment) {
    let default = environment
        .buildx_defaults
        .default_policy
        .as_deref()
        .map(values::boolean);
    policies.with_default = matches!(default, Some(Ok(true)));
    policies
        .working_folder
        .clone_from(&environment.working_folder);
    if environment.debug {
        policies.log_level = LogLevel::Debug;
    }
}
