//! Content digests: `algorithm:hex`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::Error;

/// A content digest such as `sha256:…`, validated like go-digest: sha256, sha384 or sha512,
/// lower-case hexadecimal of the full length.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

impl Digest {
    /// Returns the sha256 digest of `bytes`.
    pub fn sha256(bytes: &[u8]) -> Self {
        Self::from_sha256(Sha256::digest(bytes).into())
    }

    /// Returns the digest with the sha256 value `hash`.
    pub fn from_sha256(hash: [u8; 32]) -> Self {
        Self::from_hash("sha256", &hash)
    }

    /// Returns the digest of a known algorithm with the value `hash`, which has the algorithm's
    /// length.
    pub fn from_hash(algorithm: &str, hash: &[u8]) -> Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(algorithm.len() + 1 + 2 * hash.len());
        text.push_str(algorithm);
        text.push(':');
        for byte in hash {
            text.push(char::from(HEX[usize::from(byte >> 4)]));
            text.push(char::from(HEX[usize::from(byte & 15)]));
        }
        Self(text)
    }

    /// Parses `algorithm:hex`.
    ///
    /// # Errors
    /// [`Error::Digest`] if the algorithm is unknown or the value is not lower-case hexadecimal of
    /// its length.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |reason| Error::Digest {
            input: text.to_owned(),
            reason,
        };
        let (algorithm, hex) = text
            .split_once(':')
            .ok_or_else(|| invalid("expected algorithm:hex"))?;
        let length = match algorithm {
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ => return Err(invalid("the algorithm is not sha256, sha384 or sha512")),
        };
        if hex.len() != length {
            return Err(invalid("the value does not have the algorithm's length"));
        }
        if !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(invalid("the value is not lower-case hexadecimal"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the algorithm, for example `sha256`.
    pub fn algorithm(&self) -> &str {
        self.0
            .split_once(':')
            .map_or("", |(algorithm, _)| algorithm)
    }

    /// Returns the hexadecimal value.
    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, hex)| hex)
    }

    /// Returns `algorithm:hex`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Digest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_of_nothing_is_the_known_value() {
        let digest = Digest::sha256(b"");
        assert_eq!(
            digest.as_str(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(Digest::parse(digest.as_str()), Ok(digest));
    }

    #[test]
    fn upper_case_short_and_unknown_digests_are_rejected() {
        for text in [
            "",
            "sha256:",
            "sha256:ABC",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            "e3b0",
        ] {
            assert!(Digest::parse(text).is_err(), "{text}");
        }
        let upper = format!("sha256:{}", "A".repeat(64));
        assert!(Digest::parse(&upper).is_err());
    }
}
