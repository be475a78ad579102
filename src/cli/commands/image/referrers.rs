//! `solvekit image referrers`.

use serde_json::json;
use solvekit::oci::Descriptor;

use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::report::columns::align;
use crate::cli::report::registry_failure::{of_registry, reference};
use crate::cli::report::terminal::{print_json, print_text};
use crate::cli::report::{Failure, records};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ReferrersArgs {
    /// The image: [REGISTRY/]REPOSITORY[:TAG][@DIGEST]
    #[arg(value_name = "NAME")]
    name: String,

    /// Select by artifact type
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,

    /// Print as table or json
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    format: String,

    #[command(flatten)]
    registries: RegistryArgs,
}

const EXAMPLES: &str = "\
Examples:
  solvekit image referrers registry.example.com/me/app:1.0
  solvekit image referrers --type application/vnd.dev.cosign.artifact.sig.v1+json me/app:1.0";

/// Lists the artifacts that refer to an image: signatures, attestations, SBOMs.
pub(super) async fn run(args: &ReferrersArgs, environment: &Environment) -> Result<(), Failure> {
    let name = reference(&args.name)?.with_default_tag();
    let client = args.registries.client(environment)?;
    let found = async {
        let digest = match name.digest() {
            Some(digest) => digest.clone(),
            None => client.head(&name).await?.digest,
        };
        client.referrers(&name, &digest).await
    };
    let mut found = match found.await {
        Ok(found) => found,
        Err(error) => return Err(of_registry(&client, error).await),
    };
    if let Some(wanted) = &args.kind {
        found.retain(|one| kind(one) == wanted);
    }
    if args.format == "json" {
        return print_json(&format!("{:#}\n", json!(found)));
    }
    let mut text = String::from("DIGEST\tTYPE\tSIZE\tCREATED\n");
    for one in &found {
        let created = one.annotations.get("org.opencontainers.image.created");
        text.push_str(&format!(
            "{}\t{}\t{}\t{}\n",
            one.digest,
            kind(one),
            records::size(i64::try_from(one.size).unwrap_or(i64::MAX)),
            created.map_or("", String::as_str)
        ));
    }
    print_text(&align(&text, 0, 3))
}

/// The artifact type, or else the media type.
fn kind(one: &Descriptor) -> &str {
    match one.artifact_type.as_str() {
        "" => &one.media_type,
        kind => kind,
    }
}
