//! Verifies bytes against a digest before they are used.

use futures_util::{TryStreamExt as _, stream};

use super::Error;
use super::download::BlobStream;
use crate::oci::{Descriptor, Digest, Hasher};

/// Returns an error if the bytes do not have the expected digest.
pub fn check(of: &str, expected: &Digest, bytes: &[u8]) -> Result<(), Error> {
    let mut hasher = Hasher::new(expected.algorithm());
    hasher.update(bytes);
    let actual = hasher.digest();
    if actual == *expected {
        return Ok(());
    }
    Err(Error::DigestMismatch {
        of: of.to_owned(),
        expected: expected.clone(),
        actual,
    })
}

/// The size and hash of a blob's bytes so far.
struct Seen {
    bytes: BlobStream,
    hasher: Hasher,
    size: u64,
    descriptor: Descriptor,
    of: String,
}

/// Passes the bytes through, but returns an error in place of the last ones if the size or digest
/// is wrong. `of` names the blob for messages.
pub(super) fn verified(bytes: BlobStream, descriptor: &Descriptor, of: String) -> BlobStream {
    let seen = Seen {
        bytes,
        hasher: Hasher::new(descriptor.digest.algorithm()),
        size: 0,
        descriptor: descriptor.clone(),
        of,
    };
    Box::pin(stream::try_unfold(seen, |mut seen| async move {
        match seen.bytes.try_next().await? {
            Some(piece) => {
                seen.hasher.update(&piece);
                seen.size += piece.len() as u64;
                if seen.size >= seen.descriptor.size {
                    seen.check()?;
                }
                Ok(Some((piece, seen)))
            }
            None => {
                seen.check()?;
                Ok(None)
            }
        }
    }))
}

impl Seen {
    fn check(&self) -> Result<(), Error> {
        if self.size != self.descriptor.size {
            return Err(Error::SizeMismatch {
                of: self.of.clone(),
                expected: self.descriptor.size,
                actual: self.size,
            });
        }
        let actual = self.hasher.digest();
        match actual == self.descriptor.digest {
            true => Ok(()),
            false => Err(Error::DigestMismatch {
                of: self.of.clone(),
                expected: self.descriptor.digest.clone(),
                actual,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    async fn through(pieces: &[&'static str], text: &str) -> Result<String, String> {
        let descriptor = Descriptor::of("a/b", text.as_bytes());
        let pieces: Vec<Result<Bytes, Error>> = pieces
            .iter()
            .map(|piece| Ok(Bytes::from_static(piece.as_bytes())))
            .collect();
        let stream = verified(Box::pin(stream::iter(pieces)), &descriptor, "r/x".into());
        let all: Result<Vec<Bytes>, Error> = stream.try_collect().await;
        all.map(|pieces| String::from_utf8(pieces.concat()).unwrap())
            .map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn good_bytes_pass_and_others_do_not() {
        assert_eq!(through(&["ab", "c"], "abc").await.unwrap(), "abc");
        assert_eq!(through(&[], "").await.unwrap(), "");
        let error = through(&["ab", "d"], "abc").await.unwrap_err();
        assert!(error.contains(Digest::sha256(b"abc").as_str()), "{error}");
        assert!(error.contains(Digest::sha256(b"abd").as_str()), "{error}");
        let error = through(&["ab"], "abc").await.unwrap_err();
        assert!(error.contains("2 bytes") && error.contains('3'), "{error}");
        assert!(through(&["abc", "d"], "abc").await.is_err());
    }
}
