//! The report as JSON. Times are in milliseconds since the start of the build.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::layers::{self, Placed};
use super::{BuildReport, ProvenanceReport, text};
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
    let images = layers::of(report);
    let mut sizes: HashMap<&str, u64> = HashMap::new();
    for (layer, step) in images.iter().flat_map(Placed::all) {
        let size = step.map(|step| sizes.entry(&step.digest).or_default());
        if let Some(size) = size {
            *size = size.saturating_add(layer.size);
        }
    }
    let steps = timeline.steps.iter();
    let steps = steps.map(|it| step(it, sizes.get(&*it.digest).copied()));
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
        "images": images.iter().map(image).collect::<Vec<Value>>(),
        "provenance": report.provenance.iter().map(provenance).collect::<Vec<Value>>(),
        "steps": steps.collect::<Vec<Value>>(),
        "criticalPath": critical,
        "warnings": report.warnings.iter().map(warning).collect::<Vec<Value>>(),
        "failure": failure,
    });
    format!("{document:#}\n")
}

/// A step. `layers` is the size of the layers that it added to the images.
fn step(step: &TimelineStep, layers: Option<u64>) -> Value {
    let span = |span: &Span| json!([span.start.as_millis(), span.end.as_millis()]);
    json!({
        "digest": step.digest,
        "name": step.name,
        "group": step.group,
        "state": text::state(step.state),
        "inputs": step.inputs,
        "spans": step.spans.iter().map(span).collect::<Vec<Value>>(),
        "transferred": step.transferred,
        "layerSize": layers,
        "error": step.error,
    })
}

fn image(placed: &Placed<'_>) -> Value {
    let image = placed.image;
    let layers = placed.all().enumerate().map(|(at, (layer, step))| {
        json!({
            "digest": layer.digest,
            "size": layer.size,
            "createdBy": layer.created_by,
            "step": step.map(|step| &step.digest),
            "base": at < placed.base,
        })
    });
    json!({
        "target": image.target,
        "platform": image.platform,
        "digest": image.digest,
        "size": image.size(),
        "unpacked": image.is_unpacked,
        "layers": layers.collect::<Vec<Value>>(),
    })
}

fn provenance(provenance: &ProvenanceReport) -> Value {
    json!({
        "platform": provenance.platform,
        "predicateType": provenance.predicate_type,
        "digest": provenance.digest,
        "builder": provenance.builder,
        "buildType": provenance.build_type,
        "invocation": provenance.invocation,
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
