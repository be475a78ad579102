//! `solvekit use`: selects the current builder.

use crate::cli::args::complete;
use crate::cli::report::usage::BuilderUsage;
use solvekit::builder::DEFAULT_CONTEXT;

use crate::cli::args::builder::Builders;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::report::Failure;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct UseArgs {
    /// The name of the builder; "default" is the engine of the current context
    #[arg(value_name = "NAME", add = complete::builders())]
    name: Option<String>,

    /// Make it the default of the current docker context
    #[arg(long)]
    default: bool,

    /// Use it in all docker contexts
    #[arg(long)]
    global: bool,
}

const EXAMPLES: &str = "\
Examples:
  solvekit use far       build with this builder from now on
  solvekit use default   build with the Docker Engine again";

pub(crate) fn cmd_use(
    args: &UseArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let given = args
        .name
        .as_deref()
        .or(connection.builder_name(environment));
    let name = given.ok_or(BuilderUsage::NoName)?;
    let builders = Builders::of(environment)?;
    let builder = builders.find(name).map_err(|failure| {
        let path = builders.store.folder().join("instances").join(name);
        let words = match path.exists() {
            true => failure
                .clone()
                .in_words_of(Identity::Buildx)
                .message()
                .to_owned(),
            false => format!("open {}: no such file or directory", path.display()),
        };
        failure.in_buildx(Some(format!("failed to find instance {name:?}: {words}")))
    })?;
    let current = builders.contexts.current();
    let name = match builder.of_context {
        false => builder.name,
        true if name == current => String::new(),
        true => {
            return Err(BuilderUsage::OtherContext {
                name: name.to_owned(),
                current: current.to_owned(),
                is_default: name == DEFAULT_CONTEXT,
            }
            .into());
        }
    };
    let locked = builders.store.lock()?;
    Ok(locked.set_current(&builders.contexts.key(), &name, args.global, args.default)?)
}
