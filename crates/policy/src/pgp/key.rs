//! Public keys of OpenPGP, and the check of a signature with one of them.

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::{PgpProblem, Signature};
use crate::signature::Bytes;

/// The curves' object identifiers.
const ED25519_CURVE: &[u8] = &[0x2b, 6, 1, 4, 1, 0xda, 0x47, 0x0f, 1];
const P256_CURVE: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384_CURVE: &[u8] = &[0x2b, 0x81, 4, 0, 0x22];

/// The accepted hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

/// The hash of a signature that is otherwise understood.
pub(super) fn hash_of(signature: &Signature<'_>) -> Result<Hash, PgpProblem> {
    if signature.version != 4 || !signature.is_understood() {
        return Err(PgpProblem::Unsupported);
    }
    match signature.hash {
        8 => Ok(Hash::Sha256),
        9 => Ok(Hash::Sha384),
        10 => Ok(Hash::Sha512),
        _ => Err(PgpProblem::Unsupported),
    }
}

/// A public key of version 4.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key<'a> {
    body: &'a [u8],
    /// The time that it was made, in seconds since 1970.
    pub(super) created: u32,
    algorithm: u8,
    /// The numbers of the key.
    material: &'a [u8],
}

impl<'a> Key<'a> {
    /// Parses the packet of a key or subkey.
    pub(super) fn parse(body: &'a [u8]) -> Option<Self> {
        let mut left = Bytes(body);
        if left.byte()? != 4 {
            return None;
        }
        let created = u32::try_from(left.number(4)?).ok()?;
        Some(Self {
            body,
            created,
            algorithm: left.byte()?,
            material: left.0,
        })
    }

    /// What a signature of the key hashes (section 5.2.4).
    pub(super) fn hashed(&self) -> Option<Vec<u8>> {
        let length = u16::try_from(self.body.len()).ok()?;
        let mut hashed = vec![0x99];
        hashed.extend(length.to_be_bytes());
        hashed.extend(self.body);
        Some(hashed)
    }

    /// The id: the end of the fingerprint.
    pub(super) fn id(&self) -> Option<[u8; 8]> {
        let fingerprint = sha1::Sha1::digest(self.hashed()?);
        fingerprint[12..].try_into().ok()
    }

    /// Checks that this key made a signature of some content, whose parts follow each other.
    pub(super) fn check(
        &self,
        signature: &Signature<'_>,
        hash: Hash,
        content: &[&[u8]],
    ) -> Result<(), PgpProblem> {
        let length = u32::try_from(signature.hashed.len()).map_err(|_| PgpProblem::Malformed)?;
        let mut message = content.concat();
        message.extend(signature.hashed);
        message.extend([4, 0xff]);
        message.extend(length.to_be_bytes());
        if self.algorithm != signature.algorithm {
            return Err(PgpProblem::Wrong);
        }
        let malformed = PgpProblem::Malformed;
        let mut numbers = Bytes(signature.rest);
        let _start_of_hash = numbers.take(2).ok_or(malformed)?;
        let mut key = Bytes(self.material);
        let verified = match self.algorithm {
            1 | 3 => {
                let n = number(&mut key).ok_or(malformed)?;
                let e = number(&mut key).ok_or(malformed)?;
                let value = number(&mut numbers).ok_or(malformed)?;
                // The signature is as long as the key.
                let value = padded(value, n.len()).ok_or(malformed)?;
                let parameters = match hash {
                    Hash::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
                    Hash::Sha384 => &RSA_PKCS1_2048_8192_SHA384,
                    Hash::Sha512 => &RSA_PKCS1_2048_8192_SHA512,
                };
                RsaPublicKeyComponents { n, e }.verify(parameters, &message, &value)
            }
            19 => {
                let curve = curve(&mut key).ok_or(malformed)?;
                let point = number(&mut key).ok_or(malformed)?;
                let (parameters, width) = match (curve, hash) {
                    (P256_CURVE, Hash::Sha256) => (&ECDSA_P256_SHA256_FIXED, 32),
                    (P384_CURVE, Hash::Sha384) => (&ECDSA_P384_SHA384_FIXED, 48),
                    _ => return Err(PgpProblem::Unsupported),
                };
                let value = pair(&mut numbers, width).ok_or(malformed)?;
                UnparsedPublicKey::new(parameters, point).verify(&message, &value)
            }
            22 => {
                if curve(&mut key).ok_or(malformed)? != ED25519_CURVE {
                    return Err(PgpProblem::Unsupported);
                }
                let point = number(&mut key).ok_or(malformed)?;
                let point = point.strip_prefix(&[0x40]).ok_or(malformed)?;
                let value = pair(&mut numbers, 32).ok_or(malformed)?;
                UnparsedPublicKey::new(&ED25519, point).verify(&hash.digest(&message), &value)
            }
            _ => return Err(PgpProblem::Unsupported),
        };
        verified.map_err(|_| PgpProblem::Wrong)
    }
}

impl Hash {
    fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }
}

/// Takes a number with its length in bits (section 3.2), without leading zeros.
fn number<'a>(bytes: &mut Bytes<'a>) -> Option<&'a [u8]> {
    let bits = bytes.number(2)?;
    let number = bytes.take(bits.div_ceil(8))?;
    let start = number.iter().position(|byte| *byte != 0)?;
    Some(&number[start..])
}

/// Takes a curve's object identifier.
fn curve<'a>(bytes: &mut Bytes<'a>) -> Option<&'a [u8]> {
    let length = bytes.number(1)?;
    bytes.take(length)
}

/// Takes two numbers, in `width` bytes each.
fn pair(bytes: &mut Bytes<'_>, width: usize) -> Option<Vec<u8>> {
    let first = padded(number(bytes)?, width)?;
    let second = padded(number(bytes)?, width)?;
    Some([first, second].concat())
}

fn padded(number: &[u8], width: usize) -> Option<Vec<u8>> {
    let mut padded = vec![0; width.checked_sub(number.len())?];
    padded.extend(number);
    Some(padded)
}
