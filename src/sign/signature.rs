//! cosign's image signatures: the signed text, and the manifest that contains it. The format is in
//! cosign's `SIGNATURE_SPEC.md`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use serde_json::{Value, json};

use super::{Error, SigningKey};
use crate::oci::{Descriptor, Digest, Reference, media_type};
use crate::registry::{self, BlobSource, Client};

const PAYLOAD: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

/// Signs a manifest or an index, and stores the signature beside it. Other signatures are kept. If
/// the key has signed it already, nothing is written.
pub(super) async fn push(
    client: &Client,
    repository: &Reference,
    digest: &Digest,
    key: &SigningKey,
) -> Result<(), Error> {
    let image = repository.without_tag().with_digest(digest.clone());
    let failed = |source| Error::Store {
        image: image.to_string(),
        source: Box::new(source),
    };
    let tag = repository.clone().repository();
    let tag = tag.with_tag(format!("{}-{}.sig", digest.algorithm(), digest.hex()));
    let payload = Bytes::from(payload(repository, digest));
    let mut layers = match client.manifest(&tag).await {
        Ok(found) => layers_of(&found.bytes).ok_or_else(|| Error::Foreign {
            tag: tag.to_string(),
        })?,
        Err(error) if error.is_not_found() => Vec::new(),
        Err(error) => return Err(failed(error)),
    };
    let layer = Descriptor::of(PAYLOAD, &payload);
    if layers.iter().any(|it| is_signed(it, &layer, &payload, key)) {
        return Ok(());
    }
    let signature = BASE64.encode(key.sign(&payload)?);
    layers.push(json!({
        "mediaType": PAYLOAD,
        "size": layer.size,
        "digest": layer.digest,
        "annotations": { SIGNATURE: signature }
    }));
    store(client, &tag, &layer, payload, layers)
        .await
        .map_err(failed)
}

async fn store(
    client: &Client,
    tag: &Reference,
    layer: &Descriptor,
    payload: Bytes,
    layers: Vec<Value>,
) -> Result<(), registry::Error> {
    let config = Bytes::from(config(&layers));
    let described = Descriptor::of(CONFIG, &config);
    let blob = BlobSource::Bytes(payload);
    client.push_blob(tag, layer, &blob, None).await?;
    let blob = BlobSource::Bytes(config);
    client.push_blob(tag, &described, &blob, None).await?;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_MANIFEST,
        "config": { "mediaType": CONFIG, "size": described.size, "digest": described.digest },
        "layers": layers
    });
    let manifest = Bytes::from(manifest.to_string());
    client
        .put_manifest(tag, media_type::OCI_MANIFEST, manifest)
        .await?;
    Ok(())
}

/// The signed text.
fn payload(repository: &Reference, digest: &Digest) -> String {
    // go-containerregistry's name for Docker Hub.
    let name = match repository.domain() {
        "docker.io" => format!("index.docker.io/{}", repository.path()),
        _ => repository.name(),
    };
    // `json!` sorts the keys of objects, as cosign does.
    json!({
        "critical": {
            "identity": { "docker-reference": name },
            "image": { "docker-manifest-digest": digest },
            "type": "cosign container image signature"
        },
        "optional": null
    })
    .to_string()
}

/// An image config with the signatures as layers.
fn config(layers: &[Value]) -> String {
    let digests: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
    json!({
        "architecture": "",
        "config": {},
        "created": "0001-01-01T00:00:00Z",
        "os": "",
        "rootfs": { "type": "layers", "diff_ids": digests }
    })
    .to_string()
}

/// The signatures in a manifest; `None` if it is something else.
fn layers_of(manifest: &[u8]) -> Option<Vec<Value>> {
    let manifest: Value = serde_json::from_slice(manifest).ok()?;
    let layers = manifest.get("layers")?.as_array()?;
    layers.iter().all(Value::is_object).then(|| layers.clone())
}

fn is_signed(found: &Value, layer: &Descriptor, payload: &[u8], key: &SigningKey) -> bool {
    let signature = found["annotations"][SIGNATURE].as_str();
    let signature = signature.and_then(|text| BASE64.decode(text).ok());
    found["digest"].as_str() == Some(layer.digest.as_str())
        && signature.is_some_and(|signature| key.has_signed(payload, &signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signed_text_is_cosigns() {
        let digest = Digest::sha256(b"x");
        let of = |name: &str| payload(&Reference::parse(name).unwrap(), &digest);
        let expected = |name: &str| {
            format!(
                "{{\"critical\":{{\"identity\":{{\"docker-reference\":\"{name}\"}},\"image\":\
                 {{\"docker-manifest-digest\":\"{digest}\"}},\"type\":\"cosign container image \
                 signature\"}},\"optional\":null}}"
            )
        };
        assert_eq!(of("r.test:5000/a/b:1"), expected("r.test:5000/a/b"));
        assert_eq!(of("alpine"), expected("index.docker.io/library/alpine"));
    }

    #[test]
    fn what_is_no_manifest_of_signatures_is_left_alone() {
        assert_eq!(layers_of(b"{\"manifests\":[]}"), None);
        assert_eq!(layers_of(b"{\"layers\":[1]}"), None);
        assert_eq!(layers_of(b"{\"layers\":[]}"), Some(Vec::new()));
    }
}
