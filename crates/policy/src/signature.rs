//! The metadata of git objects' signatures. Nothing is verified here.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::input::{PgpSignature, SshSignature};
use crate::pgp::{self, Packet, Signature};

/// Describes an armored signature; returns nothing if it is malformed.
pub(crate) fn describe(armored: &str) -> (Option<PgpSignature>, Option<SshSignature>) {
    let body = |kind| armor(armored, kind);
    (
        body("PGP SIGNATURE").and_then(|bytes| pgp(&bytes)),
        body("SSH SIGNATURE").and_then(|bytes| ssh(&bytes)),
    )
}

/// Returns the bytes of the first armor of a kind in a text (RFC 4880, section 6.2), without its
/// headers and checksum.
pub(crate) fn armor(text: &str, kind: &str) -> Option<Vec<u8>> {
    let (bytes, _) = next_armor(text, kind)?;
    bytes
}

/// Returns the bytes of all armors of a kind in a text; `None` if one is malformed.
pub(crate) fn armors(mut text: &str, kind: &str) -> Option<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    while let Some((bytes, rest)) = next_armor(text, kind) {
        found.push(bytes?);
        text = rest;
    }
    Some(found)
}

/// Returns the next armor's bytes, `None` if it is malformed, and the text after it.
fn next_armor<'t>(text: &'t str, kind: &str) -> Option<(Option<Vec<u8>>, &'t str)> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {kind}-----"))?;
    let Some((body, rest)) = rest.split_once(&format!("-----END {kind}-----")) else {
        return Some((None, ""));
    };
    let lines = body.lines().map(str::trim);
    let data = lines.filter(|line| !line.contains(": ") && !line.starts_with('='));
    Some((STANDARD.decode(data.collect::<String>()).ok(), rest))
}

/// Describes the first packet if it is a signature.
fn pgp(bytes: &[u8]) -> Option<PgpSignature> {
    let packets = pgp::packets(bytes)?;
    let first = packets.first()?;
    let signature = (first.kind == Packet::SIGNATURE).then(|| Signature::parse(first.body))??;
    Some(PgpSignature {
        version: signature.version.into(),
        key_id: signature.issuer().map(|id| hex(&id)).unwrap_or_default(),
    })
}

/// Parses a signature of `ssh-keygen -Y sign` (OpenSSH's PROTOCOL.sshsig).
fn ssh(bytes: &[u8]) -> Option<SshSignature> {
    let mut blob = Bytes(bytes.strip_prefix(b"SSHSIG")?);
    let version = blob.number(4)?;
    let length = blob.number(4)?;
    let fingerprint = STANDARD_NO_PAD.encode(Sha256::digest(blob.take(length)?));
    Some(SshSignature {
        version: u32::try_from(version).ok()?,
        pub_key: format!("SHA256:{fingerprint}"),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes that are consumed from the front.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|taken| taken[0])
    }

    /// Takes a big-endian number of at most four bytes.
    pub(crate) fn number(&mut self, width: usize) -> Option<usize> {
        let bytes = self.take(width)?;
        Some(
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
        )
    }

    /// Takes bytes with a length prefix, as in SSH's messages.
    pub(crate) fn string(&mut self) -> Option<&'a [u8]> {
        let length = self.number(4)?;
        self.take(length)
    }

    /// Takes a length of one, two or five bytes (RFC 4880, section 4.2.2).
    pub(crate) fn new_length(&mut self) -> Option<usize> {
        match self.number(1)? {
            short @ 0..=191 => Some(short),
            long @ 192..=223 => Some(((long - 192) << 8) + self.number(1)? + 192),
            255 => self.number(4),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by gpg with the key `930A54714F9169D5`.
    const PGP: &str = "-----BEGIN PGP SIGNATURE-----\n\n\
        iHUEABYIAB0WIQQPyiT1obYLunT9SaaTClRxT5Fp1QUCawtwPgAKCRCTClRxT5Fp\n\
        1cT2AQDuRaObzd471d7jot6QsyRt75Sq5fjH7SBOnpEHiUsqOQD9HE78CJwsnzU4\n\
        EcMha7log/XvgC492VkYWk58l+M1lww=\n=q9z9\n-----END PGP SIGNATURE-----\n";

    /// Made by ssh-keygen.
    const SSH: &str = "-----BEGIN SSH SIGNATURE-----\n\
        U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgfI7MTnTayxnFzKQex96EslOyMB\n\
        Sz+Py8Oqfl02fMfigAAAADZ2l0AAAAAAAAAAZzaGE1MTIAAABTAAAAC3NzaC1lZDI1NTE5\n\
        AAAAQNyHCgxhCbB44gFKibFy9vX+ASic89LOks4z1v0NPZ3NTkt89ttn863pM1OrV1wA6X\n\
        uc/XGvrGtOm8g+Q6qDuQY=\n-----END SSH SIGNATURE-----\n";

    #[test]
    fn a_pgp_signature_tells_its_version_and_key() {
        let (pgp, ssh) = describe(PGP);
        let expected = PgpSignature {
            version: 4,
            key_id: "930a54714f9169d5".to_owned(),
        };
        assert_eq!((pgp, ssh), (Some(expected), None));
    }

    #[test]
    fn an_ssh_signature_tells_its_version_and_key() {
        let (pgp, ssh) = describe(SSH);
        let expected = SshSignature {
            version: 1,
            pub_key: "SHA256:ajCdZv4tHCMhNfZax6A5zdZiQorj+NLEeapC7r2lDKw".to_owned(),
        };
        assert_eq!((pgp, ssh), (None, Some(expected)));
    }

    #[test]
    fn what_is_cut_off_or_no_signature_is_none() {
        assert_eq!(describe(""), (None, None));
        assert_eq!(describe("-----BEGIN PGP SIGNATURE-----"), (None, None));
        let bytes = armor(PGP, "PGP SIGNATURE").expect("an armor");
        for end in 0..bytes.len() {
            assert_eq!(pgp(&bytes[..end]), None, "{end}");
        }
        let bytes = armor(SSH, "SSH SIGNATURE").expect("an armor");
        for end in 0..65 {
            assert_eq!(ssh(&bytes[..end]), None, "{end}");
        }
    }
}
