//! `solvekit workers`: shows the abilities of the daemon's workers, as a table, as JSON, or by a
//! template.

use serde_json::json;
use solvekit::client::{Device, GcRule, Version, Worker};
use solvekit::oci::Platform;
use solvekit::template::{Json, Struct, Template, Value};
use solvekit::text::one_line;

use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print_json, print_text};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct WorkersArgs {
    /// Print as table, json (one object per line), or with a Go template over the list as in
    /// buildctl, for example '{{range .}}{{.ID}} {{end}}'
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: String,
}

const EXAMPLES: &str = "\
Examples:
  solvekit workers
  solvekit --addr tcp://build.example.com:1234 workers --format json
      one JSON object per worker";

pub(crate) async fn cmd_workers(
    args: &WorkersArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let template = match args.format.as_str() {
        "table" | "json" => None,
        text => Some(Template::parse(text).map_err(|error| Failure::from_error(&error))?),
    };
    let workers = connection.connect(environment).await?.workers().await?;
    if let Some(template) = template {
        let list: Vec<Struct> = workers.iter().map(fields).collect();
        let text = template.render(&Value::from(list), Json::Compact);
        let text = text.map_err(|error| Failure::from_error(&error))?;
        return print_text(&format!("{text}\n"));
    }
    match args.format.as_str() {
        "json" => print_json(&workers.iter().map(json_line).collect::<String>()),
        _ => print_text(&table(&workers)),
    }
}

/// A worker as one line of JSON.
fn json_line(worker: &Worker) -> String {
    let object = json!({
        "id": worker.id,
        "labels": worker.labels,
        "platforms": worker.platforms,
        "version": worker.version.as_ref().map(|version| &version.version),
    });
    format!("{object}\n")
}

/// A worker with the field names of buildctl's templates (`client.WorkerInfo` of BuildKit).
pub(crate) fn fields(worker: &Worker) -> Struct {
    let platforms: Vec<Struct> = worker.platforms.iter().map(platform).collect();
    let rules: Vec<Struct> = worker.gc_policy.iter().map(rule).collect();
    let devices: Vec<Struct> = worker.devices.iter().map(device).collect();
    let version = worker.version.clone().unwrap_or_default();
    Struct::new()
        .field("ID", "id", worker.id.as_str())
        .field("Labels", "labels", worker.labels.clone())
        .field("Platforms", "platforms", platforms)
        .field("GCPolicy", "gcPolicy", rules)
        .field(
            "BuildkitVersion",
            "buildkitVersion",
            self::version(&version),
        )
        .field("CDIDevices", "cdiDevices", or_null(devices))
}

/// Go encodes a list without elements as `null`.
fn or_null<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

fn platform(platform: &Platform) -> Struct {
    Struct::new()
        .field(
            "Architecture",
            "architecture",
            platform.architecture.as_str(),
        )
        .field("OS", "os", platform.os.as_str())
        .optional("OSVersion", "os.version", platform.os_version.as_str())
        .optional("OSFeatures", "os.features", platform.os_features.clone())
        .optional("Variant", "variant", platform.variant.as_str())
}

fn rule(rule: &GcRule) -> Struct {
    let keep = i64::try_from(rule.keep_duration.as_nanos()).unwrap_or(i64::MAX);
    Struct::new()
        .field("All", "all", rule.all)
        .field("Filter", "filter", or_null(rule.filters.clone()))
        .field("KeepDuration", "keepDuration", keep)
        .field("ReservedSpace", "reservedSpace", rule.reserved_space)
        .field("MaxUsedSpace", "maxUsedSpace", rule.max_used_space)
        .field("MinFreeSpace", "minFreeSpace", rule.min_free_space)
}

/// The fields of a daemon's version for templates.
pub(crate) fn version(version: &Version) -> Struct {
    Struct::new()
        .field("Package", "package", version.package.as_str())
        .field("Version", "version", version.version.as_str())
        .field("Revision", "revision", version.revision.as_str())
        .field(
            "DockerfileVersion",
            "dockerfileVersion",
            version.dockerfile_version.as_str(),
        )
}

fn device(device: &Device) -> Struct {
    Struct::new()
        .field("Name", "name", device.name.as_str())
        .field("AutoAllow", "autoAllow", device.auto_allow)
        .field("Annotations", "annotations", device.annotations.clone())
        .field("OnDemand", "onDemand", device.on_demand)
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
