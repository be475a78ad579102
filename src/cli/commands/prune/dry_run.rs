//! `prune --dry-run`: shows what a prune would remove.

use std::time::SystemTime;

use futures_util::future::try_join_all;
use serde_json::{Value, json};
use solvekit::client::{Client, KeptRecords, PruneDoubt, PruneOptions, PrunePlan};

use crate::cli::args::builder::Used;
use crate::cli::commands::build::dry_run::Form;
use crate::cli::report::Failure;
use crate::cli::report::records;
use crate::cli::report::terminal::{print_json, print_text, talk};

/// Prints the records that would be removed in the same format as a prune. Records that stay, and
/// uncertainties, go to stderr.
pub(super) async fn print(
    daemons: &[(Client, Used)],
    options: &PruneOptions,
    form: Form,
    verbose: bool,
) -> Result<(), Failure> {
    let planning = daemons.iter().map(|(client, _)| client.plan_prune(options));
    let plans = try_join_all(planning).await?;
    match form {
        Form::Text => print_plans(&plans, daemons, verbose)?,
        Form::Json => {
            let nodes = plans.iter().zip(daemons);
            let nodes = nodes.map(|(plan, (_, used))| json_of(plan, used));
            let json = json!({"nodes": nodes.collect::<Value>()});
            print_json(&format!("{json:#}\n"))?;
        }
    }
    Ok(())
}

fn print_plans(
    plans: &[PrunePlan],
    daemons: &[(Client, Used)],
    verbose: bool,
) -> Result<(), Failure> {
    let now = SystemTime::now();
    let records = plans.iter().flat_map(|plan| &plan.removed);
    let mut text = String::new();
    for (count, record) in records.enumerate() {
        match (verbose, count) {
            (true, _) => text.push_str(&records::paragraph(record, now)?),
            (false, 0) => text.push_str(&(records::header() + &records::row(record, now))),
            (false, _) => text.push_str(&records::row(record, now)),
        }
    }
    let total = plans.iter().map(PrunePlan::bytes);
    let total = total.fold(0, i64::saturating_add);
    text.push_str(&format!("Total:\t{}\n", records::size(total)));
    print_text(&text)?;
    talk("nothing was removed; this is what a prune would remove now\n");
    for (plan, (_, used)) in plans.iter().zip(daemons) {
        let node = match plans.len() {
            1 => String::new(),
            _ => format!("{}: ", used.node),
        };
        if let Some(kept) = kept(&plan.kept) {
            talk(&format!("{node}records that match and stay: {kept}\n"));
        }
        for doubt in &plan.doubts {
            talk(&format!("{node}note: {}\n", explained(*doubt)));
        }
    }
    Ok(())
}

fn kept(kept: &KeptRecords) -> Option<String> {
    let reasons = [
        (kept.in_use, "in use"),
        (kept.protected, "that only --all removes"),
        (kept.parents, "with children that stay"),
        (kept.within_limits, "within the limits"),
    ];
    let reasons = reasons.iter().filter(|(count, _)| *count > 0);
    let reasons: Vec<String> = reasons
        .map(|(count, why)| format!("{count} {why}"))
        .collect();
    (!reasons.is_empty()).then(|| reasons.join(", "))
}

fn explained(doubt: PruneDoubt) -> &'static str {
    match doubt {
        PruneDoubt::FreeSpaceUnknown => {
            "daemons do not tell how much of their disk is free; this is the plan for a full disk, \
             and with free space the daemon removes fewer records"
        }
        PruneDoubt::EqualRank => {
            "some records were used equally often and recently; the daemon may choose others of \
             them"
        }
        PruneDoubt::SeveralWorkers => {
            "the daemon has several workers, and each has its own limit; this is the plan for one \
             worker with all records"
        }
        PruneDoubt::Estimated => {
            "there are many records, and their order is an estimate; the daemon may choose others"
        }
        PruneDoubt::DescriptionsUnknown => {
            "BuildKit before 0.14, as this daemon is or could be, knows no descriptions when it \
             prunes; it would remove nothing"
        }
        PruneDoubt::SharedParents => {
            "for a prune the parents of a shared record are not shared; the daemon may choose \
             others"
        }
        _ => "the daemon may remove other records",
    }
}

fn word(doubt: PruneDoubt) -> &'static str {
    match doubt {
        PruneDoubt::FreeSpaceUnknown => "free-space-unknown",
        PruneDoubt::EqualRank => "equal-rank",
        PruneDoubt::SeveralWorkers => "several-workers",
        PruneDoubt::Estimated => "estimated",
        PruneDoubt::DescriptionsUnknown => "descriptions-unknown",
        PruneDoubt::SharedParents => "shared-parents",
        _ => "other",
    }
}

fn json_of(plan: &PrunePlan, used: &Used) -> Value {
    let kept = &plan.kept;
    json!({
        "builder": used.builder,
        "node": used.node,
        "bytes": plan.bytes(),
        "records": plan.removed.iter().map(records::json).collect::<Value>(),
        "kept": {
            "inUse": kept.in_use,
            "protected": kept.protected,
            "parents": kept.parents,
            "withinLimits": kept.within_limits,
        },
        "doubts": plan.doubts.iter().map(|doubt| word(*doubt)).collect::<Value>(),
    })
}
