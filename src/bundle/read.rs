//! Reads bundles.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use super::{BundleProblem, Error, RECORD, archive, archive::wrong};
use crate::oci::{Descriptor, Digest, Index, Manifest, media_type};

/// The maximum depth of nested indexes.
const DEPTH: usize = 4;

/// A record of a bundle.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BundledRecord {
    /// The daemon's id of the build.
    pub build_ref: String,
    /// The frontend's attributes.
    pub attributes: BTreeMap<String, String>,
    /// When the build started.
    pub created_at: Option<SystemTime>,
    /// When it ended.
    pub completed_at: Option<SystemTime>,
    /// The error of a failed build.
    pub error: Option<String>,
    /// The number of steps in its graph.
    pub total_steps: i32,
    /// The other parts: trace, logs, attestations.
    pub parts: Vec<Descriptor>,
}

/// Reads a bundle that [`super::Bundle::write`] or buildx wrote, and verifies every blob.
///
/// # Errors
/// [`Error::NotABundle`] for other or damaged files.
pub fn read(bytes: &[u8]) -> Result<Vec<BundledRecord>, Error> {
    let files = archive::read(bytes)?;
    let index = files
        .get("index.json")
        .ok_or_else(|| wrong(BundleProblem::NoIndex))?;
    let mut records = Vec::new();
    of_index(&files, index, DEPTH, &mut records)?;
    match records.is_empty() {
        true => Err(wrong(BundleProblem::NoRecord)),
        false => Ok(records),
    }
}

type Files = BTreeMap<String, Vec<u8>>;

fn of_index(
    files: &Files,
    bytes: &[u8],
    depth: usize,
    records: &mut Vec<BundledRecord>,
) -> Result<(), Error> {
    let index: Index = parse("index", bytes)?;
    for descriptor in &index.manifests {
        let bytes = blob(files, descriptor)?;
        match media_type::is_index(&descriptor.media_type) {
            true if depth == 0 => return Err(wrong(BundleProblem::TooDeep)),
            true => of_index(files, bytes, depth - 1, records)?,
            false => records.extend(of_manifest(files, bytes)?),
        }
    }
    Ok(())
}

/// Returns `None` for a manifest of another kind.
fn of_manifest(files: &Files, bytes: &[u8]) -> Result<Option<BundledRecord>, Error> {
    let manifest: Manifest = parse("manifest", bytes)?;
    if manifest.config.media_type != RECORD {
        return Ok(None);
    }
    let record: Record = parse("record", blob(files, &manifest.config)?)?;
    for layer in &manifest.layers {
        blob(files, layer)?;
    }
    Ok(Some(BundledRecord {
        build_ref: record.build_ref,
        attributes: record.attributes,
        created_at: record.created_at.and_then(Time::at),
        completed_at: record.completed_at.and_then(Time::at),
        error: record.error.map(|status| status.message),
        total_steps: record.total_steps,
        parts: manifest.layers,
    }))
}

fn parse<'a, T: Deserialize<'a>>(part: &'static str, bytes: &'a [u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|source| wrong(BundleProblem::Json { part, source }))
}

fn blob<'a>(files: &'a Files, of: &Descriptor) -> Result<&'a [u8], Error> {
    let digest = &of.digest;
    let name = format!("blobs/{}/{}", digest.algorithm(), digest.hex());
    let bytes = files.get(&name).ok_or_else(|| {
        wrong(BundleProblem::Missing {
            digest: digest.clone(),
        })
    })?;
    let actual = Digest::sha256(bytes);
    match actual == *digest {
        true => Ok(bytes),
        false => Err(wrong(BundleProblem::Digest {
            digest: digest.clone(),
            actual,
        })),
    }
}

/// The shown fields of a record.
#[derive(Debug, Deserialize)]
struct Record {
    #[serde(rename = "Ref", default)]
    build_ref: String,
    #[serde(rename = "FrontendAttrs", default)]
    attributes: BTreeMap<String, String>,
    #[serde(rename = "CreatedAt")]
    created_at: Option<Time>,
    #[serde(rename = "CompletedAt")]
    completed_at: Option<Time>,
    error: Option<Status>,
    #[serde(rename = "numTotalSteps", default)]
    total_steps: i32,
}

#[derive(Debug, Deserialize)]
struct Status {
    #[serde(default)]
    message: String,
}

#[derive(Debug, Deserialize)]
struct Time {
    #[serde(default)]
    seconds: u64,
    #[serde(default)]
    nanos: u32,
}

impl Time {
    fn at(self) -> Option<SystemTime> {
        let nanos = self.nanos.min(999_999_999);
        SystemTime::UNIX_EPOCH.checked_add(Duration::new(self.seconds, nanos))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bundle(change: impl FnOnce(&mut Files)) -> Result<Vec<BundledRecord>, Error> {
        let mut files = Files::new();
        let mut add = |media_type: &str, text: String| {
            let descriptor = Descriptor::of(media_type, text.as_bytes());
            let name = format!("blobs/sha256/{}", descriptor.digest.hex());
            files.insert(name, text.into_bytes());
            descriptor
        };
        let record = json!({"Ref": "abc", "CreatedAt": {"seconds": 7}, "error": {"message": "no"}});
        let config = add(RECORD, record.to_string());
        let log = add("application/x", "log".to_owned());
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": [log]});
        let manifest = add(media_type::OCI_MANIFEST, manifest.to_string());
        let index = json!({"schemaVersion": 2, "manifests": [manifest]}).to_string();
        files.insert("index.json".to_owned(), index.into_bytes());
        change(&mut files);
        let mut bytes = Vec::new();
        archive::write(&files, &mut bytes).unwrap();
        read(&bytes)
    }

    #[test]
    fn records_are_found_with_their_parts() {
        let found = bundle(|_| {}).unwrap();
        assert_eq!(found[0].build_ref, "abc");
        assert_eq!(found[0].error.as_deref(), Some("no"));
        assert_eq!(found[0].parts.len(), 1);
    }

    #[test]
    fn damaged_bundles_are_reported() {
        let refused = |change: fn(&mut Files)| bundle(change).unwrap_err().to_string();
        assert!(
            refused(|files| {
                files.remove("index.json");
            })
            .contains("no index.json")
        );
        assert!(
            refused(|files| files.retain(|name, _| name == "index.json")).contains("lacks sha256")
        );
        let changed = refused(|files| {
            let values = files
                .iter_mut()
                .filter(|(name, _)| name.starts_with("blobs"));
            values.for_each(|(_, bytes)| bytes.push(b' '));
        });
        assert!(changed.contains("has the digest"), "{changed}");
        let empty = refused(|files| {
            files.insert("index.json".to_owned(), b"{\"schemaVersion\":2}".to_vec());
        });
        assert!(empty.contains("no record"), "{empty}");
    }
}
