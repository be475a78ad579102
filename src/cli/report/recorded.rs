//! Completes a report with the daemon's records of the build: layers and provenance.

use std::time::Duration;

use serde_json::Value;
use solvekit::build_report::{BuildReport, BuildSource, ImageReport, ProvenanceReport};
use solvekit::client::{BuildRecord, Client, RecordedProvenance};
use solvekit::spread::Built;

/// The time limit, after which the report has no layers.
const PATIENCE: Duration = Duration::from_secs(20);

/// Adds the nodes' records of a build that has just ended. They are optional: if a daemon does not
/// answer, they are omitted.
pub(crate) async fn add_built(
    report: &mut BuildReport,
    target: &str,
    built: &Built,
    clients: &[Client],
) {
    for part in &built.parts {
        for client in clients {
            let asked = tokio::time::timeout(PATIENCE, client.build_record(&part.build_ref));
            if let Ok(Ok(Some(record))) = asked.await {
                let adding = add(report, target, client, &record);
                let _ = tokio::time::timeout(PATIENCE, adding).await;
                break;
            }
        }
    }
}

/// Adds a daemon's records of a build, as far as it still has them.
pub(crate) async fn add(
    report: &mut BuildReport,
    target: &str,
    client: &Client,
    record: &BuildRecord,
) {
    let images = client.recorded_images(record).await.unwrap_or_default();
    let mut images: Vec<ImageReport> = images
        .iter()
        .map(|it| ImageReport::new(it.digest.to_string(), &it.manifest, &it.config))
        .collect();
    if images.is_empty()
        && let Ok(Some(image)) = client.engine_image(record).await
    {
        images.push(ImageReport::of_engine(image));
    }
    for image in &mut images {
        target.clone_into(&mut image.target);
    }
    report.images.append(&mut images);
    let provenance = client.recorded_provenance(record).await;
    for provenance in provenance.unwrap_or_default() {
        report.sources.extend(sources(&provenance.predicate));
        report
            .provenance
            .push(provenance_report(target, provenance));
    }
    report.sources.sort();
    report.sources.dedup();
}

/// The report's part of a provenance of either version.
fn provenance_report(target: &str, provenance: RecordedProvenance) -> ProvenanceReport {
    let document = &provenance.predicate;
    let text = |newer: &Value, older: &Value| {
        let text = newer.as_str().or_else(|| older.as_str());
        text.unwrap_or_default().to_owned()
    };
    let run = &document["runDetails"];
    let mut report = ProvenanceReport::default();
    report.builder = text(&run["builder"]["id"], &document["builder"]["id"]);
    report.build_type = text(
        &document["buildDefinition"]["buildType"],
        &document["buildType"],
    );
    report.invocation = text(
        &run["metadata"]["invocationId"],
        &document["metadata"]["buildInvocationID"],
    );
    let words = [target, &*provenance.platform];
    let words: Vec<&str> = words.into_iter().filter(|it| !it.is_empty()).collect();
    report.platform = words.join(" ");
    report.digest = provenance.digest.to_string();
    report.predicate_type = provenance.predicate_type;
    report
}

/// The remote sources in a provenance of either version.
pub(crate) fn sources(provenance: &Value) -> Vec<BuildSource> {
    let newer = provenance["buildDefinition"]["resolvedDependencies"].as_array();
    let all = newer.or_else(|| provenance["materials"].as_array());
    let read = |material: &Value| {
        let digest = material["digest"].as_object().into_iter().flatten().next();
        let mut source = BuildSource::default();
        source.uri = material["uri"].as_str().unwrap_or_default().to_owned();
        source.digest = digest
            .map(|(name, hex)| format!("{name}:{}", hex.as_str().unwrap_or_default()))
            .unwrap_or_default();
        source
    };
    all.into_iter().flatten().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_a_provenance_name_sources() {
        for provenance in [
            serde_json::json!({"materials": [{"uri": "a", "digest": {"sha256": "1"}}]}),
            serde_json::json!({"buildDefinition": {"resolvedDependencies": [
                {"uri": "a", "digest": {"sha256": "1"}}]}}),
        ] {
            let found = sources(&provenance);
            assert_eq!((&*found[0].uri, &*found[0].digest), ("a", "sha256:1"));
        }
        assert!(sources(&Value::Null).is_empty());
    }
}
