//! `solvekit history ls`.

use std::path::Path;
use std::time::SystemTime;

use serde_json::json;
use solvekit::client::BuildRecord;
use solvekit::template::Struct;

use super::filter::Filter;
use super::{Daemon, Found, History, LIMIT, record};
use crate::cli::args::git_repository::Repository;
use crate::cli::report::display::desktop_url;
use crate::cli::report::table_format::{Format, heads, with_json};
use crate::cli::report::terminal::{print_json, print_text};
use crate::cli::report::usage::HistoryUsage;
use crate::cli::report::{Failure, records};

const TABLE: &str = "{{.Ref}}\t{{.Name}}\t{{.Status}}\t{{.CreatedAt}}\t{{.Duration}}\t{{.Link}}";

/// The fields and their headers. Links work only in a terminal of Docker Desktop.
const HEADS: [(&str, &str); 7] = [
    ("Ref", "BUILD ID"),
    ("FullRef", "FULL REF"),
    ("Name", "NAME"),
    ("Status", "STATUS"),
    ("CreatedAt", "CREATED AT"),
    ("Duration", "DURATION"),
    ("Link", ""),
];

/// The widest name in the table, in characters.
const NAME: usize = 36;

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct LsArgs {
    /// Select builds, for example status=error or startedAt>24h; repeatable
    #[arg(long, value_name = "FILTER")]
    filter: Vec<String>,

    /// Print as table, json (one object per line), or with a Go template
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: String,

    /// Print long names in full
    #[arg(long)]
    no_trunc: bool,

    /// Select builds of the git repository that contains the working directory
    #[arg(long)]
    local: bool,
}

const EXAMPLES: &str = "\
Examples:
  solvekit history ls
  solvekit history ls --filter status=error --filter 'startedAt>24h'   failed since yesterday
  solvekit history ls --format '{{.Ref}} {{.Name}}'
      chosen fields, by a template";

pub(super) async fn cmd_ls(args: &LsArgs, history: &History<'_>) -> Result<(), Failure> {
    let filters = args.filter.iter().map(|text| Filter::parse(text));
    let filters = filters.collect::<Result<Vec<_>, _>>()?;
    let format = Format::parse(&args.format, TABLE)?.over("*history.lsContext");
    let repository = match args.local {
        true => Some(own_repository()?),
        false => None,
    };
    let mut found = history.builds().await?;
    let now = SystemTime::now();
    let is_listed = |record: &BuildRecord| filters.iter().all(|filter| filter.matches(record, now));
    found.retain(|found| is_listed(&found.record));
    if let Some(repository) = &repository {
        found.retain(|found| found.daemon.is_of(&found.record, repository));
    }
    found.truncate(LIMIT);
    // Running builds come first.
    found.sort_by_key(|found| found.record.completed_at.is_some());
    let form = (format.is_table, format.is_table && !args.no_trunc);
    let entries = found.iter().map(|Found { daemon, record }| {
        let entry = entry(daemon, record, form, now);
        with_json(&entry, &as_object(daemon, record))
    });
    let text = format.print(heads(HEADS), entries)?;
    match args.format.as_str() {
        "json" => print_json(&text),
        _ => print_text(&text),
    }
}

fn own_repository() -> Result<Repository, Failure> {
    Ok(Repository::find(Path::new("."))?.ok_or(HistoryUsage::NoRepository)?)
}

/// The end of a long name, which is more specific than its beginning.
fn cut(name: &str) -> String {
    let length = name.chars().count();
    match length > NAME {
        true => format!(
            "..{}",
            name.chars().skip(length + 2 - NAME).collect::<String>()
        ),
        false => name.to_owned(),
    }
}

fn ago(one: &BuildRecord, now: SystemTime) -> String {
    let age = one.created_at.and_then(|at| now.duration_since(at).ok());
    format!("{} ago", records::age(age.unwrap_or_default()))
}

/// The build as JSON with buildx's keys.
fn as_object(daemon: &Daemon<'_>, one: &BuildRecord) -> serde_json::Value {
    let mut object = json!({
        "ref": daemon.full_ref(one),
        "name": record::name(one, daemon.state(one).as_ref()),
        "status": record::status(one),
        "created_at": record::timestamp(one.created_at),
        "total_steps": one.total_steps,
        "completed_steps": one.completed_steps,
        "cached_steps": one.cached_steps,
    });
    if let Some(completed) = record::timestamp(one.completed_at) {
        object["completed_at"] = completed.into();
    }
    object
}

fn entry(
    daemon: &Daemon<'_>,
    one: &BuildRecord,
    (is_table, is_cut): (bool, bool),
    now: SystemTime,
) -> Struct {
    let name = record::name(one, daemon.state(one).as_ref());
    let name = if is_cut { cut(&name) } else { name };
    let link = match is_table {
        true => String::new(),
        false => desktop_url(&daemon.full_ref(one)),
    };
    Struct::new()
        .field("Ref", "Ref", one.build_ref.as_str())
        .field("FullRef", "FullRef", daemon.full_ref(one))
        .field("Name", "Name", name)
        .field("Status", "Status", record::status(one))
        .field("CreatedAt", "CreatedAt", ago(one, now))
        .field("Duration", "Duration", record::duration(one, now))
        .field("Link", "Link", link)
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn long_names_lose_their_beginning() {
        assert_eq!(cut("app"), "app");
        let long = format!("{}end", "ü".repeat(40));
        let shown = cut(&long);
        assert_eq!(shown.chars().count(), 36);
        assert!(shown.starts_with("..ü") && shown.ends_with("end"));
    }
}
