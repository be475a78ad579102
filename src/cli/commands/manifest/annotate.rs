//! `solvekit manifest annotate`.

use solvekit::manifest_list::Annotations;

use super::{lists, local, name};
use crate::cli::environment::Environment;
use crate::cli::report::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct AnnotateArgs {
    /// The list
    #[arg(value_name = "MANIFEST_LIST")]
    list: String,

    /// One of its manifests
    #[arg(value_name = "MANIFEST")]
    manifest: String,

    /// The operating system
    #[arg(long, value_name = "OS")]
    os: Option<String>,

    /// The architecture
    #[arg(long, value_name = "ARCH")]
    arch: Option<String>,

    /// The architecture's variant
    #[arg(long, value_name = "VARIANT")]
    variant: Option<String>,

    /// The operating system's version
    #[arg(long, value_name = "VERSION")]
    os_version: Option<String>,

    /// A feature of the operating system; repeatable
    #[arg(long, value_name = "FEATURE", value_delimiter = ',')]
    os_features: Vec<String>,
}

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
