//! What an image's name points to: the digest, and the config of a platform.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha512};
use tokio::sync::OnceCell;

use super::remote::{Remote, What};
use super::{Credentials, Error};
use crate::oci::{Digest, Index, Manifest, Platform, PlatformMatcher, Reference, media_type};

/// Images in registries. Each manifest is read once; clones share what was read.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use solvekit::{oci::{Platform, Reference}, registry::{Credentials, Images}};
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
    remote: Arc<Remote>,
    roots: Arc<Mutex<HashMap<String, Arc<OnceCell<Root>>>>>,
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

/// What a reference points to.
#[derive(Debug, Clone)]
struct Root {
    digest: Digest,
    is_index: bool,
    body: Vec<u8>,
}

impl Images {
    /// Images that these credentials may read.
    pub fn new(credentials: Arc<Credentials>) -> Self {
        Self {
            remote: Arc::new(Remote::new(credentials)),
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
        let manifest: Manifest = match root.is_index {
            false => parse(reference, &root.body)?,
            true => {
                let digest = choose(reference, &root, platform)?;
                let what = What::Manifest(digest.as_str());
                let body = self.remote.read(reference, what).await?.body;
                check(reference, &digest, &body)?;
                parse(reference, &body)?
            }
        };
        let digest = &manifest.config.digest;
        let config = self.remote.read(reference, What::Blob(digest.as_str()));
        let config = config.await?.body;
        check(reference, digest, &config)?;
        Ok(FoundImage {
            digest: root.digest,
            config,
        })
    }

    /// What the reference points to; read once however many ask.
    async fn root(&self, reference: &Reference) -> Result<Root, Error> {
        let cell = self
            .roots
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(reference.to_string())
            .or_default()
            .clone();
        cell.get_or_try_init(|| self.read_root(reference))
            .await
            .cloned()
    }

    async fn read_root(&self, reference: &Reference) -> Result<Root, Error> {
        let name = match reference.digest() {
            Some(digest) => digest.as_str(),
            None => reference.tag().unwrap_or("latest"),
        };
        let answer = self.remote.read(reference, What::Manifest(name)).await?;
        let digest = match reference.digest() {
            Some(digest) => {
                check(reference, digest, &answer.body)?;
                digest.clone()
            }
            None => Digest::sha256(&answer.body),
        };
        Ok(Root {
            digest,
            is_index: is_index(&answer.content_type, &answer.body),
            body: answer.body,
        })
    }
}

/// By the type that the registry says, else by the form: some serve everything as JSON.
fn is_index(content_type: &str, body: &[u8]) -> bool {
    let content_type = content_type.split(';').next().unwrap_or_default().trim();
    match content_type {
        media_type::OCI_MANIFEST | media_type::DOCKER_MANIFEST => false,
        known if media_type::is_index(known) => true,
        _ => serde_json::from_slice::<serde_json::Value>(body)
            .is_ok_and(|body| body["manifests"].is_array()),
    }
}

/// The manifest of an index for a platform. What has no platform or an unknown one is no image: attestations.
fn choose(reference: &Reference, root: &Root, platform: &Platform) -> Result<Digest, Error> {
    let index: Index = parse(reference, &root.body)?;
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

/// Bytes of another digest are not what was asked for.
fn check(reference: &Reference, digest: &Digest, body: &[u8]) -> Result<(), Error> {
    let is = match digest.algorithm() {
        "sha256" => Digest::sha256(body) == *digest,
        "sha512" => {
            let hash = Sha512::digest(body);
            let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            hex == digest.hex()
        }
        _ => false,
    };
    if is {
        return Ok(());
    }
    Err(Error::BadContent {
        reference: reference.to_string(),
        reason: format!("its bytes do not have the digest {digest}"),
    })
}
