//! Limits for walking through an image: indexes may hold indexes, and a hostile one holds itself a
//! thousand times over.

use std::collections::HashSet;

use thiserror::Error;

use crate::oci::Digest;

/// How deep indexes may lie in indexes; images have one or two levels.
pub const DEPTH: usize = 8;
/// How many manifests and indexes an image may have. The largest public ones have some hundred.
const MANIFESTS: usize = 4096;
/// How many bytes they may have in total.
const BYTES: u64 = 256 << 20;

/// What was seen of an image: every manifest is visited once, by its digest.
#[derive(Debug, Default)]
pub struct Walk {
    seen: HashSet<Digest>,
    bytes: u64,
}

/// An image is larger than any that is known.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WalkError {
    /// Too many manifests.
    #[error("the image has more than {limit} manifests")]
    Manifests {
        /// The most that an image may have.
        limit: usize,
    },
    /// Too many bytes of manifests.
    #[error("the manifests of the image have more than {limit} bytes")]
    Bytes {
        /// The most that they may have.
        limit: u64,
    },
    /// Indexes in indexes in indexes.
    #[error("indexes lie in the image more than {limit} deep")]
    Depth {
        /// The deepest that they may lie.
        limit: usize,
    },
}

impl Walk {
    /// True the first time that a manifest is met.
    ///
    /// # Errors
    /// [`WalkError::Manifests`] when there are too many.
    pub fn is_new(&mut self, digest: &Digest) -> Result<bool, WalkError> {
        if self.seen.contains(digest) {
            return Ok(false);
        }
        if self.seen.len() == MANIFESTS {
            return Err(WalkError::Manifests { limit: MANIFESTS });
        }
        Ok(self.seen.insert(digest.clone()))
    }

    /// Counts the bytes of a manifest that was read.
    ///
    /// # Errors
    /// [`WalkError::Bytes`] when there are too many in total.
    pub fn count(&mut self, bytes: usize) -> Result<(), WalkError> {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        match self.bytes > BYTES {
            true => Err(WalkError::Bytes { limit: BYTES }),
            false => Ok(()),
        }
    }

    /// Refuses what lies too deep.
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
