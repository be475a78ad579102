//! What an image's name points to: the digest, and the config of a platform.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use super::{Client, ClientOptions, Credentials, Error, Fetched};
use crate::oci::{Digest, Index, Manifest, Platform, PlatformMatcher, Reference, media_type};

/// Images in registries. Each manifest is read once; clones share what was read.
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

/// An image that was found.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FoundImage {
    /// The digest of what the reference points to: an index or a manifest.
    pub digest: Digest,
    /// The image config of the platform, as the registry has it.
    pub config: Vec<u8>,
}

impl Images {
    /// Images that these credentials may read.
    pub fn new(credentials: Arc<Credentials>) -> Self {
        Self::with_client(Client::new(credentials, ClientOptions::default()))
    }

    /// Images that this client reads.
    pub fn with_client(client: Client) -> Self {
        Self {
            client,
            roots: Arc::default(),
        }
    }

    /// The digest that a reference points to, and the config for a platform: of an index the best that runs there, in
    /// containerd's order; an image without index is for every platform, as in the reference.
    ///
    /// # Errors
    /// [`Error::NotForPlatform`] with those that there are; [`Error::Refused`] for an image that is not there or not to be
    /// read; other errors when the registry cannot be asked or answers something else.
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

    /// What the reference points to; read once however many ask.
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

/// The manifest of an index for a platform. What has no platform or an unknown one is no image: attestations.
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
        reason: format!("it is no manifest of an image: {error}"),
    })
}
