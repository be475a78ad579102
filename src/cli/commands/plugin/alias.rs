//! `buildx install` and `buildx uninstall`: `docker builder` is an alias of `docker buildx`.
//! Deprecated and hidden as in buildx; actions of continuous integration still call it.

use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::report::Failure;
use crate::cli::report::terminal::talk;

/// The command of the docker CLI that is redirected.
const ALIAS: &str = "builder";

#[derive(Debug, clap::Args)]
pub(crate) struct AliasArgs {}

pub(crate) async fn cmd_install(environment: &Environment) -> Result<(), Failure> {
    change("install", Some("buildx"), environment).await
}

pub(crate) async fn cmd_uninstall(environment: &Environment) -> Result<(), Failure> {
    change("uninstall", None, environment).await
}

async fn change(
    command: &str,
    plugin: Option<&str>,
    environment: &Environment,
) -> Result<(), Failure> {
    if environment.identity == Identity::Buildx {
        talk(&format!(
            "Command \"{command}\" is deprecated, use 'docker buildx' directly, without relying on \
             the 'docker builder' alias\n"
        ));
    }
    let credentials = environment.credentials()?;
    let changed = credentials.set_alias(ALIAS, plugin).await;
    changed.map_err(|error| Failure::from_error(&error))
}
