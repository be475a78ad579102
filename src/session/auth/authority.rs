//! The token authority: a key pair that shows the daemon that two sessions have the same right to a
//! token, without revealing a secret.

use ring::hmac;
use ring::signature::{Ed25519KeyPair, KeyPair};

/// The key pair of one registry, derived like `session/auth/authprovider` of the reference: an
/// Ed25519 key. Its seed is the HMAC-SHA256 of our seed under the daemon's salt, or of nothing if
/// there are no credentials.
pub(super) struct Authority {
    pair: Ed25519KeyPair,
}

impl Authority {
    /// Derives the keys. Returns `None` only if a 32-byte digest were not a valid Ed25519 seed.
    pub(super) fn new(salt: &[u8], seed: &[u8]) -> Option<Self> {
        let digest = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt), seed);
        let pair = Ed25519KeyPair::from_seed_unchecked(digest.as_ref()).ok()?;
        Some(Self { pair })
    }

    /// Returns the public key, 32 bytes.
    pub(super) fn public_key(&self) -> Vec<u8> {
        self.pair.public_key().as_ref().to_vec()
    }

    /// Returns the 64-byte signature followed by the payload: NaCl's form of a signed message.
    pub(super) fn sign(&self, payload: &[u8]) -> Vec<u8> {
        let mut signed = self.pair.sign(payload).as_ref().to_vec();
        signed.extend_from_slice(payload);
        signed
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    #[test]
    fn the_same_salt_and_seed_make_the_same_authority() {
        let authority = Authority::new(b"salt", b"seed").unwrap();
        let again = Authority::new(b"salt", b"seed").unwrap();
        assert_eq!(authority.public_key(), again.public_key());
        for (salt, seed) in [(&b"other"[..], &b"seed"[..]), (b"salt", b"")] {
            assert_ne!(
                Authority::new(salt, seed).unwrap().public_key(),
                authority.public_key()
            );
        }
    }

    #[test]
    fn what_is_signed_can_be_verified() {
        let authority = Authority::new(b"salt", b"seed").unwrap();
        let signed = authority.sign(b"payload");
        let (signature, payload) = signed.split_at(64);
        assert_eq!(payload, b"payload");
        UnparsedPublicKey::new(&ED25519, authority.public_key())
            .verify(payload, signature)
            .unwrap();
    }
}
