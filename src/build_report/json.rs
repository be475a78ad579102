//! The report as JSON. Times are in milliseconds since the start of the build.

use serde_json::{Value, json};

use super::{BuildReport, text};
use crate::progress::{Span, TimelineStep, Warning, format_time};

pub(super) fn render(report: &BuildReport) -> String {
    let timeline = &report.timeline;
    let critical = report.critical_path();
    let critical: Vec<&str> = critical.iter().map(|step| &*step.digest).collect();
    let failure = report.failure.as_ref().map(|failure| {
        let steps = failure.steps.iter().map(|step| {
            json!({
                "name": step.name,
                "digest": step.digest,
                "platform": step.platform,
                "error": step.error,
                "exitCode": step.exit_code(),
                "log": step.log,
            })
        });
        json!({
            "message": failure.message,
            "excerpt": failure.excerpt,
            "steps": steps.collect::<Vec<Value>>(),
        })
    });
    let sources = report.sources.iter();
    let sources = sources.map(|source| json!({ "uri": source.uri, "digest": source.digest }));
    let document = json!({
        "version": 1,
        "title": report.title,
        "status": text::status(report.status),
        "started": timeline.started.and_then(format_time),
        "duration": timeline.took.as_millis(),
        "platforms": report.platforms,
        "names": report.names,
        "digest": report.digest,
        "buildRefs": report.build_refs,
        "sources": sources.collect::<Vec<Value>>(),
        "steps": timeline.steps.iter().map(step).collect::<Vec<Value>>(),
        "criticalPath": critical,
        "warnings": report.warnings.iter().map(warning).collect::<Vec<Value>>(),
        "failure": failure,
    });
    format!("{document:#}\n")
}

fn step(step: &TimelineStep) -> Value {
    let span = |span: &Span| json!([span.start.as_millis(), span.end.as_millis()]);
    json!({
        "digest": step.digest,
        "name": step.name,
        "group": step.group,
        "state": text::state(step.state),
        "inputs": step.inputs,
        "spans": step.spans.iter().map(span).collect::<Vec<Value>>(),
        "transferred": step.transferred,
        "error": step.error,
    })
}

fn warning(warning: &Warning) -> Value {
    let place = text::place(warning);
    json!({
        "text": text::short(warning),
        "url": warning.url,
        "file": place.map(|(file, _)| file),
        "line": place.map(|(_, line)| line),
    })
}
