//! A single HTML page with its styles, no script, and nothing from the network. It follows the
//! reader's dark or light mode, and works on a phone too.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::text::{duration, escaped};
use super::{BuildReport, FailureReport, layers, text};
use crate::progress::{StepState, TimelineStep};

const STYLE: &str = include_str!("page.css");
/// More layers than an image can have: a daemon mounts at most 127.
const LAYERS: usize = 200;

pub(super) fn render(report: &BuildReport) -> String {
    let title = escaped(&report.title);
    let status = text::status(report.status);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title} {status}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n\
         <h1>{title} <span class=\"status {status}\">{status}</span></h1>\n"
    );
    facts(&mut out, report);
    out.push_str("</header>\n<main>\n");
    if let Some(failure) = &report.failure {
        failed(&mut out, failure);
    }
    timeline(&mut out, report);
    critical_path(&mut out, report);
    transfers(&mut out, report);
    layers(&mut out, report);
    warnings(&mut out, report);
    result(&mut out, report);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn facts(out: &mut String, report: &BuildReport) {
    let steps = &report.timeline.steps;
    let count = |state: StepState| steps.iter().filter(|step| step.state == state).count();
    let moved: u64 = steps.iter().map(|step| step.transferred).sum();
    let started = report.timeline.started;
    let started = started.and_then(crate::progress::format_time);
    let facts = [
        ("Started", started.map(|at| at.chars().take(19).collect())),
        ("Time", Some(duration(report.timeline.took))),
        (
            "Steps",
            Some(format!(
                "{}, {} cached, {} failed",
                steps.len(),
                count(StepState::Cached),
                count(StepState::Failed)
            )),
        ),
        ("Transferred", Some(crate::progress::size(moved))),
        ("Platforms", Some(report.platforms.join(", "))),
    ];
    out.push_str("<dl class=\"facts\">\n");
    for (name, value) in facts {
        if let Some(value) = value.filter(|value: &String| !value.is_empty()) {
            let value = escaped(&value);
            let _ = writeln!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
        }
    }
    out.push_str("</dl>\n");
}

fn failed(out: &mut String, failure: &FailureReport) {
    let _ = writeln!(
        out,
        "<section class=\"failure\">\n<h2>Why it failed</h2>\n<p>{}</p>",
        escaped(&failure.message)
    );
    block(out, &failure.excerpt);
    for step in &failure.steps {
        let _ = writeln!(out, "<h3><code>{}</code></h3>", escaped(&step.name));
        match step.log.is_empty() {
            true => block(out, &step.error),
            false => block(out, &step.log.join("\n")),
        }
    }
    out.push_str("</section>\n");
}

fn timeline(out: &mut String, report: &BuildReport) {
    let total = report.timeline.took.as_secs_f64();
    if report.timeline.steps.is_empty() {
        return;
    }
    let critical = report.critical_path();
    let critical: HashSet<&str> = critical.iter().map(|step| &*step.digest).collect();
    out.push_str(
        "<section>\n<h2>Timeline</h2>\n<p class=\"legend\">\n\
         <span><i class=\"key done\"></i> ran</span>\n\
         <span><i class=\"key cached\"></i> cached</span>\n\
         <span><i class=\"key failed\"></i> failed</span>\n\
         <span><i class=\"key cancelled\"></i> cancelled</span>\n\
         <span><i class=\"key critical\"></i> critical path</span>\n</p>\n",
    );
    for (group, steps) in report.groups() {
        if !group.is_empty() {
            let _ = writeln!(out, "<h3>{}</h3>", escaped(group));
        }
        out.push_str("<ol class=\"steps\">\n");
        for step in steps {
            row(out, step, total, critical.contains(&*step.digest));
        }
        out.push_str("</ol>\n");
    }
    out.push_str("</section>\n");
}

fn row(out: &mut String, step: &TimelineStep, total: f64, is_critical: bool) {
    let state = text::state(step.state);
    let critical = if is_critical { " critical" } else { "" };
    let (name, time) = (escaped(&step.name), duration(step.worked()));
    let _ = write!(
        out,
        "<li class=\"{state}{critical}\" title=\"{name}: {state}, {time}\"><code>{name}</code>\
         <span class=\"track\">"
    );
    for span in &step.spans {
        let share = |seconds: f64| match total > 0.0 {
            true => 100.0 * seconds / total,
            false => 0.0,
        };
        let left = share(span.start.as_secs_f64());
        let width = share((span.end - span.start).as_secs_f64());
        let _ = write!(out, "<i style=\"left:{left:.2}%;width:{width:.2}%\"></i>");
    }
    let shown = match step.state {
        StepState::Done => time,
        StepState::Cached => state.to_owned(),
        _ => format!("{state} {time}"),
    };
    let _ = writeln!(out, "</span><span class=\"time\">{shown}</span></li>");
}

