//! `solvekit debug`: debugs a build, as `buildx debug build` does, and shows the internals of a
//! daemon, as `buildctl debug` does.

use solvekit::template::{Json, Struct, Template, Value};

use super::build::{BuildArgs, cmd_build};
use super::workers::{self, WorkersArgs, cmd_workers};
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::debugger::When;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::columns::align;
use crate::cli::report::terminal::print_text;

#[derive(Debug, clap::Args)]
pub(crate) struct DebugArgs {
    /// When to pause the build [default: on-error; with --invoke always]
    #[arg(long, global = true, value_name = "WHEN")]
    on: Option<When>,

    /// Run this where the build is paused; the same as the flag of build
    #[arg(long = "invoke", value_name = "COMMAND")]
    debug_invoke: Option<String>,

    #[command(subcommand)]
    command: DebugCommand,
}

#[derive(Debug, clap::Subcommand)]
enum DebugCommand {
    /// Build, and pause where a step fails
    #[command(visible_alias = "b")]
    Build(Box<BuildArgs>),
    /// Show the daemon's version
    Info(InfoArgs),
    /// List the daemon's workers, as solvekit workers does
    Workers(WorkersArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InfoArgs {
    /// Print with a Go template, for example '{{json .}}' or '{{.BuildkitVersion.Version}}'
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
}

const EXAMPLES: &str = "\
Example:
  solvekit debug info --format '{{.BuildkitVersion.Version}}'";

pub(crate) async fn cmd_debug(
    args: DebugArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    match args.command {
        DebugCommand::Build(mut build) => {
            build.debug = std::mem::take(&mut build.debug).or(args.on, args.debug_invoke);
            Box::pin(cmd_build(*build, connection, environment)).await
        }
        DebugCommand::Info(args) => info(&args, connection, environment).await,
        DebugCommand::Workers(args) => cmd_workers(&args, connection, environment).await,
    }
}

pub(crate) async fn info(
    args: &InfoArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let template = args.format.as_deref().map(Template::parse).transpose();
    let template = template.map_err(|error| Failure::from_error(&error))?;
    let client = connection.connect(environment).await?;
    let version = client.info().await?;
    let text = match template {
        Some(template) => {
            let known = workers::version(&version);
            let all = Struct::new().field("BuildkitVersion", "buildkitVersion", Value::from(known));
            let text = template.render(&Value::from(all), Json::Compact);
            format!("{}\n", text.map_err(|error| Failure::from_error(&error))?)
        }
        None => {
            let words = [&version.package, &version.version, &version.revision].map(String::as_str);
            let mut text = format!("BuildKit:\t{}\n", words.join(" ").trim());
            if !version.dockerfile_version.is_empty() {
                text.push_str(&format!("Dockerfile:\t{}\n", version.dockerfile_version));
            }
            align(&text, 0, 1)
        }
    };
    print_text(&text)
}
