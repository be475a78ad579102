//! `solvekit policy eval`: shows the decision of a policy about a source, or the policy's input.

use std::io::Read as _;
use std::path::Path;

use solvekit::oci::Platform;
use solvekit::pipeline;
use solvekit::policy::{self, Decision, Evaluator, Loader, Source};

use super::{asking, load};
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print_json, talk, warn};

/// The size limit of a policy from stdin, in bytes.
const LIMIT: u64 = 8 << 20;

#[derive(Debug, clap::Args)]
pub(crate) struct EvalArgs {
    /// The source: docker-image://NAME, a git repository, a URL, or a folder
    source: String,

    /// Evaluate the policy of this Dockerfile: FILE.rego is read; - reads the policy from stdin
    #[arg(
        short,
        long,
        alias = "filename",
        value_name = "FILE",
        default_value = "Dockerfile"
    )]
    file: String,

    /// Print what the policy gets as its input, instead of evaluating it
    #[arg(long)]
    print: bool,

    /// Find out these fields of the input, for example image.labels; comma-separated, repeatable
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    fields: Vec<String>,

    /// Use this platform of the image
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,

    #[command(flatten)]
    registries: RegistryArgs,
}

pub(crate) async fn cmd_eval(
    args: &EvalArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let wrong = |error: &dyn std::error::Error| Failure::from_error(error);
    let source = policy::parse_source(&args.source).map_err(|error| wrong(&error))?;
    let given = args.platform.as_deref().map(Platform::parse).transpose();
    let given = given.map_err(|error| wrong(&error))?;
    let evaluator = match args.print {
        true => None,
        false => Some(read(args, environment).await?),
    };
    let client = connection.connect(environment).await?;
    let platform = match given {
        Some(platform) => platform.normalized(),
        None => {
            let workers = client.workers().await?;
            let first = workers.first().and_then(|worker| worker.platforms.first());
            first
                .cloned()
                .ok_or_else(|| Failure::new("no workers available in the builder"))?
        }
    };
    match evaluator {
        None => print(args, source, &platform, &client, environment).await,
        Some(evaluator) => {
            let asking = asking(&args.registries, environment)?;
            let decided = pipeline::ask(&client, &asking, async |bridge| {
                let decided = evaluator.decide(bridge, source, &platform).await;
                decided.map_err(pipeline::Error::from)
            });
            let decided = decided.await.map_err(|error| wrong(&error))?;
            environment.tell_debug(|| decided.log.join("\n"));
            answer(&decided.decision)
        }
    }
}

/// Reads the policy of the Dockerfile, with its imports from the working directory.
async fn read(args: &EvalArgs, environment: &Environment) -> Result<Evaluator, Failure> {
    let (name, file) = match args.file.as_str() {
        "" => return Err(Failure::new("filename is required")),
        "-" => ("stdin".to_owned(), "-".to_owned()),
        name => (name.to_owned(), format!("{name}.rego")),
    };
    let mut text = Vec::new();
    let read = match file.as_str() {
        "-" => std::io::stdin()
            .take(LIMIT)
            .read_to_end(&mut text)
            .map(drop),
        path => std::fs::read(path).map(|read| text = read),
    };
    read.map_err(|error| {
        let begin = format!("failed to read policy file {file}: ");
        Failure::new(format!("{begin}{error}")).of_missing_file(&begin, &file, &error)
    })?;
    let base = |path: &str| {
        let name = Path::new(path).file_name();
        name.map_or_else(
            || path.to_owned(),
            |name| name.to_string_lossy().into_owned(),
        )
    };
    let policy = load(Loader::new(), &[(base(&file), text)], &base(&name)).await?;
    let folder = environment.working_folder.clone().unwrap_or_default();
    Ok(Evaluator::new(policy, folder))
}

fn answer(decision: &Decision) -> Result<(), Failure> {
    if decision.is_allowed() {
        return Ok(());
    }
    let place = decision
        .place
        .as_ref()
        .map(|place| format!(" ({place})"))
        .unwrap_or_default();
    let messages: Vec<&str> = decision
        .deny_messages
        .iter()
        .map(|message| message.text.as_str())
        .collect();
    Err(Failure::new(match messages.as_slice() {
        [] => format!("policy denied{place}"),
        messages => format!("policy denied: {}", messages.join("; ")),
    }))
}

async fn print(
    args: &EvalArgs,
    source: Source,
    platform: &Platform,
    client: &solvekit::client::Client,
    environment: &Environment,
) -> Result<(), Failure> {
    let asking = asking(&args.registries, environment)?;
    let printed = pipeline::ask(client, &asking, async |bridge| {
        let printed = policy::print(bridge, source, platform, &args.fields).await;
        printed.map_err(pipeline::Error::from)
    });
    let printed = printed.await.map_err(|error| Failure::from_error(&error))?;
    if !printed.invalid.is_empty() {
        warn(&format!("invalid fields: {}", printed.invalid.join(", ")));
    }
    if !printed.unresolved.is_empty() {
        talk(&format!(
            "INFO: unresolved fields: {}\n",
            printed.unresolved.join(", ")
        ));
    }
    print_json(&super::test::json(&printed.input))
}