fn critical_path(out: &mut String, report: &BuildReport) {
    let path = report.critical_path();
    let slow = path.iter().filter(|step| step.worked().as_millis() >= 50);
    let slow: Vec<_> = slow.collect();
    if slow.is_empty() {
        return;
    }
    out.push_str(
        "<section>\n<h2>Critical path</h2>\n<p>The build takes as long as these steps, one after \
         the other.</p>\n<table>\n",
    );
    for step in slow {
        table_row(out, &step.name, &duration(step.worked()));
    }
    out.push_str("</table>\n</section>\n");
}

fn transfers(out: &mut String, report: &BuildReport) {
    let steps = report.timeline.steps.iter();
    let mut steps: Vec<&TimelineStep> = steps.filter(|step| step.transferred > 0).collect();
    if steps.is_empty() {
        return;
    }
    steps.sort_by_key(|step| std::cmp::Reverse(step.transferred));
    out.push_str("<section>\n<h2>Transferred</h2>\n<table>\n");
    for step in steps.iter().take(20) {
        table_row(out, &step.name, &crate::progress::size(step.transferred));
    }
    out.push_str("</table>\n</section>\n");
}

/// The layers of each image, lowest first; those of the base image share a row.
fn layers(out: &mut String, report: &BuildReport) {
    let images = layers::of(report);
    if images.iter().all(|it| it.image.layers.is_empty()) {
        return;
    }
    let size = crate::progress::size;
    out.push_str("<section>\n<h2>Layers</h2>\n<p>What each step adds to the image.</p>\n");
    for placed in images {
        let (name, total) = (placed.image.name(), size(placed.image.size()));
        let (name, sizes) = (escaped(&name), placed.image.sizes());
        let _ = writeln!(
            out,
            "<h3>{name} <span class=\"time\">{total} {sizes}</span></h3>"
        );
        out.push_str("<table>\n");
        if placed.base > 0 {
            table_row(out, &text::base(placed.base), &size(placed.base_size()));
        }
        for (name, layer) in placed.own().take(LAYERS) {
            table_row(out, &text::instruction(name), &size(layer.size));
        }
        out.push_str("</table>\n");
    }
    out.push_str("</section>\n");
}

fn table_row(out: &mut String, name: &str, value: &str) {
    let (name, value) = (escaped(name), escaped(value));
    let _ = writeln!(
        out,
        "<tr><td><code>{name}</code></td><td class=\"time\">{value}</td></tr>"
    );
}

fn warnings(out: &mut String, report: &BuildReport) {
    if report.warnings.is_empty() {
        return;
    }
    out.push_str("<section>\n<h2>Warnings</h2>\n<ul class=\"warnings\">\n");
    for warning in &report.warnings {
        let place = text::place(warning).map(|(file, line)| format!("{file}:{line}"));
        let place = place.map(|place| format!("<code>{}</code> ", escaped(&place)));
        let place = place.unwrap_or_default();
        let _ = writeln!(out, "<li>{place}{}</li>", escaped(&text::short(warning)));
    }
    out.push_str("</ul>\n</section>\n");
}

fn result(out: &mut String, report: &BuildReport) {
    let list = |values: &[String]| values.join("\n");
    let sources = report.sources.iter();
    let sources = sources.map(|source| format!("{} {}", source.uri, source.digest));
    let digests = report.images.iter().map(|image| {
        let name = image.name();
        format!("{name} {}", image.digest).trim_start().to_owned()
    });
    let provenance = report.provenance.iter().map(text::provenance);
    let rows = [
        ("Image", list(&report.names)),
        ("Digest", report.digest.clone().unwrap_or_default()),
        ("Manifests", digests.collect::<Vec<_>>().join("\n")),
        ("Build", list(&report.build_refs)),
        ("Provenance", provenance.collect::<Vec<_>>().join("\n")),
        ("Built from", sources.collect::<Vec<_>>().join("\n")),
    ];
    if rows.iter().all(|(_, value)| value.is_empty()) {
        return;
    }
    out.push_str("<section>\n<h2>Result</h2>\n<dl class=\"result\">\n");
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        let value = escaped(value).replace('\n', "<br>");
        let _ = writeln!(out, "<dt>{name}</dt><dd><code>{value}</code></dd>");
    }
    out.push_str("</dl>\n</section>\n");
}

fn block(out: &mut String, text: &str) {
    if !text.is_empty() {
        let _ = writeln!(out, "<pre>{}</pre>", escaped(text.trim_end_matches('\n')));
    }
}
