//! Limits for reading an image. Indexes can be nested, and a hostile one can contain thousands of
//! others.

use std::collections::HashSet;

use thiserror::Error;

use crate::oci::Digest;

/// The deepest nesting of indexes; images have one or two levels.
pub const DEPTH: usize = 8;
/// The maximum number of manifests and indexes. The largest public images have a few hundred.
const MANIFESTS: usize = 4096;
/// Their maximum total size in bytes.
const BYTES: u64 = 256 << 20;

/// Counts the manifests and bytes read of an image. Every manifest is visited once, by digest.
#[derive(Debug, Default)]
pub struct Walk {
    seen: HashSet<Digest>,
    bytes: u64,
}

/// The image exceeds a limit.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WalkError {
    /// Too many manifests.
    #[error("the image has more than {limit} manifests")]
    Manifests {
        /// The maximum number.
        limit: usize,
    },
    /// The manifests are too large in total.
    #[error("the manifests of the image have more than {limit} bytes")]
    Bytes {
        /// The maximum total size in bytes.
        limit: u64,
    },
    /// The indexes are nested too deeply.
    #[error("indexes lie in the image more than {limit} deep")]
    Depth {
        /// The maximum depth.
        limit: usize,
    },
}

impl Walk {
    /// Returns true the first time that a digest is seen.
    ///
    /// # Errors
    /// [`WalkError::Manifests`] if there are too many.
    pub fn is_new(&mut self, digest: &Digest) -> Result<bool, WalkError> {
        if self.seen.contains(digest) {
            return Ok(false);
        }
        if self.seen.len() == MANIFESTS {
            return Err(WalkError::Manifests { limit: MANIFESTS });
        }
        Ok(self.seen.insert(digest.clone()))
    }

    /// Adds the size of a manifest.
    ///
    /// # Errors
    /// [`WalkError::Bytes`] if the total is too large.
    pub fn count(&mut self, bytes: usize) -> Result<(), WalkError> {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        match self.bytes > BYTES {
            true => Err(WalkError::Bytes { limit: BYTES }),
            false => Ok(()),
        }
    }

    /// Rejects indexes that are nested too deeply.
    ///
    /// # Errors
    /// [`WalkError::Depth`].
    pub fn check_depth(depth: usize) -> Result<(), WalkError> {
        match depth > DEPTH {
            true => Err(WalkError::Depth { limit: DEPTH }),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_are_met_once_and_not_too_many() {
        let mut walk = Walk::default();
        let digest = |number: usize| Digest::sha256(number.to_string().as_bytes());
        for number in 0..MANIFESTS {
            assert!(walk.is_new(&digest(number)).unwrap());
            assert!(!walk.is_new(&digest(number)).unwrap());
        }
        assert!(!walk.is_new(&digest(0)).unwrap());
        let error = walk.is_new(&digest(MANIFESTS)).unwrap_err();
        assert_eq!(error, WalkError::Manifests { limit: MANIFESTS });
    }

    #[test]
    fn bytes_and_depth_are_limited() {
        let mut walk = Walk::default();
        walk.count(BYTES as usize).unwrap();
        assert_eq!(walk.count(1), Err(WalkError::Bytes { limit: BYTES }));
        assert_eq!(Walk::check_depth(DEPTH), Ok(()));
        assert!(Walk::check_depth(DEPTH + 1).is_err());
    }
}
