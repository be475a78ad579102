//! SSH signatures of git objects (OpenSSH's PROTOCOL.sshsig), verified with a key of the policy.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents, UnparsedPublicKey,
};
use sha2::{Digest as _, Sha256, Sha512};

use crate::signature::{Bytes, armor};

/// The namespace of git's signatures.
const NAMESPACE: &[u8] = b"git";

/// The reason a signature is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SshProblem {
    #[error("the signature cannot be read")]
    Malformed,
    #[error("the signature is not one for git")]
    Namespace,
    #[error("the file has no public SSH key")]
    NoKey,
    #[error("another key signed it")]
    OtherKey,
    #[error("the signature does not fit the object")]
    Wrong,
    /// The algorithm is not supported: the signature is neither valid nor invalid.
    #[error("SSH keys and hashes of this kind are not supported")]
    Unsupported,
}

/// Verifies that the first key of a file in the format of `authorized_keys` signed a git object.
pub(crate) fn verify(signed: &[u8], armored: &str, keys: &[u8]) -> Result<(), SshProblem> {
    let bytes = armor(armored, "SSH SIGNATURE").ok_or(SshProblem::Malformed)?;
    let signature = Signature::parse(&bytes).ok_or(SshProblem::Malformed)?;
    if signature.namespace != NAMESPACE {
        return Err(SshProblem::Namespace);
    }
    let key = first_key(keys).ok_or(SshProblem::NoKey)?;
    if key != signature.key {
        return Err(SshProblem::OtherKey);
    }
    let hash = match signature.hash {
        b"sha256" => Sha256::digest(signed).to_vec(),
        b"sha512" => Sha512::digest(signed).to_vec(),
        _ => return Err(SshProblem::Unsupported),
    };
    let mut message = b"SSHSIG".to_vec();
    for part in [NAMESPACE, signature.reserved, signature.hash, &hash] {
        let length = u32::try_from(part.len()).map_err(|_| SshProblem::Malformed)?;
        message.extend(length.to_be_bytes());
        message.extend(part);
    }
    check(&key, signature.value, &message)
}

/// The parts of a version 1 blob.
struct Signature<'a> {
    key: &'a [u8],
    namespace: &'a [u8],
    reserved: &'a [u8],
    hash: &'a [u8],
    value: &'a [u8],
}

impl<'a> Signature<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut blob = Bytes(bytes.strip_prefix(b"SSHSIG")?);
        if blob.number(4)? != 1 {
            return None;
        }
        let parsed = Self {
            key: blob.string()?,
            namespace: blob.string()?,
            reserved: blob.string()?,
            hash: blob.string()?,
            value: blob.string()?,
        };
        blob.0.is_empty().then_some(parsed)
    }
}

/// Returns the blob of the first key in a file. Options may come before it, a comment after it.
fn first_key(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text).ok()?;
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.into_iter().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.windows(2).find_map(|pair| {
            let blob = STANDARD.decode(pair[1]).ok()?;
            (Bytes(&blob).string()? == pair[0].as_bytes()).then_some(blob)
        })
    })
}

/// Checks the signature of a message (RFC 4253, 5656, 8332, 8709).
fn check(key: &[u8], value: &[u8], message: &[u8]) -> Result<(), SshProblem> {
    let (mut key, mut value) = (Bytes(key), Bytes(value));
    let read = |bytes: &mut Bytes<'_>| bytes.string().map(<[u8]>::to_vec);
    let malformed = SshProblem::Malformed;
    let kind = read(&mut key).ok_or(malformed)?;
    let algorithm = read(&mut value).ok_or(malformed)?;
    let signature = read(&mut value).ok_or(malformed)?;
    let verified = match (kind.as_slice(), algorithm.as_slice()) {
        (b"ssh-ed25519", b"ssh-ed25519") => {
            let point = read(&mut key).ok_or(malformed)?;
            UnparsedPublicKey::new(&ED25519, point).verify(message, &signature)
        }
        (b"ecdsa-sha2-nistp256", b"ecdsa-sha2-nistp256") => {
            let (point, fixed) = ecdsa(&mut key, &signature, 32).ok_or(malformed)?;
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, &fixed)
        }
        (b"ecdsa-sha2-nistp384", b"ecdsa-sha2-nistp384") => {
            let (point, fixed) = ecdsa(&mut key, &signature, 48).ok_or(malformed)?;
            UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(message, &fixed)
        }
        (b"ssh-rsa", b"rsa-sha2-256" | b"rsa-sha2-512") => {
            let e = key.string().map(without_zeros).ok_or(malformed)?;
            let n = key.string().map(without_zeros).ok_or(malformed)?;
            let hash = match algorithm.as_slice() {
                b"rsa-sha2-256" => &RSA_PKCS1_2048_8192_SHA256,
                _ => &RSA_PKCS1_2048_8192_SHA512,
            };
            RsaPublicKeyComponents { n, e }.verify(hash, message, &signature)
        }
        // A signature of another kind than its key is invalid; SHA-1 is not accepted.
        (b"ssh-ed25519" | b"ecdsa-sha2-nistp256" | b"ecdsa-sha2-nistp384" | b"ssh-rsa", _) => {
            return Err(SshProblem::Wrong);
        }
        _ => return Err(SshProblem::Unsupported),
    };
    verified.map_err(|_| SshProblem::Wrong)
}

/// Returns the key's point, and the two numbers of the signature in `width` bytes each.
fn ecdsa(key: &mut Bytes<'_>, signature: &[u8], width: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    let _curve = key.string()?;
    let point = key.string()?.to_vec();
    let mut numbers = Bytes(signature);
    let mut fixed = Vec::with_capacity(2 * width);
    for _ in ["r", "s"] {
        let number = without_zeros(numbers.string()?);
        let missing = width.checked_sub(number.len())?;
        fixed.extend(std::iter::repeat_n(0, missing));
        fixed.extend(number);
    }
    Some((point, fixed))
}

/// Returns a positive number without leading zeros.
fn without_zeros(number: &[u8]) -> &[u8] {
    let start = number.iter().position(|byte| *byte != 0);
    &number[start.unwrap_or(number.len())..]
}

#[cfg(test)]
mod tests;
