//! The lock: the digest and configs of each image reference, so that a build can be repeated
//! without asking a registry.
//!
//! # Format
//! JSON, indented by two spaces, with sorted keys, so that equal content has equal bytes:
//!
//! ```json
//! {
//!   "images": {
//!     "docker.io/library/alpine:3.20": {
//!       "digest": "sha256:beefdbd8a1da6d2915566fde36db9db0b524eb737fc57cd1367effd16dc0d06d",
//!       "platforms": {
//!         "linux/amd64": { "architecture": "amd64", "os": "linux", "config": {}, "rootfs": {} }
//!       }
//!     }
//!   },
//!   "version": 1
//! }
//! ```
//! - `images`: by normalised reference, as the Dockerfile means it. `digest` is the digest of the
//!   index or manifest; `platforms` has image configs as the registry serves them, by normalised
//!   platform.
//! - `sources`, if there are any: git and HTTP sources by identifier, with `git_commit_object` (the
//!   object as `git cat-file commit` prints it) or `http_last_modified` (RFC 3339), for
//!   `SOURCE_DATE_EPOCH`.
//! - `version`: 1; a file without a version has version 1.
//!
//! # Lookup
//! The exact reference; else for `name:tag@digest` the entry `name:tag`, which must have that
//! digest. The exact normalised platform; else the best of those that the requested one can run, in
//! containerd's order.
//!
//! ```
//! use solvekit_core::lock::Lock;
//! use solvekit_core::oci::{Platform, Reference};
//!
//! let text = br#"{"images": {"docker.io/library/alpine:3": {
//!     "digest": "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
//!     "platforms": {"linux/amd64": {"architecture": "amd64", "os": "linux"}}}}}"#;
//! let lock = Lock::parse(text)?;
//! let found = lock.image(&Reference::parse("alpine:3")?, &Platform::parse("linux/amd64")?)?;
//! assert!(found.digest.is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod entries;
mod error;
mod image;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

pub use error::{EntryProblem, Error, FormProblem, LookupError};
pub use image::LockedImage;

use crate::oci::{Platform, Reference};
use crate::translate::{
    ImageFailure, ImageKind, ImageRequest, ResolvedImage, SourceRequest, SourceTime,
};

/// The version of new files.
const VERSION: u64 = 1;

/// Images by reference, with their digests and configs.
#[derive(Debug, Clone, Default)]
pub struct Lock {
    images: BTreeMap<String, LockedImage>,
    sources: BTreeMap<String, SourceTime>,
}

impl Lock {
    /// Returns an empty lock.
    pub fn new() -> Self {
        Self::default()
    }

    /// Parses a lock.
    ///
    /// # Errors
    /// [`Error`] with the place: malformed JSON, an unknown version, or an entry that is invalid,
    /// duplicate or contradicts its own name.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        entries::parse(text)
    }

    /// Returns the text of the lock's file, with a final newline.
    pub fn to_text(&self) -> String {
        let images: Map<String, Value> = self
            .images
            .iter()
            .map(|(name, image)| (name.clone(), image.to_json()))
            .collect();
        let mut all = json!({ "images": images, "version": VERSION });
        if !self.sources.is_empty() {
            let sources = self.sources.iter();
            all["sources"] = sources
                .map(|(name, time)| (name.clone(), entries::time_to_json(time)))
                .collect::<Map<_, _>>()
                .into();
        }
        // Plain data, so its conversion to JSON cannot fail.
        serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"
    }

    /// Returns the images by reference.
    pub fn images(&self) -> impl Iterator<Item = (&str, &LockedImage)> {
        self.images
            .iter()
            .map(|(name, image)| (name.as_str(), image))
    }

    /// Returns the entry of exactly this reference.
    pub fn get(&self, reference: &Reference) -> Option<&LockedImage> {
        self.images.get(&reference.to_string())
    }

    /// Adds an image and replaces an earlier entry.
    pub fn insert(&mut self, reference: &Reference, image: LockedImage) {
        self.images.insert(reference.to_string(), image);
    }

    /// Returns the image for a platform.
    ///
    /// # Errors
    /// [`LookupError`] names the image: it is missing, has another digest, or lacks the platform.
    pub fn image(
        &self,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<ResolvedImage, LookupError> {
        let entry = self.entry(reference)?;
        let config = entry
            .config(platform)?
            .ok_or_else(|| LookupError::Platform {
                reference: reference.to_string(),
                platform: platform.to_string(),
                available: entry.platforms().map(str::to_owned).collect(),
            })?;
        Ok(ResolvedImage {
            reference: None,
            digest: Some(entry.digest.clone()),
            config,
        })
    }

    /// Answers the request of a translation; images of OCI layouts are looked up in the same way.
    /// `default` is the platform of requests that name none: the daemon's.
    ///
    /// # Errors
    /// As [`image`](Self::image).
    pub fn answer(
        &self,
        request: &ImageRequest,
        default: &Platform,
    ) -> Result<ResolvedImage, LookupError> {
        match &request.kind {
            ImageKind::Registry | ImageKind::OciLayout { .. } => {
                let platform = request.platform.as_ref().unwrap_or(default);
                self.image(&request.reference, platform)
            }
        }
    }

    /// Returns the creation time of a git or HTTP source.
    ///
    /// # Errors
    /// [`LookupError::Source`] if the source is not locked.
    pub fn time(&self, request: &SourceRequest) -> Result<SourceTime, LookupError> {
        let found = self.sources.get(&request.identifier);
        found.cloned().ok_or_else(|| LookupError::Source {
            identifier: request.identifier.clone(),
        })
    }

    fn entry(&self, reference: &Reference) -> Result<&LockedImage, LookupError> {
        if let Some(exact) = self.get(reference) {
            return Ok(exact);
        }
        let missing = || LookupError::Missing {
            reference: reference.to_string(),
        };
        let digest = reference.digest().ok_or_else(missing)?;
        let tag = reference.tag().ok_or_else(missing)?;
        let tagged = format!("{}:{tag}", reference.name());
        let entry = self.images.get(&tagged).ok_or_else(missing)?;
        if entry.digest != *digest {
            return Err(LookupError::Moved {
                reference: tagged,
                wanted: digest.clone(),
                locked: entry.digest.clone(),
            });
        }
        Ok(entry)
    }
}

impl LookupError {
    /// Converts the error for [`ResolvedImages`](crate::translate::ResolvedImages).
    pub fn into_failure(self) -> ImageFailure {
        Arc::new(self)
    }
}

#[cfg(test)]
mod tests;
