//! `solvekit manifest annotate`.

use solvekit::manifest_list::Annotations;

use super::{lists, local, name};
use crate::cli::environment::Environment;
use crate::cli::report::Failure;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct AnnotateArgs {
    /// The manifest list
    #[arg(value_name = "MANIFEST_LIST")]
    list: String,

    /// The manifest in the list to change
    #[arg(value_name = "MANIFEST")]
    manifest: String,

    /// Set the operating system
    #[arg(long, value_name = "OS")]
    os: Option<String>,

    /// Set the architecture
    #[arg(long, value_name = "ARCH")]
    arch: Option<String>,

    /// Set the variant of the architecture
    #[arg(long, value_name = "VARIANT")]
    variant: Option<String>,

    /// Set the version of the operating system
    #[arg(long, value_name = "VERSION")]
    os_version: Option<String>,

    /// Set a feature of the operating system; repeatable
    #[arg(long, value_name = "FEATURE", value_delimiter = ',')]
    os_features: Vec<String>,
}

const EXAMPLES: &str = "\
Example:
  solvekit manifest annotate app:1 app:1-arm --arch arm --variant v7";

pub(super) fn cmd_annotate(args: &AnnotateArgs, environment: &Environment) -> Result<(), Failure> {
    let (list, manifest) = (name(&args.list)?, name(&args.manifest)?);
    let lists = lists(environment)?;
    let mut entry = lists.get_one(&list, &manifest).map_err(local)?;
    let annotations = Annotations {
        os: args.os.clone(),
        architecture: args.arch.clone(),
        variant: args.variant.clone(),
        os_version: args.os_version.clone(),
        os_features: args.os_features.clone(),
    };
    entry.annotate(&annotations).map_err(local)?;
    lists.save(&list, &entry).map_err(local)
}
