//! `solvekit history ls`.

use std::path::Path;
use std::time::SystemTime;

use serde_json::json;
use solvekit::client::BuildRecord;
use solvekit::template::{Json, Struct, Template, Value};
use solvekit::text::one_line;

use super::super::columns::align;
use super::super::git_repository::Repository;
use super::super::terminal::{print_json, print_text};
use super::super::{Failure, records};
use super::filter::Filter;
use super::{Daemon, LIMIT, record};

/// The widest name in the table.
const NAME: usize = 36;

#[derive(Debug, clap::Args)]
pub(super) struct LsArgs {
    /// Only builds that meet this, for example status=error or startedAt>24h; repeatable
    #[arg(long, value_name = "FILTER")]
    filter: Vec<String>,

    /// How they are printed: table, json (one object a line), or a Go template
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    format: String,

    /// Do not cut long names
    #[arg(long)]
    no_trunc: bool,

    /// Only builds of the git repository that the working directory is in
    #[arg(long)]
    local: bool,
}

pub(super) async fn cmd_ls(args: &LsArgs, daemon: &Daemon<'_>) -> Result<(), Failure> {
    let filters = args.filter.iter().map(|text| Filter::parse(text));
    let filters = filters.collect::<Result<Vec<_>, _>>()?;
    let template = match args.format.as_str() {
        "table" | "json" => None,
        text => Some(Template::parse(text).map_err(|error| Failure::from_error(&error))?),
    };
    let repository = match args.local {
        true => Some(own_repository()?),
        false => None,
    };
    let mut found = daemon.client.build_records().await?;
    let now = SystemTime::now();
    found.retain(|record| filters.iter().all(|filter| filter.meets(record, now)));
    if let Some(repository) = &repository {
        found.retain(|record| daemon.is_of(record, repository));
    }
    found.truncate(LIMIT);
    // Those that run stand first.
    found.sort_by_key(|record| record.completed_at.is_some());
    let mut text = String::new();
    if args.format == "table" {
        text.push_str("BUILD ID\tNAME\tSTATUS\tCREATED AT\tDURATION\n");
        text.extend(found.iter().map(|one| row(daemon, one, args.no_trunc, now)));
        return print_text(&align(&text, 10, 3));
    }
    for one in &found {
        match &template {
            None => text.push_str(&as_json(daemon, one)),
            Some(template) => {
                let rendered = template.render(&as_value(daemon, one, now), Json::Compact);
                text.push_str(&rendered.map_err(|error| Failure::from_error(&error))?);
                text.push('\n');
            }
        }
    }
    match template {
        Some(_) => print_text(&text),
        None => print_json(&text),
    }
}

fn own_repository() -> Result<Repository, Failure> {
    Repository::find(Path::new("."))?.ok_or_else(|| {
        Failure::new("the working directory is in no git repository")
            .hint("--local lists the builds of the repository that the working directory is in")
    })
}

fn row(daemon: &Daemon<'_>, one: &BuildRecord, whole: bool, now: SystemTime) -> String {
    let name = record::name(one, daemon.state(one).as_ref());
    let name = one_line(if whole { name } else { cut(&name) }.as_str()).into_owned();
    format!(
        "{}\t{name}\t{}\t{}\t{}\n",
        one_line(&one.build_ref),
        record::status(one),
        ago(one, now),
        record::duration(one, now)
    )
}

/// The end of a long name, which tells more than its beginning.
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

/// One line, with buildx's keys.
fn as_json(daemon: &Daemon<'_>, one: &BuildRecord) -> String {
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
    format!("{object}\n")
}

fn as_value(daemon: &Daemon<'_>, one: &BuildRecord, now: SystemTime) -> Value {
    let fields = Struct::new()
        .field("Ref", "ref", one.build_ref.as_str())
        .field("FullRef", "full_ref", daemon.full_ref(one))
        .field(
            "Name",
            "name",
            record::name(one, daemon.state(one).as_ref()),
        )
        .field("Status", "status", record::status(one))
        .field("CreatedAt", "created_at", ago(one, now))
        .field("Duration", "duration", record::duration(one, now));
    Value::from(fields)
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
