//! `--dry-run` of `build` and `bake`: prints what would run, without running it.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use serde_json::{Value, json};
use solvekit::frontend::{Expected, ExpectedGraph, ExpectedStep};
use solvekit::oci::{Platform, Reference};
use solvekit::pipeline::{self, Inputs, Prepared};
use solvekit::progress::{Mode, Summary};
use solvekit::registry;
use solvekit::session::{Sent, Survey, Tally};
use tokio_util::sync::CancellationToken;

use super::asking::Reaching;
use crate::cli::args::nodes;
use crate::cli::interrupt;
use crate::cli::report::explanation::counted;
use crate::cli::report::records::size;
use crate::cli::report::terminal::{print_json, print_text};
use crate::cli::report::{Failure, build_failure};

/// The form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Text for people
    Text,
    /// JSON for programs
    Json,
}

/// The forecast of a build.
struct Forecast {
    graphs: Vec<ExpectedGraph>,
    contexts: Vec<(String, PathBuf, Tally)>,
    sent: Sent,
    /// The names that would be pushed, with their current digests.
    tags: Vec<(Reference, Result<Option<String>, String>)>,
}

/// Asks the daemon about builds, and prints what would run. The names are those of targets; a
/// single build has none.
pub(crate) async fn cmd_dry_run(
    preparing: impl Future<Output = Result<Vec<(Option<String>, Arc<Prepared>)>, Failure>>,
    form: Form,
    reaching: Reaching<'_>,
) -> Result<(), Failure> {
    let cancelled = interrupt::token()?;
    let forecasts = async {
        let builds = preparing.await?;
        ask(builds, reaching, &cancelled).await
    };
    let forecasts = tokio::select! {
        forecasts = forecasts => forecasts?,
        () = cancelled.cancelled() => return Err(explained(&pipeline::Error::Interrupted)),
    };
    match form {
        Form::Text => print_text(&text(&forecasts)),
        Form::Json => print_json(&format!("{:#}\n", json(&forecasts))),
    }
}

fn explained(error: &pipeline::Error) -> Failure {
    build_failure::explain(error, &Summary::default(), Mode::Plain)
}

async fn ask(
    builds: Vec<(Option<String>, Arc<Prepared>)>,
    reaching: Reaching<'_>,
    cancelled: &CancellationToken,
) -> Result<Vec<(Option<String>, Forecast)>, Failure> {
    let Reaching {
        connection,
        registries: flags,
        environment,
        ..
    } = reaching;
    let platforms = builds
        .iter()
        .flat_map(|(_, build)| &build.request().platforms);
    let platforms: Vec<Platform> = platforms.cloned().collect();
    let (client, _) = reaching.connect(&platforms).await?;
    let credentials = Arc::new(environment.credentials()?);
    let mut forecasts = Vec::new();
    for (name, prepared) in builds {
        let mut options = flags.options(environment);
        options.insecure.extend(nodes::insecure(prepared.request()));
        connection.add_registries(&mut options, environment)?;
        let registries = registry::Client::new(Arc::clone(&credentials), options.clone());
        let mut run = pipeline::Environment::default();
        run.credentials = Arc::clone(&credentials);
        run.registries = options;
        run.cancelled = cancelled.clone();
        let sent = run.sent.clone();
        let graphs = prepared.dry_run(&client, run).await;
        let forecast = Forecast {
            graphs: graphs.map_err(|error| explained(&error))?,
            contexts: contexts(prepared.inputs())?,
            sent,
            tags: tags(&prepared, &registries).await,
        };
        forecasts.push((name, forecast));
    }
    Ok(forecasts)
}

/// All forecasts as text.
fn text(forecasts: &[(Option<String>, Forecast)]) -> String {
    let mut text = String::new();
    for (name, forecast) in forecasts {
        if let Some(name) = name {
            text.push_str(&format!("target {name}\n"));
        }
        text.push_str(&forecast.text());
    }
    text.push_str("no command was run, and nothing was exported\n");
    text
}

