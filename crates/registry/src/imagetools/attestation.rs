//! Reads attestations: the in-toto statements in the layers of their manifests.

use base64::Engine as _;
use serde_json::Value as Json;

use super::load::{Loaded, parse};
use super::{Error, Location};
use crate::oci::{Descriptor, Digest};
use crate::registry::Client;

const IN_TOTO: &str = "application/vnd.in-toto+json";
const SPDX: &str = "https://spdx.dev/Document";
const SLSA: &str = "https://slsa.dev/provenance/";

/// A kind of attestation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sbom,
    Provenance,
}

impl Kind {
    fn is(self, predicate: &str) -> bool {
        match self {
            Self::Sbom => predicate == SPDX,
            Self::Provenance => predicate.starts_with(SLSA),
        }
    }
}

/// Returns the predicates of this kind about a manifest, in order.
pub(super) async fn predicates(
    client: &Client,
    of: &Location,
    loaded: &Loaded,
    subject: &Digest,
    kind: Kind,
) -> Result<Vec<Json>, Error> {
    let mut predicates = Vec::new();
    let manifests = loaded.attestations.get(subject).into_iter().flatten();
    for layer in manifests.flat_map(|manifest| &manifest.layers) {
        let predicate = layer.annotations.get("in-toto.io/predicate-type");
        let signed = is_signed(layer);
        let wanted = predicate.is_some_and(|predicate| kind.is(predicate));
        if !wanted || !(signed || layer.media_type == IN_TOTO) {
            continue;
        }
        let bytes = of.blob(client, layer).await?;
        let name = of.at(&layer.digest);
        let statement: Json = match signed {
            false => parse(&name, "attestation", &bytes)?,
            true => parse(&name, "attestation", &payload(&name, &bytes)?)?,
        };
        predicates.push(statement["predicate"].clone());
    }
    Ok(predicates)
}

/// True if the statement is in a DSSE envelope.
fn is_signed(layer: &Descriptor) -> bool {
    let kind = layer.media_type.strip_prefix("application/vnd.in-toto.");
    kind.is_some_and(|kind| kind.ends_with("+dsse"))
}

fn payload(name: &Location, envelope: &[u8]) -> Result<Vec<u8>, Error> {
    let envelope: Json = parse(name, "signed attestation", envelope)?;
    let payload = envelope["payload"].as_str().unwrap_or_default();
    base64::engine::general_purpose::STANDARD
        .decode(payload)
        .map_err(|error| Error::Malformed {
            reference: name.to_string(),
            kind: "signed attestation",
            reason: error.into(),
        })
}
