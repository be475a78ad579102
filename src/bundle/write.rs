//! Creates bundles from records.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::{Value, json};

use super::{Error, LIMIT, RECORD, Trace, archive, record};
use crate::builder::BuildState;
use crate::client::{BuildRecord, Client};
use crate::oci::{Descriptor, Digest, Platform, media_type};
use crate::proto::moby::buildkit::v1 as control;

/// The media type of a result's manifest in a bundle: with its own type, readers would look for its
/// layers.
const PLAIN: &str = "application/json";
/// The annotation with its own media type.
const OWN_TYPE: &str = "vnd.export-build.descriptor.mediatype";
/// The annotation with a build's reference, if a bundle has several builds.
const REFERENCE: &str = "vnd.buildkit.history.reference";

/// A record to export, with the client's knowledge of its build.
#[derive(Debug, Clone)]
pub struct Exported {
    /// A client of the record's daemon.
    pub client: Client,
    /// The record.
    pub record: BuildRecord,
    /// The daemon's own platform.
    pub platform: Option<Platform>,
    /// The sources of the build.
    pub state: Option<BuildState>,
}

/// A bundle that is ready to write.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    files: BTreeMap<String, Vec<u8>>,
}

impl Bundle {
    /// Reads records with their traces, logs and attestations from their daemons.
    ///
    /// # Errors
    /// If a daemon cannot send a part, or sends a wrong one.
    pub async fn of(records: &[Exported]) -> Result<Self, Error> {
        let mut bundle = Self::default();
        let mut manifests = Vec::new();
        for exported in records {
            let mut manifest = bundle.add_record(exported).await?;
            if records.len() > 1 {
                let build_ref = exported.record.build_ref.clone();
                manifest.annotations.insert(REFERENCE.to_owned(), build_ref);
            }
            manifests.push(manifest);
        }
        let index = |manifests: &[Descriptor]| {
            let media_type = media_type::OCI_INDEX;
            json!({"schemaVersion": 2, "mediaType": media_type, "manifests": manifests})
        };
        let root = match manifests.as_slice() {
            [only] => only.clone(),
            several => bundle.add_json(media_type::OCI_INDEX, &index(several)),
        };
        let index = index(&[root]).to_string();
        bundle.files.insert("index.json".to_owned(), index.into());
        let version = json!({"imageLayoutVersion": "1.0.0"}).to_string();
        bundle.files.insert("oci-layout".to_owned(), version.into());
        Ok(bundle)
    }

    /// Writes the bundle. Blocking.
    ///
    /// # Errors
    /// [`Error::Write`].
    pub fn write(&self, to: impl Write) -> Result<(), Error> {
        archive::write(&self.files, to).map_err(|source| Error::Write { source })
    }

    async fn add_record(&mut self, exported: &Exported) -> Result<Descriptor, Error> {
        let found = &*exported.record.raw;
        let mut layers = Vec::new();
        let mut trace = None;
        if let Some(of) = &found.trace {
            let bytes = blob(exported, "trace", of).await?;
            let clean = Trace::parse(&bytes)?.without_credentials();
            let layer = self.add(&of.media_type, clean);
            trace = Some(
                json!({"media_type": layer.media_type, "digest": layer.digest, "size": layer.size}),
            );
            layers.push(layer);
        }
        let config = self.add_json(RECORD, &config(exported, trace));
        let mut others: Vec<(&'static str, &control::Descriptor, bool)> = Vec::new();
        others.extend(found.logs.iter().map(|of| ("logs", of, false)));
        others.extend(found.external_error.iter().map(|of| ("error", of, false)));
        let of_platforms = found
            .results
            .iter()
            .filter_map(|entry| entry.value.as_ref());
        for result in found.result.iter().chain(of_platforms) {
            let attestations = result.attestations.iter();
            others.extend(attestations.map(|of| ("attestation", of, false)));
            let results = result
                .results
                .iter()
                .filter_map(|entry| entry.value.as_ref());
            others.extend(results.map(|of| ("result", of, true)));
        }
        let mut seen: Vec<&str> = Vec::new();
        for (what, of, is_manifest) in others {
            if seen.contains(&of.digest.as_str()) {
                continue;
            }
            seen.push(&of.digest);
            let bytes = blob(exported, what, of).await?;
            let mut layer = self.add(&of.media_type, bytes);
            layer.annotations.clone_from(&of.annotations);
            if is_manifest {
                let own = std::mem::replace(&mut layer.media_type, PLAIN.to_owned());
                layer.annotations.insert(OWN_TYPE.to_owned(), own);
            }
            layers.push(layer);
        }
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type::OCI_MANIFEST,
            "config": config,
            "layers": layers,
        });
        Ok(self.add_json(media_type::OCI_MANIFEST, &manifest))
    }

    fn add_json(&mut self, media_type: &str, value: &Value) -> Descriptor {
        self.add(media_type, format!("{value:#}").into_bytes())
    }

    fn add(&mut self, media_type: &str, bytes: Vec<u8>) -> Descriptor {
        let descriptor = Descriptor::of(media_type, &bytes);
        let digest = &descriptor.digest;
        let name = format!("blobs/{}/{}", digest.algorithm(), digest.hex());
        self.files.insert(name, bytes);
        descriptor
    }
}

/// Returns the record's JSON with the client's fields added.
fn config(exported: &Exported, trace: Option<Value>) -> Value {
    let mut value = record::json(&exported.record.raw, trace);
    let platform = exported.platform.as_ref();
    value["DefaultPlatform"] = platform
        .map_or_else(String::new, Platform::format_all)
        .into();
    if let Some(state) = &exported.state {
        value["localState"] = json!(state);
    }
    value
}

/// Reads a blob from the daemon and verifies it.
async fn blob(
    exported: &Exported,
    what: &'static str,
    of: &control::Descriptor,
) -> Result<Vec<u8>, Error> {
    let build_ref = || exported.record.build_ref.clone();
    let bytes = exported.client.read_blob(&of.digest, LIMIT).await;
    let bytes = bytes.map_err(|source| Error::Part {
        what,
        build_ref: build_ref(),
        source,
    })?;
    let actual = Digest::sha256(&bytes);
    match actual.as_str() == of.digest {
        true => Ok(bytes),
        false => Err(Error::Digest {
            what,
            build_ref: build_ref(),
            expected: of.digest.clone(),
            actual: actual.to_string(),
        }),
    }
}
