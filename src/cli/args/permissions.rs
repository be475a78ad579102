//! `--allow`: the entitlements of a build.

use super::headings::STEPS;
use solvekit::pipeline::BuildRequest;

use crate::cli::report::{Failure, hint as hint_of};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = STEPS)]
pub(crate) struct PermissionArgs {
    /// Grant an entitlement: network.host, security.insecure or device[=NAME] for steps that need
    /// it (the daemon has to allow it, too), buildx.local.delete for outputs with mode=delete;
    /// repeatable
    #[arg(long, value_name = "ENTITLEMENT")]
    allow: Vec<String>,
}

impl PermissionArgs {
    pub(crate) fn apply(&self, request: &mut BuildRequest) -> Result<(), Failure> {
        let given = self.allow.iter().filter(|text| !text.is_empty());
        request.entitlements = given
            .map(|text| text.parse())
            .collect::<Result<_, solvekit::pipeline::Error>>()
            .map_err(|error| hint_of::for_value(&error))?;
        Ok(())
    }
}

/// How to allow an entitlement, in the build and on the daemon.
pub(crate) fn hint(entitlement: &str) -> String {
    format!(
        "allow it in the build: --allow {entitlement}\n{}",
        daemon_hint(entitlement)
    )
}

/// How to allow an entitlement on the daemon.
pub(crate) fn daemon_hint(entitlement: &str) -> String {
    let engine = entitlement.replace('.', "-");
    format!(
        "the daemon has to allow it as well: buildkitd --allow-insecure-entitlement {entitlement}, \
         or in buildkitd.toml:\n  \
         insecure-entitlements = [\"{entitlement}\"]\n\
         or a Docker Engine in /etc/docker/daemon.json: {{\"builder\": {{\"entitlements\": \
         {{\"{engine}\": true}}}}}}"
    )
}
