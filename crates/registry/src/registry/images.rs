//! Resolves an image's name to its digest and the config of a platform.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use super::{Client, ClientOptions, ContentProblem, Credentials, Error, Fetched};
use crate::oci::{Digest, Index, Manifest, Platform, PlatformMatcher, Reference, media_type};

/// Resolves images in registries. Each manifest is read once; clones share the results.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use solvekit_core::oci::{Platform, Reference};
/// use solvekit_registry::{registry::{Credentials, Images}};
///
/// let images = Images::new(Credentials::none().into());
/// let reference = Reference::parse("alpine:3.20")?;
/// let found = images.find(&reference, &Platform::parse("linux/arm64")?).await?;
/// println!("{}", found.digest);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Images {
    client: Client,
    roots: Arc<Mutex<HashMap<String, Arc<OnceCell<Fetched>>>>>,
}

/// A resolved image.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FoundImage {
    /// The digest of the index or manifest that the reference points to.
    pub digest: Digest,
    /// The image config of the platform, unchanged.
    pub config: Vec<u8>,
}

impl Images {
    /// Reads images with these credentials.
    pub fn new(credentials: Arc<Credentials>) -> Self {
        Self::with_client(Client::new(credentials, ClientOptions::default()))
    }

    /// Reads images with this client.
    pub fn with_client(client: Client) -> Self {
        Self {
            client,
            roots: Arc::default(),
        }
    }

    /// Returns the digest of a reference and the config for a platform. An index yields the best
    /// match in containerd's order. An image without an index matches every platform, as in the
    /// reference.
    ///
    /// # Errors
    /// [`Error::NotForPlatform`], which lists the image's platforms; [`Error::Refused`] if the
    /// image does not exist or access is denied; others if the registry cannot be reached or its
    /// answer is invalid.
    pub async fn find(
        &self,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<FoundImage, Error> {
        let root = self.root(reference).await?;
        let manifest: Manifest = match media_type::is_index(&root.descriptor.media_type) {
            false => parse(reference, &root.bytes)?,
            true => {
                let digest = choose(reference, &root.bytes, platform)?;
                let of = reference.clone().with_digest(digest);
                parse(reference, &self.client.manifest(&of).await?.bytes)?
            }
        };
        let config = self.client.small_blob(reference, &manifest.config);
        Ok(FoundImage {
            digest: root.descriptor.digest,
            config: config.await?.to_vec(),
        })
    }

    /// Fetches the reference's manifest only once, even for concurrent callers.
    async fn root(&self, reference: &Reference) -> Result<Fetched, Error> {
        let cell = self
            .roots
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(reference.to_string())
            .or_default()
            .clone();
        cell.get_or_try_init(|| self.client.manifest(reference))
            .await
            .cloned()
    }
}

/// Selects the manifest of a platform. Entries without a known platform are attestations, not
/// images.
fn choose(reference: &Reference, index: &[u8], platform: &Platform) -> Result<Digest, Error> {
    let index: Index = parse(reference, index)?;
    let offered: Vec<(&Platform, &Digest)> = index
        .manifests
        .iter()
        .filter_map(|entry| Some((entry.platform.as_ref()?, &entry.digest)))
        .filter(|(platform, _)| platform.os != "unknown")
        .collect();
    let best = PlatformMatcher::only(platform).best(offered.iter().map(|(platform, _)| *platform));
    match best.and_then(|best| offered.get(best)) {
        Some((_, digest)) => Ok((*digest).clone()),
        None => Err(Error::NotForPlatform {
            reference: reference.to_string(),
            platform: platform.to_string(),
            available: offered
                .iter()
                .map(|(platform, _)| platform.to_string())
                .collect(),
        }),
    }
}

fn parse<T: DeserializeOwned>(reference: &Reference, body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| Error::BadContent {
        reference: reference.to_string(),
        reason: ContentProblem::Manifest(error),
    })
}
