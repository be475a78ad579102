//! OpenPGP signatures of git objects (RFC 4880, RFC 9580 for EdDSA), verified with the keys of a
//! policy.
//!
//! The rules are stricter than those of most programs: what is not understood is never accepted. A
//! key must be certified by itself, a subkey must be bound in both directions, SHA-1 is not
//! accepted anywhere, and a revocation counts even if it cannot be verified.

mod key;
mod keyring;
mod packet;

pub(crate) use self::packet::{Packet, Signature, packets};

use self::key::hash_of;
use crate::signature::{armor, armors};

/// How far a signer's clock may be ahead in seconds, as in BuildKit.
const CLOCK_DIFFERENCE: u64 = 5 * 60;

/// The reason a signature is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PgpProblem {
    #[error("the signature cannot be read")]
    Malformed,
    #[error("the signature does not name its key")]
    NoIssuer,
    #[error("the file has no public PGP key")]
    NoKey,
    #[error("the keys in the file cannot be read")]
    MalformedKey,
    #[error("another key signed it")]
    OtherKey,
    #[error("the key is revoked")]
    Revoked,
    #[error("the key was not valid yet or had expired when it signed")]
    NotValid,
    #[error("the key is not one for signatures, or its own signatures are missing or wrong")]
    NotForSigning,
    #[error("the signature is from the future")]
    Future,
    #[error("the signature does not fit the object")]
    Wrong,
    /// The algorithm is not supported: the signature is neither valid nor invalid.
    #[error("PGP keys and signatures of this kind are not supported")]
    Unsupported,
}

/// Verifies that a key in a file of armored public keys made a detached signature. `now` is the
/// time in seconds since 1970.
pub(crate) fn verify(
    signed: &[u8],
    armored: &str,
    keys: &[u8],
    now: u64,
) -> Result<(), PgpProblem> {
    let bytes = armor(armored, "PGP SIGNATURE").ok_or(PgpProblem::Malformed)?;
    let packets = packets(&bytes).ok_or(PgpProblem::Malformed)?;
    let first = packets
        .iter()
        .find(|packet| packet.kind == Packet::SIGNATURE);
    let signature = first.and_then(|packet| Signature::parse(packet.body));
    let signature = signature.ok_or(PgpProblem::Malformed)?;
    if signature.kind != Signature::BINARY {
        return Err(PgpProblem::Unsupported);
    }
    let hash = hash_of(&signature)?;
    let made = signature.created().ok_or(PgpProblem::Malformed)?;
    if u64::from(made) > now.saturating_add(CLOCK_DIFFERENCE) {
        return Err(PgpProblem::Future);
    }
    let issuer = signature.issuer().ok_or(PgpProblem::NoIssuer)?;
    let text = std::str::from_utf8(keys).map_err(|_| PgpProblem::NoKey)?;
    let blocks = armors(text, "PGP PUBLIC KEY BLOCK").ok_or(PgpProblem::MalformedKey)?;
    let key = keyring::signing_key(&blocks, issuer, made)?;
    key.check(&signature, hash, &[signed])
}

#[cfg(test)]
mod tests;
