//! Serves keys from files like an agent: the protocol's list and sign (draft-miller-ssh-agent).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use num_bigint::BigUint;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPairComponents, PublicKeyComponents};
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair};
use ssh_key::PrivateKey;
use ssh_key::private::{EcdsaKeypair, KeypairData, RsaKeypair};

use super::message;
use crate::files::read_at_most;

/// The largest key file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Private keys in memory. A build can sign with them, but they never leave this process.
pub(super) struct Keys {
    keys: Vec<Key>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|key| &key.path))
            .finish()
    }
}

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file could not be read.
    #[error(transparent)]
    Read(#[from] std::io::Error),
    /// The file is not a private key in a supported format.
    #[error(
        "it is not a private key in OpenSSH's format; ssh-keygen -p -f FILE writes an older one \
         anew"
    )]
    Format,
    /// The key needs a passphrase, but nobody can be asked for it.
    #[error("it has a passphrase: add it to an agent (ssh-add) and give the agent's socket")]
    Passphrase,
    /// The key's algorithm is not supported.
    #[error(
        "its algorithm {algorithm} is not supported: use Ed25519, ECDSA over P-256 or P-384, or \
         RSA of at least 2048 bits"
    )]
    Algorithm {
        /// The algorithm's OpenSSH name.
        algorithm: String,
    },
}

struct Key {
    path: PathBuf,
    /// The public key in the protocol's encoding.
    public: Vec<u8>,
    pair: Pair,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    Ecdsa {
        /// The name of the signature algorithm, for example `ecdsa-sha2-nistp256`.
        name: String,
        pair: EcdsaKeyPair,
    },
    Rsa(Box<RsaKeyPair>),
}

impl Keys {
    pub(super) fn read(paths: &[PathBuf]) -> Result<Self, (PathBuf, KeyError)> {
        let read = |path: &PathBuf| Key::read(path).map_err(|error| (path.clone(), error));
        let keys = paths.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { keys })
    }

    /// Answers a message; both include their length prefix. An unknown request gets a failure.
    pub(super) fn answer(&self, request: &[u8]) -> Bytes {
        let answer = match request.get(4) {
            Some(&message::REQUEST_IDENTITIES) => Some(self.identities()),
            Some(&message::SIGN_REQUEST) => self.signature(&request[5..]),
            _ => None,
        };
        let answer = answer.unwrap_or_else(|| vec![message::FAILURE]);
        let mut framed = BytesMut::with_capacity(4 + answer.len());
        put_string(&mut framed, &answer);
        framed.freeze()
    }

    fn identities(&self) -> Vec<u8> {
        let mut answer = vec![message::IDENTITIES];
        answer.put_u32(u32::try_from(self.keys.len()).unwrap_or_default());
        for key in &self.keys {
            put_string(&mut answer, &key.public);
            // Like the reference, send no comment: it would reveal the key's path on this machine.
            put_string(&mut answer, b"");
        }
        answer
    }

    fn signature(&self, mut request: &[u8]) -> Option<Vec<u8>> {
        let public = take_string(&mut request)?;
        let data = take_string(&mut request)?;
        let flags = request.try_get_u32().ok()?;
        let key = self.keys.iter().find(|key| key.public == public)?;
        let (name, blob) = key.pair.sign(data, flags)?;
        let mut signature = Vec::new();
        put_string(&mut signature, name.as_bytes());
        put_string(&mut signature, &blob);
        let mut answer = vec![message::SIGNATURE];
        put_string(&mut answer, &signature);
        Some(answer)
    }
}

impl Key {
    fn read(path: &Path) -> Result<Self, KeyError> {
        let text = match read_at_most(path, MAX_FILE) {
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                return Err(KeyError::Format);
            }
            read => read?,
        };
        let key = PrivateKey::from_openssh(&text).map_err(|_| {
            let encrypted = String::from_utf8_lossy(&text).contains("ENCRYPTED");
            if encrypted {
                KeyError::Passphrase
            } else {
                KeyError::Format
            }
        })?;
        if key.is_encrypted() {
            return Err(KeyError::Passphrase);
        }
        Ok(Self {
            path: path.to_owned(),
            public: key.public_key().to_bytes().map_err(|_| KeyError::Format)?,
            pair: Pair::of(&key)?,
        })
    }
}

