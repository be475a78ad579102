//! `solvekit image ls-tags`.

use serde_json::json;

use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::registry_failure::{of_registry, reference};
use crate::cli::report::terminal::{print_json, print_text};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct LsTagsArgs {
    /// The repository: [REGISTRY/]REPOSITORY
    #[arg(value_name = "REPOSITORY")]
    repository: String,

    /// Print as text (one tag per line) or json
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    format: String,

    #[command(flatten)]
    registries: RegistryArgs,
}

const EXAMPLES: &str = "\
Example:
  solvekit image ls-tags registry.example.com/me/app";

/// Lists all tags of a repository, in the registry's order.
pub(super) async fn run(args: &LsTagsArgs, environment: &Environment) -> Result<(), Failure> {
    let repository = reference(&args.repository)?;
    let client = args.registries.client(environment)?;
    let tags = match client.all_tags(&repository).await {
        Ok(tags) => tags,
        Err(error) => return Err(of_registry(&client, error).await),
    };
    if args.format == "json" {
        let listed = json!({ "name": repository.name(), "tags": tags });
        return print_json(&format!("{listed:#}\n"));
    }
    print_text(
        &tags
            .iter()
            .map(|tag| format!("{tag}\n"))
            .collect::<String>(),
    )
}
