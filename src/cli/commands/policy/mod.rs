//! `solvekit policy`: tests policies about the sources of builds.

mod eval;
mod test;

use solvekit::pipeline;
use solvekit::policy::{Evaluator, JSON_SCHEMA, Loader, Policy, Settings};

use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::print_json;

#[derive(Debug, clap::Args)]
pub(crate) struct PolicyCommandArgs {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, clap::Subcommand)]
enum PolicyCommand {
    /// Evaluate a policy for a source
    Eval(eval::EvalArgs),
    /// Run the tests of a policy
    Test(test::TestArgs),
    /// Print the JSON schema of what policies get as their input
    JsonSchema,
}

pub(crate) async fn cmd_policy(
    args: &PolicyCommandArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    match &args.command {
        PolicyCommand::Eval(args) => eval::cmd_eval(args, connection, environment).await,
        PolicyCommand::Test(args) => test::cmd_test(args, connection, environment).await,
        PolicyCommand::JsonSchema => print_json(JSON_SCHEMA),
    }
}

/// Loads a policy whose modules are in the working directory, each with its name and text.
async fn load(
    mut loader: Loader,
    modules: &[(String, Vec<u8>)],
    filename: &str,
) -> Result<Policy, Failure> {
    let wrong = |error: solvekit::policy::Error| Failure::from_error(&error);
    for (name, text) in modules {
        loader.add(name, text_of(name, text)?).map_err(wrong)?;
    }
    loop {
        let missing = loader.missing_imports();
        let mut found = false;
        for (file, _) in missing {
            // A missing import is reported together with the module that imports it.
            if let Ok(text) = std::fs::read(&file) {
                loader
                    .add_import(&file, text_of(&file, &text)?)
                    .map_err(wrong)?;
                found = true;
            }
        }
        if !found {
            break;
        }
    }
    let env = Evaluator::env(filename);
    loader.finish(Settings { env }).map_err(wrong)
}

fn text_of<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, Failure> {
    std::str::from_utf8(bytes).map_err(|_| Failure::new(format!("{name} is not UTF-8")))
}

/// The credentials and registry options for the daemon's look-ups of sources.
fn asking(
    registries: &RegistryArgs,
    environment: &Environment,
) -> Result<pipeline::Environment, Failure> {
    let mut asking = pipeline::Environment::default();
    asking.credentials = std::sync::Arc::new(environment.credentials()?);
    asking.registries = registries.options(environment);
    Ok(asking)
}
