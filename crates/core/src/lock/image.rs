//! An image in the lock: its digest, and its configs by platform.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value, json};

use super::LookupError;
use crate::oci::{Digest, Image, Platform, PlatformMatcher};

/// A locked image.
#[derive(Debug, Clone)]
pub struct LockedImage {
    /// The digest of the index or manifest.
    pub digest: Digest,
    platforms: BTreeMap<String, Entry>,
}

/// A config: as the registry serves it, and parsed on first use.
#[derive(Debug, Clone)]
struct Entry {
    platform: Platform,
    json: Value,
    parsed: OnceLock<Result<Arc<Image>, Arc<serde_json::Error>>>,
}

impl LockedImage {
    /// Returns an image without platforms.
    pub const fn new(digest: Digest) -> Self {
        Self {
            digest,
            platforms: BTreeMap::new(),
        }
    }

    /// Adds the config of a platform.
    pub fn insert(&mut self, platform: &Platform, config: Value) {
        let platform = platform.normalized();
        let entry = Entry {
            json: config,
            parsed: OnceLock::new(),
            platform: platform.clone(),
        };
        self.platforms.insert(platform.format_all(), entry);
    }

    /// Returns the platforms' normalised names.
    pub fn platforms(&self) -> impl Iterator<Item = &str> {
        self.platforms.keys().map(String::as_str)
    }

    /// Returns the config of exactly this platform, as the registry serves it.
    pub fn get(&self, platform: &Platform) -> Option<&Value> {
        let entry = self.platforms.get(&platform.normalized().format_all())?;
        Some(&entry.json)
    }

    /// Returns the config to use for a platform; `None` if the platform can run none of them.
    pub(super) fn config(&self, platform: &Platform) -> Result<Option<Arc<Image>>, LookupError> {
        let exact = self.platforms.get(&platform.normalized().format_all());
        let entry = exact.or_else(|| {
            let offered: Vec<Platform> = self
                .platforms
                .values()
                .map(|entry| entry.platform.clone())
                .collect();
            let best = PlatformMatcher::only(platform).best(&offered)?;
            self.platforms.values().nth(best)
        });
        entry.map(Entry::config).transpose()
    }

    pub(super) fn to_json(&self) -> Value {
        let platforms: Map<String, Value> = self
            .platforms
            .iter()
            .map(|(name, entry)| (name.clone(), entry.json.clone()))
            .collect();
        json!({ "digest": self.digest, "platforms": platforms })
    }
}

impl Entry {
    fn config(&self) -> Result<Arc<Image>, LookupError> {
        let parsed = self.parsed.get_or_init(|| {
            serde::Deserialize::deserialize(&self.json)
                .map(|image: Image| Arc::new(image))
                .map_err(Arc::new)
        });
        parsed.clone().map_err(|source| LookupError::Config {
            platform: self.platform.to_string(),
            source,
        })
    }
}
