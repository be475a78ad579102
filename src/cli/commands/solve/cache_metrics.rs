//! `--debug-json-cache-metrics`: counts the cached steps of a build, in buildctl's format.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::json;
use solvekit::client::Client;
use solvekit::progress::StatusUpdate;

use crate::cli::commands::build::write_file;
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print_text, talk};

/// The destination of the metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Stdout,
    Stderr,
    File(PathBuf),
}

impl Place {
    pub(super) fn of(text: &str) -> Option<Self> {
        match text {
            "" => None,
            "stdout" => Some(Self::Stdout),
            "stderr" => Some(Self::Stderr),
            path => Some(Self::File(path.into())),
        }
    }
}

/// The state of a step.
#[derive(Debug, Default)]
struct Step {
    name: String,
    cached: bool,
    completed: bool,
    /// True if it fetches a base image.
    from: bool,
}

/// The steps of a build, by digest.
#[derive(Debug, Default)]
struct Steps(BTreeMap<String, Step>);

/// Asks the daemon for the steps of a build, and writes the metrics.
pub(super) async fn write(
    place: &Place,
    client: &Client,
    build_ref: &str,
    took: Duration,
) -> Result<(), Failure> {
    let mut steps = Steps::default();
    let mut updates = client.status(build_ref).await?;
    while let Some(update) = updates.next().await {
        steps.add(&update?);
    }
    let text = steps.report(took);
    match place {
        Place::Stdout => print_text(&text),
        Place::Stderr => {
            talk(&text);
            Ok(())
        }
        Place::File(path) => write_file(path, text.as_bytes()),
    }
}

impl Steps {
    fn add(&mut self, update: &StatusUpdate) {
        for vertex in &update.vertexes {
            let step = self.0.entry(vertex.digest.clone()).or_default();
            step.name.clone_from(&vertex.name);
            step.from |= is_from(&vertex.name);
            step.cached |= vertex.cached;
            step.completed |= vertex.completed.is_some();
        }
    }

    /// A line for each step that was not cached, followed by the metrics.
    fn report(&self, took: Duration) -> String {
        let all = self.0.values();
        let completed = all.clone().filter(|step| step.completed).count();
        let own: Vec<&Step> = all.filter(|step| !is_internal(&step.name)).collect();
        let count = |is: fn(&Step) -> bool| own.iter().filter(|step| is(step)).count();
        let missed: Vec<&&Step> = own
            .iter()
            .filter(|step| !step.cached && !step.from)
            .collect();
        let mut text: String = missed
            .iter()
            .map(|step| format!("cache miss: {}\n", step.name))
            .collect();
        let from = count(|step| step.from);
        let numbers = json!({
            "total": self.0.len(),
            "completed": completed,
            "user_total": own.len(),
            "user_cached": count(|step| step.cached),
            "user_completed": count(|step| step.completed),
            "user_cacheable": own.len() - from,
            "from": from,
            "miss": missed.len(),
            "client_duration_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        });
        text.push_str(&format!("{numbers}\n"));
        text
    }
}

/// True for `[stage 1/3] FROM image`.
fn is_from(name: &str) -> bool {
    name.starts_with('[') && name.contains("] FROM")
}

/// True for steps that are not part of a user's graph.
fn is_internal(name: &str) -> bool {
    ["[internal]", "[auth]", "importing cache", "exporting "]
        .iter()
        .any(|begin| name.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use solvekit::progress::Vertex;

    use super::*;

    #[test]
    fn steps_are_counted_as_buildctl_counts_them() {
        let vertex = |name: &str, cached: bool, completed: bool| {
            let completed = completed.then(std::time::SystemTime::now);
            Vertex {
                digest: name.to_owned(),
                name: name.to_owned(),
                cached,
                completed,
                ..Vertex::default()
            }
        };
        let mut steps = Steps::default();
        let update = StatusUpdate {
            vertexes: vec![
                vertex("[internal] load build context", false, true),
                vertex("[1/3] FROM alpine", false, true),
                vertex("[2/3] RUN a", true, true),
                vertex("[3/3] RUN FROM", false, false),
                vertex("exporting to image", false, true),
            ],
            ..StatusUpdate::default()
        };
        steps.add(&update);
        let report = steps.report(Duration::from_millis(7));
        let (missed, numbers) = report.split_once('\n').unwrap();
        assert_eq!(missed, "cache miss: [3/3] RUN FROM");
        let numbers: serde_json::Value = serde_json::from_str(numbers).unwrap();
        let expected = json!({
            "total": 5, "completed": 4, "user_total": 3, "user_cached": 1, "user_completed": 2,
            "user_cacheable": 2, "from": 1, "miss": 1, "client_duration_ms": 7,
        });
        assert_eq!(numbers, expected);
    }

    #[test]
    fn two_words_are_streams_and_all_others_files() {
        assert_eq!(Place::of(""), None);
        assert_eq!(Place::of("stderr"), Some(Place::Stderr));
        assert_eq!(Place::of("a/stdout"), Some(Place::File("a/stdout".into())));
    }
}