impl Pair {
    fn of(key: &PrivateKey) -> Result<Self, KeyError> {
        let unsupported = || KeyError::Algorithm {
            algorithm: key.algorithm().to_string(),
        };
        match key.key_data() {
            KeypairData::Ed25519(pair) => Ed25519KeyPair::from_seed_and_public_key(
                pair.private.as_ref(),
                pair.public.as_ref(),
            )
            .map(Self::Ed25519)
            .map_err(|_| KeyError::Format),
            KeypairData::Ecdsa(pair) => {
                let algorithm = match pair {
                    EcdsaKeypair::NistP256 { .. } => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
                    EcdsaKeypair::NistP384 { .. } => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
                    EcdsaKeypair::NistP521 { .. } => return Err(unsupported()),
                };
                let made = EcdsaKeyPair::from_private_key_and_public_key(
                    algorithm,
                    pair.private_key_bytes(),
                    pair.public_key_bytes(),
                    &SystemRandom::new(),
                );
                Ok(Self::Ecdsa {
                    name: key.algorithm().to_string(),
                    pair: made.map_err(|_| KeyError::Format)?,
                })
            }
            KeypairData::Rsa(pair) => rsa(pair)
                .map(|pair| Self::Rsa(Box::new(pair)))
                .ok_or_else(unsupported),
            _ => Err(unsupported()),
        }
    }

    /// Returns the signature algorithm's name and the signature.
    fn sign(&self, data: &[u8], flags: u32) -> Option<(&str, Vec<u8>)> {
        match self {
            Self::Ed25519(pair) => Some(("ssh-ed25519", pair.sign(data).as_ref().to_vec())),
            Self::Ecdsa { name, pair } => {
                let signature = pair.sign(&SystemRandom::new(), data).ok()?;
                let (r, s) = signature
                    .as_ref()
                    .split_at_checked(signature.as_ref().len() / 2)?;
                let mut blob = Vec::new();
                put_positive(&mut blob, r);
                put_positive(&mut blob, s);
                Some((name, blob))
            }
            Self::Rsa(pair) => {
                // Without a flag the request means SHA-1, which servers no longer accept and this
                // agent does not support.
                let (name, padding): (_, &dyn signature::RsaEncoding) =
                    match flags & message::RSA_SHA2_256 {
                        0 => ("rsa-sha2-512", &signature::RSA_PKCS1_SHA512),
                        _ => ("rsa-sha2-256", &signature::RSA_PKCS1_SHA256),
                    };
                let mut blob = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &SystemRandom::new(), data, &mut blob)
                    .ok()?;
                Some((name, blob))
            }
        }
    }
}

/// OpenSSH's files omit two CRT exponents, which are computed here.
fn rsa(pair: &RsaKeypair) -> Option<RsaKeyPair> {
    let private = &pair.private;
    let [n, e, d, p, q, q_inverse] = [
        &pair.public.n,
        &pair.public.e,
        &private.d,
        &private.p,
        &private.q,
        &private.iqmp,
    ]
    .map(ssh_key::Mpint::as_positive_bytes);
    let (n, e, d, p, q, q_inverse) = (n?, e?, d?, p?, q?, q_inverse?);
    let exponent = BigUint::from_bytes_be(d);
    let remainder = |prime: &[u8]| {
        let prime = BigUint::from_bytes_be(prime);
        (prime > BigUint::from(2_u8)).then(|| (&exponent % (prime - 1_u8)).to_bytes_be())
    };
    let (d_p, d_q) = (remainder(p)?, remainder(q)?);
    RsaKeyPair::from_components(&KeyPairComponents {
        public_key: PublicKeyComponents { n, e },
        d,
        p,
        q,
        dP: &d_p,
        dQ: &d_q,
        qInv: q_inverse,
    })
    .ok()
}

/// Appends a `string` (RFC 4251): its length in four bytes, then the bytes.
fn put_string(buffer: &mut impl BufMut, bytes: &[u8]) {
    buffer.put_u32(u32::try_from(bytes.len()).unwrap_or_default());
    buffer.put_slice(bytes);
}

fn take_string<'b>(buffer: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(buffer.try_get_u32().ok()?).ok()?;
    let (string, rest) = buffer.split_at_checked(length)?;
    *buffer = rest;
    Some(string)
}

/// Appends a positive `mpint` (RFC 4251): no leading zeros, except one before a set high bit.
fn put_positive(buffer: &mut Vec<u8>, bytes: &[u8]) {
    let first = bytes
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(bytes.len());
    let mut number = Vec::with_capacity(bytes.len() + 1);
    if bytes.get(first).is_some_and(|byte| byte & 0x80 != 0) {
        number.push(0);
    }
    number.extend_from_slice(&bytes[first..]);
    put_string(buffer, &number);
}

#[cfg(test)]
mod tests;
