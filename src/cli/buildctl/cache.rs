//! `buildctl du` and `buildctl prune`.

use std::time::{Duration, SystemTime};

use futures_util::StreamExt as _;
use solvekit::client::{CacheRecord, PruneOptions};
use solvekit::template::{Json, Struct, Template, Value};

use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::values;
use crate::cli::environment::Environment;
use crate::cli::interrupt;
use crate::cli::report::Failure;
use crate::cli::report::columns::align_with_tabs;
use crate::cli::report::records;
use crate::cli::report::terminal::print_text;

const HEADER: &str = "ID\tRECLAIMABLE\tSIZE\tLAST ACCESSED\n";

#[derive(Debug, clap::Args)]
pub(super) struct DuArgs {
    /// List these records only, for example type==regular; repeatable
    #[arg(short, long, value_name = "FILTER")]
    filter: Vec<String>,

    /// Show every field of each record
    #[arg(short, long)]
    verbose: bool,

    /// Go template for the list of records, for example '{{json .}}'
    #[arg(long, value_name = "TEMPLATE")]
    format: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct PruneArgs {
    /// Keep records used within this time
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    keep_duration: Duration,

    /// Keep the cache below this (MB)
    #[arg(long, value_name = "MB", default_value_t = 0.0, value_parser = values::decimal)]
    keep_storage: f64,

    /// Always keep this much (MB)
    #[arg(long, value_name = "MB", default_value_t = 0.0, value_parser = values::decimal)]
    keep_storage_min: f64,

    /// Leave this much of the disk free (MB)
    #[arg(long, value_name = "MB", default_value_t = 0.0, value_parser = values::decimal)]
    free_storage: f64,

    /// Remove only these records; repeatable
    #[arg(short, long, value_name = "FILTER")]
    filter: Vec<String>,

    /// Remove internal records and frontends too
    #[arg(long)]
    all: bool,

    /// Show every field of each record
    #[arg(short, long)]
    verbose: bool,

    /// Go template for each record, for example '{{json .}}'
    #[arg(long, value_name = "TEMPLATE")]
    format: Option<String>,
}

pub(super) async fn cmd_du(
    args: &DuArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let template = template(args.format.as_deref())?;
    let client = connection.connect(environment).await?;
    let found = client.disk_usage(&args.filter, Duration::ZERO).await?;
    if let Some(template) = template {
        let list: Vec<Struct> = found.iter().map(fields).collect();
        return rendered(&template, &Value::from(list));
    }
    let mut text = match args.verbose {
        true => found.iter().map(paragraph).collect(),
        false => found
            .iter()
            .fold(HEADER.to_owned(), |text, it| text + &row(it)),
    };
    text = align_with_tabs(&text);
    if args.filter.is_empty() {
        text += &align_with_tabs(&summary(&found));
    }
    print_text(&text)
}

pub(super) async fn cmd_prune(
    args: &PruneArgs,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<(), Failure> {
    let template = template(args.format.as_deref())?;
    let bytes = |megabytes: f64| (megabytes * 1e6) as i64;
    let options = PruneOptions {
        filters: args.filter.clone(),
        all: args.all,
        keep_duration: args.keep_duration,
        reserved_space: bytes(args.keep_storage_min),
        max_used_space: bytes(args.keep_storage),
        min_free_space: bytes(args.free_storage),
    };
    let cancelled = interrupt::token()?;
    let client = connection.connect(environment).await?;
    let pruning = async {
        let mut removed = client.prune(&options).await?;
        let (mut is_first, mut total) = (true, 0_i64);
        while let Some(record) = removed.next().await {
            let record = record?;
            total = total.saturating_add(record.size.max(0));
            match (&template, args.verbose) {
                (Some(template), _) => {
                    rendered(template, &Value::from(fields(&record)))?;
                }
                (None, true) => print_text(&align_with_tabs(&paragraph(&record)))?,
                (None, false) => {
                    let head = if is_first { HEADER } else { "" };
                    print_text(&align_with_tabs(&format!("{head}{}", row(&record))))?;
                }
            }
            is_first = false;
        }
        match template {
            Some(_) => Ok(()),
            None => print_text(&format!("Total:\t{}\n", size(total))),
        }
    };
    tokio::select! {
        pruned = pruning => pruned,
        () = cancelled.cancelled() => Err(
            Failure::new("interrupted; what is printed was removed")
                .code(interrupt::EXIT_INTERRUPTED)
        ),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed = records::duration(text);
    parsed.ok_or_else(|| "expected a time such as 48h or 1h30m".to_owned())
}

pub(super) fn template(text: Option<&str>) -> Result<Option<Template>, Failure> {
    let text = text.filter(|text| !text.is_empty());
    let text = text.map(|text| if text == "json" { "{{json .}}" } else { text });
    let parsed = text.map(Template::parse).transpose();
    parsed.map_err(|error| Failure::from_error(&error))
}

pub(super) fn rendered(template: &Template, value: &Value) -> Result<(), Failure> {
    let text = template.render(value, Json::Compact);
    let text = text.map_err(|error| Failure::from_error(&error))?;
    print_text(&format!("{text}\n"))
}

fn row(record: &CacheRecord) -> String {
    let mark = |text: &str, marked: bool| format!("{text}{}", if marked { "*" } else { "" });
    format!(
        "{:<71}\t{:<11}\t{}\t\n",
        mark(&record.id, record.mutable),
        !record.in_use,
        mark(&size(record.size), record.shared)
    )
}

fn paragraph(record: &CacheRecord) -> String {
    let mut text = format!("ID:\t{}\n", record.id);
    let mut line = |key: &str, value: String| text.push_str(&format!("{key}:\t{value}\n"));
    if !record.parents.is_empty() {
        line("Parents", record.parents.join(";"));
    }
    line("Created at", records::go_time(record.created_at));
    line("Mutable", record.mutable.to_string());
    line("Reclaimable", (!record.in_use).to_string());
    line("Shared", record.shared.to_string());
    line("Size", size(record.size));
    if !record.description.is_empty() {
        line("Description", record.description.clone());
    }
    line("Usage count", record.usage_count.to_string());
    if record.last_used_at.is_some() {
        line("Last used", records::go_time(record.last_used_at));
    }
    if !record.kind.is_empty() {
        line("Type", record.kind.clone());
    }
    text + "\n"
}

/// A record with the field names of BuildKit's `client.UsageInfo`.
fn fields(record: &CacheRecord) -> Struct {
    let parents = (!record.parents.is_empty()).then(|| record.parents.clone());
    let last_used = record.last_used_at.map(|at| rfc3339(Some(at)));
    Struct::new()
        .field("ID", "id", record.id.as_str())
        .field("Mutable", "mutable", record.mutable)
        .field("InUse", "inUse", record.in_use)
        .field("Size", "size", record.size)
        .field("CreatedAt", "createdAt", rfc3339(record.created_at))
        .field("LastUsedAt", "lastUsedAt", last_used)
        .field("UsageCount", "usageCount", record.usage_count)
        .field("Parents", "parents", parents)
        .field("Description", "description", record.description.as_str())
        .field("RecordType", "recordType", record.kind.as_str())
        .field("Shared", "shared", record.shared)
}

pub(super) fn rfc3339(time: Option<SystemTime>) -> String {
    let text = records::go_time(time);
    let text = text.trim_end_matches(" +0000 UTC");
    format!("{}Z", text.replacen(' ', "T", 1))
}

fn summary(found: &[CacheRecord]) -> String {
    let sum = |wanted: fn(&CacheRecord) -> bool| {
        let sizes = found
            .iter()
            .filter(|it| wanted(it))
            .map(|it| it.size.max(0));
        sizes.fold(0_i64, i64::saturating_add)
    };
    let (total, shared) = (sum(|_| true), sum(|it| it.shared));
    let mut text = String::new();
    if shared > 0 {
        let private = size(total.saturating_sub(shared));
        text += &format!("Shared:\t{}\nPrivate:\t{private}\n", size(shared));
    }
    let reclaimable = size(sum(|it| !it.in_use));
    text + &format!("Reclaimable:\t{reclaimable}\nTotal:\t{}\n", size(total))
}

/// A size with two decimals and a decimal unit; bytes have no decimals.
fn size(bytes: i64) -> String {
    let mut number = bytes as f64;
    for unit in ["B", "kB", "MB", "GB", "TB"] {
        if number.abs() < 1000.0 {
            return match unit {
                "B" => format!("{bytes}B"),
                unit => format!("{number:.2}{unit}"),
            };
        }
        number /= 1000.0;
    }
    format!("{number:.2}PB")
}

/// At most six digits without trailing zeros, as in the sizes of workers' rules.
pub(super) fn rounded(bytes: i64) -> String {
    let text = size(bytes);
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = text.trim_end_matches(unit);
    match number.contains('.') {
        true => format!(
            "{}{unit}",
            number.trim_end_matches('0').trim_end_matches('.')
        ),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_buildctl() {
        let sizes = [0, 999, 4096, 131_290, 12_345_678].map(size);
        assert_eq!(sizes, ["0B", "999B", "4.10kB", "131.29kB", "12.35MB"]);
    }
}
