//! `du --tree`: groups related records, and shows what prunes would free.

use std::time::{Duration, SystemTime};

use futures_util::future::try_join_all;
use serde_json::{Value, json};
use solvekit::client::{CacheRecord, CacheTree, Client, PruneOptions, PrunePlan, TreeLine};
use solvekit::explain::{Record, Store};
use solvekit::text::one_line;

use crate::cli::args::builder::Used;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::records::{self, Filters, size};
use crate::cli::report::terminal::{print_json, print_text};

/// Deeper branches are indented only this much.
const MAX_DEPTH: usize = 30;
/// The longest part of a step that is shown.
const MAX_STEP: usize = 100;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The cache of one daemon.
struct Node<'a> {
    used: &'a Used,
    tree: CacheTree,
    /// `None` if only a part of the cache is shown.
    whole: Option<Whole>,
}

/// The summary of a whole cache.
struct Whole {
    /// The records that typical prunes would remove.
    prunes: Vec<(String, PrunePlan)>,
    totals: String,
}

/// Prints the cache of each node.
pub(super) async fn print(
    daemons: &[(Client, Used)],
    filters: &Filters,
    is_json: bool,
    environment: &Environment,
) -> Result<(), Failure> {
    let builds = known_builds(environment);
    let nodes = daemons.iter().map(|(client, used)| {
        let builds = &builds;
        async move {
            let listing = client.disk_usage(&filters.expressions, filters.unused_for);
            let records = listing.await?;
            let is_whole = filters.expressions.is_empty() && filters.unused_for.is_zero();
            let whole = is_whole.then(|| Whole {
                prunes: prunes(&records, SystemTime::now()),
                totals: records::totals(&records),
            });
            let tree = CacheTree::new(records, builds);
            Ok::<_, Failure>(Node { used, tree, whole })
        }
    });
    let nodes = try_join_all(nodes).await?;
    if is_json {
        let nodes: Value = nodes.iter().map(Node::json).collect();
        return print_json(&format!("{:#}\n", json!({ "nodes": nodes })));
    }
    let several = nodes.len() > 1;
    print_text(
        &nodes
            .iter()
            .map(|node| node.text(several))
            .collect::<String>(),
    )
}

/// The recorded builds of this machine. Without them only names are missing.
fn known_builds(environment: &Environment) -> Vec<Record> {
    let Some(state) = &environment.state else {
        return Vec::new();
    };
    let builds = Store::new(state.join("explain")).builds();
    builds.unwrap_or_else(|error| {
        environment.tell_debug(|| format!("records of builds: {error}"));
        Vec::new()
    })
}

/// The records that typical prunes would remove.
fn prunes(records: &[CacheRecord], now: SystemTime) -> Vec<(String, PrunePlan)> {
    let plan = |all: bool, matches: &dyn Fn(&CacheRecord) -> bool| {
        let options = PruneOptions {
            all,
            ..PruneOptions::default()
        };
        PrunePlan::among(records, matches, &options)
    };
    let unused_for = |age: Duration| {
        move |record: &CacheRecord| {
            let used = record.last_used_at;
            used.is_none_or(|used| now.duration_since(used).unwrap_or_default() >= age)
        }
    };
    let mut plans = vec![
        (String::new(), plan(false, &|_| true)),
        (" --all".to_owned(), plan(true, &|_| true)),
        (
            " --filter until=24h".to_owned(),
            plan(false, &unused_for(DAY)),
        ),
        (
            " --filter until=168h".to_owned(),
            plan(false, &unused_for(DAY * 7)),
        ),
    ];
    for kind in ["source.local", "source.git.checkout", "exec.cachemount"] {
        if records.iter().any(|record| record.kind == kind) {
            let of_kind = plan(false, &|record| record.kind == kind);
            plans.push((format!(" --filter type={kind}"), of_kind));
        }
    }
    plans
}

impl Node<'_> {
    fn text(&self, with_name: bool) -> String {
        let mut text = String::new();
        if with_name {
            text.push_str(&format!("node {}\n", self.used.node));
        }
        self.tree
            .lines
            .iter()
            .for_each(|line| text.push_str(&shown(line)));
        if !self.tree.builds.is_empty() {
            text.push_str("\nLast builds of this machine:\n");
        }
        for build in &self.tree.builds {
            let (all, own) = (size(build.bytes), size(build.own_bytes));
            let (name, count) = (one_line(&build.name), build.records);
            text.push_str(&format!(
                "{all:>10}  {name}: {count} records, {own} of no other build\n"
            ));
        }
        if let Some(whole) = &self.whole {
            text.push_str("\nWhat a prune would free:\n");
            for (flags, plan) in &whole.prunes {
                let (bytes, count) = (size(plan.bytes()), plan.removed.len());
                text.push_str(&format!(
                    "{bytes:>10}  solvekit prune{flags}: {count} records\n"
                ));
            }
            text.push_str(&format!("\n{}", whole.totals));
        }
        text
    }

    fn json(&self) -> Value {
        let names: Vec<&str> = self.tree.builds.iter().map(|it| it.name.as_str()).collect();
        let lines = self.tree.lines.iter().map(|line| {
            let mut json = records::json(&line.record);
            let builds = line.builds.iter().filter_map(|at| names.get(*at));
            json["depth"] = line.depth.into();
            json["children"] = line.children.into();
            json["bytesBelow"] = line.bytes_below.into();
            json["step"] = line.step.as_str().into();
            json["stage"] = line.stage.as_deref().into();
            json["builds"] = builds.copied().collect();
            json
        });
        let builds = self.tree.builds.iter().map(|build| {
            json!({
                "name": build.name, "records": build.records, "bytes": build.bytes,
                "ownBytes": build.own_bytes,
            })
        });
        let prunes = self.whole.iter().flat_map(|whole| &whole.prunes);
        let prunes = prunes.map(|(flags, plan)| {
            json!({
                "command": format!("solvekit prune{flags}"),
                "bytes": plan.bytes(),
                "records": plan.removed.len(),
            })
        });
        json!({
            "builder": self.used.builder,
            "node": self.used.node,
            "records": lines.collect::<Value>(),
            "builds": builds.collect::<Value>(),
            "prunes": prunes.collect::<Value>(),
        })
    }
}

/// A record with its size, its place in the tree and its step.
fn shown(line: &TreeLine) -> String {
    let indent = "  ".repeat(line.depth.min(MAX_DEPTH));
    let branch = match (line.begins_branch, indent.strip_suffix("  ")) {
        (true, Some(outer)) => format!("{outer}└ "),
        _ => indent,
    };
    let step = match line.step.as_str() {
        "" => line.record.kind.as_str(),
        step => step,
    };
    let step = one_line(step);
    let mut step: String = match step.char_indices().nth(MAX_STEP) {
        Some((end, _)) => format!("{}…", &step[..end]),
        None => step.into_owned(),
    };
    let mut notes = Vec::new();
    if line.record.in_use {
        notes.push("in use".to_owned());
    }
    if line.record.shared {
        notes.push("shared with images".to_owned());
    }
    if line.children > 1 {
        let below = size(line.bytes_below);
        notes.push(format!(
            "shared by {} branches, {below} with them",
            line.children
        ));
    }
    if line.builds.len() > 1 {
        notes.push(format!("in {} builds", line.builds.len()));
    }
    if !notes.is_empty() {
        step.push_str(&format!(" ({})", notes.join("; ")));
    }
    format!("{:>10}  {branch}{step}\n", size(line.record.size))
}
