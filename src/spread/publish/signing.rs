//! Signs an image that is in its repositories by digest.

use super::super::Error;
use super::at;
use super::publication::Publication;
use crate::oci::{Descriptor, Digest, Index, Reference, media_type};
use crate::progress::Writer;
use crate::registry::Client;
use crate::sign::{self, Signer};
use crate::steps::{Step, Steps as _};

impl Publication {
    /// Signs the images of an index, and then the index, in every repository.
    pub(super) async fn sign(
        &self,
        signer: &Signer,
        digest: &Digest,
        registries: &Client,
        progress: &Writer,
    ) -> Result<(), Error> {
        for repository in &self.repositories {
            let root = at(repository, digest);
            let step = progress.begin(format!("signing {root}"));
            let signed = sign_all(signer, repository, &root, registries, &*step).await;
            let error = signed
                .as_ref()
                .err()
                .map(|error| crate::causes::in_one_line(error));
            step.end(error);
            signed.map_err(|source| Error::Sign {
                image: root.to_string(),
                source: Box::new(source),
            })?;
        }
        Ok(())
    }
}

async fn sign_all(
    signer: &Signer,
    repository: &Reference,
    root: &Reference,
    registries: &Client,
    step: &dyn Step,
) -> Result<(), sign::Error> {
    let found = registries.manifest(root).await;
    let found = found.map_err(|source| sign::Error::Read {
        image: root.to_string(),
        source: Box::new(source),
    })?;
    for digest in signed_with(&found.descriptor, &found.bytes) {
        step.log(at(repository, &digest).to_string());
        signer.sign(registries, repository, &digest, step).await?;
    }
    Ok(())
}

/// The digests to sign: the images of an index, followed by the index itself. Attestations are not
/// signed separately.
fn signed_with(root: &Descriptor, bytes: &[u8]) -> Vec<Digest> {
    let mut digests = Vec::new();
    if media_type::is_index(&root.media_type) {
        let index = serde_json::from_slice::<Index>(bytes).ok();
        let entries = index.into_iter().flat_map(|index| index.manifests);
        let images = entries.filter(|entry| {
            let platform = entry.platform.as_ref();
            platform.is_none_or(|platform| platform.os != "unknown")
        });
        digests.extend(images.map(|entry| entry.digest));
    }
    digests.retain(|digest| *digest != root.digest);
    digests.push(root.digest.clone());
    digests
}
