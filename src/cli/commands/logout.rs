//! `solvekit logout`: removes the credentials of a registry.

use solvekit::registry::{login_key, registry_of_key};

use super::login::failed;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print, talk};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LogoutArgs {
    /// The registry, or a part of it: HOST[:PORT][/PATH] [default: Docker Hub]
    #[arg(value_name = "SERVER")]
    server: Option<String>,
}

const EXAMPLES: &str = "\
Example:
  solvekit logout registry.example.com";

pub(crate) async fn cmd_logout(
    args: &LogoutArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let key = login_key(args.server.as_deref().unwrap_or_default());
    let credentials = environment.credentials()?;
    let had = credentials.erase(&key).await;
    match had.map_err(|error| failed(&error))? {
        true => print(&format!("Removing login credentials for {key}"))?,
        false => print(&format!("Not logged in to {key}"))?,
    }
    let registry = registry_of_key(&key);
    let left = credentials.get(registry).await;
    if left.is_ok_and(|left| !left.is_anonymous()) {
        talk(&format!(
            "note: there are other credentials for {registry}, in DOCKER_AUTH_CONFIG, the \
             auth.json of podman or under another path\n"
        ));
    }
    Ok(())
}
