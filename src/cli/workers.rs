//! `solvekit workers`: what the daemon can build, as a table or JSON.

use serde_json::json;
use solvekit::client::Worker;
use solvekit::oci::Platform;
use solvekit::text::one_line;

use super::Failure;
use super::connection::ConnectionArgs;
use super::environment::Environment;
use super::terminal::{print_json, print_text};

#[derive(Debug, clap::Args)]
pub(super) struct WorkersArgs {
    /// How they are printed
    #[arg(long, value_name = "FORMAT", default_value = "table", value_parser = ["table", "json"])]
    format: String,
}

pub(super) async fn cmd_workers(
    args: &WorkersArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let workers = connection.connect(environment).await?.workers().await?;
    match args.format.as_str() {
        "json" => print_json(&workers.iter().map(json_line).collect::<String>()),
        _ => print_text(&table(&workers)),
    }
}

/// One object a line.
fn json_line(worker: &Worker) -> String {
    let object = json!({
        "id": worker.id,
        "labels": worker.labels,
        "platforms": worker.platforms,
        "version": worker.version.as_ref().map(|version| &version.version),
    });
    format!("{object}\n")
}

fn table(workers: &[Worker]) -> String {
    let mut text = format!("{:<25}  {:<14}  PLATFORMS\n", "ID", "VERSION");
    for worker in workers {
        let version = worker
            .version
            .as_ref()
            .map(|version| version.version.as_str());
        let version = version.filter(|version| !version.is_empty()).unwrap_or("-");
        let mut platforms: Vec<String> = worker.platforms.iter().map(Platform::to_string).collect();
        platforms.dedup();
        text.push_str(&format!(
            "{:<25}  {:<14}  {}\n",
            one_line(&worker.id),
            one_line(version),
            one_line(&platforms.join(", "))
        ));
    }
    text
}