/// The forecast of a build as JSON, or those of targets by name.
fn json(forecasts: &[(Option<String>, Forecast)]) -> Value {
    if let [(None, forecast)] = forecasts {
        return forecast.json();
    }
    let named = forecasts.iter().map(|(name, forecast)| {
        let name = name.clone().unwrap_or_default();
        (name, forecast.json())
    });
    named.collect::<serde_json::Map<_, _>>().into()
}

/// The files of each folder that could be sent.
fn contexts(inputs: &Inputs) -> Result<Vec<(String, PathBuf, Tally)>, Failure> {
    let named = inputs.named_excludes();
    let folders = inputs.local_folders().into_iter().map(|(name, path)| {
        let excludes = match named.get(&name) {
            Some(excludes) => excludes.as_slice(),
            None => inputs.excludes(),
        };
        let survey = Survey::of(&path, excludes, 0);
        let survey = survey.map_err(|error| Failure::from_error(&error))?;
        Ok((name, path, survey.included))
    });
    folders.collect()
}

/// The names that would be pushed, with their current digests.
async fn tags(
    prepared: &Prepared,
    registries: &registry::Client,
) -> Vec<(Reference, Result<Option<String>, String>)> {
    let mut tags = Vec::new();
    for name in prepared.request().pushes() {
        let now = match registries.head(&name).await {
            Ok(found) => Ok(Some(found.digest.to_string())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(Failure::from_error(&error).into_message()),
        };
        tags.push((name, now));
    }
    tags
}

fn shown(bytes: u64) -> String {
    size(i64::try_from(bytes).unwrap_or(i64::MAX))
}

fn word(expected: Expected) -> &'static str {
    match expected {
        Expected::Cached => "cached",
        Expected::Runs => "would run",
        _ => "unknown",
    }
}

impl Forecast {
    fn text(&self) -> String {
        let mut text = String::new();
        for graph in &self.graphs {
            text.push_str(&format!("{}\n", graph.platform));
            for step in &graph.steps {
                text.push_str(&line(step));
            }
        }
        for (name, path, tally) in &self.contexts {
            let place = format!("{name}: {}", path.display());
            let (files, bytes) = (counted(tally.files, "file", "files"), shown(tally.bytes));
            text.push_str(&format!("{place}: {files}, {bytes}\n"));
        }
        if !self.contexts.is_empty() {
            let files = counted(self.sent.files(), "file", "files");
            let bytes = shown(self.sent.bytes());
            text.push_str(&format!("sent to be compared: {files}, {bytes}\n"));
        }
        for (name, now) in &self.tags {
            let now = match now {
                Ok(Some(digest)) => format!("would move from {digest}"),
                Ok(None) => "would be new".to_owned(),
                Err(error) => format!("unknown: {error}"),
            };
            text.push_str(&format!("{name}: {now}\n"));
        }
        text
    }

    fn json(&self) -> Value {
        let graphs = self.graphs.iter().map(|graph| {
            let steps = graph.steps.iter().map(|step| {
                json!({
                    "name": step.name, "line": step.line, "expected": word(step.expected),
                    "emulated": step.emulated.as_ref().map(ToString::to_string),
                })
            });
            json!({
                "platform": graph.platform.to_string(),
                "steps": steps.collect::<Value>(),
            })
        });
        let contexts = self.contexts.iter().map(|(name, path, tally)| {
            json!({"name": name, "path": path, "files": tally.files, "bytes": tally.bytes})
        });
        let tags = self.tags.iter().map(|(name, now)| {
            json!({
                "name": name.to_string(),
                "digest": now.as_ref().ok().and_then(Option::as_ref),
                "error": now.as_ref().err(),
            })
        });
        json!({
            "platforms": graphs.collect::<Value>(),
            "contexts": contexts.collect::<Value>(),
            "sent": {"files": self.sent.files(), "bytes": self.sent.bytes()},
            "tags": tags.collect::<Value>(),
        })
    }
}

fn line(step: &ExpectedStep) -> String {
    let emulated = match &step.emulated {
        Some(platform) => format!(" ({platform} is emulated)"),
        None => String::new(),
    };
    format!("  {:9}  {}{emulated}\n", word(step.expected), step.name)
}
