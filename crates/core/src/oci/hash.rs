//! Computes the digest of a stream of bytes, in the algorithm of a blob's digest.

use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::Digest;

/// A digest that is being computed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Hasher {
    /// SHA-256.
    Sha256(Sha256),
    /// SHA-384.
    Sha384(Box<Sha384>),
    /// SHA-512.
    Sha512(Box<Sha512>),
}

impl Hasher {
    /// Returns a hasher for an algorithm of [`Digest`].
    pub fn new(algorithm: &str) -> Self {
        match algorithm {
            "sha384" => Self::Sha384(Box::default()),
            "sha512" => Self::Sha512(Box::default()),
            _ => Self::Sha256(Sha256::new()),
        }
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha384(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
        }
    }

    /// Returns the digest of all bytes so far.
    pub fn digest(&self) -> Digest {
        match self {
            Self::Sha256(hash) => Digest::from_sha256(hash.clone().finalize().into()),
            Self::Sha384(hash) => Digest::from_hash("sha384", &hash.clone().finalize()),
            Self::Sha512(hash) => Digest::from_hash("sha512", &hash.clone().finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_gives_its_own_digest() {
        for (algorithm, start) in [
            ("sha256", "sha256:ba7816bf8f01cfea"),
            ("sha384", "sha384:cb00753f45a35e8b"),
            ("sha512", "sha512:ddaf35a193617aba"),
        ] {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(b"a");
            hasher.update(b"bc");
            let digest = hasher.digest();
            assert!(digest.as_str().starts_with(start), "{digest}");
            assert_eq!(Digest::parse(digest.as_str()), Ok(digest));
        }
    }
}
