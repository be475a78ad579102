//! The metadata of git objects' signatures. Nothing is verified here.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::input::{PgpSignature, SshSignature};

/// Describes an armored signature; returns nothing if it is malformed.
pub(crate) fn describe(armored: &str) -> (Option<PgpSignature>, Option<SshSignature>) {
    let body = |kind| armor(armored, kind);
    (
        body("PGP SIGNATURE").and_then(|bytes| pgp(&bytes)),
        body("SSH SIGNATURE").and_then(|bytes| ssh(&bytes)),
    )
}

/// Returns the bytes between the first and last line of an armor (RFC 4880, section 6.2), without
/// its headers and checksum.
pub(crate) fn armor(text: &str, kind: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {kind}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {kind}-----"))?;
    let lines = body.lines().map(str::trim);
    let data = lines.filter(|line| !line.contains(": ") && !line.starts_with('='));
    STANDARD.decode(data.collect::<String>()).ok()
}

/// Parses a signature packet of version 4 or later (RFC 4880, sections 4.2 and 5.2.3).
fn pgp(bytes: &[u8]) -> Option<PgpSignature> {
    let mut packet = Bytes(bytes);
    let tag = packet.byte()?;
    let (kind, length) = match tag & 0xc0 {
        0xc0 => (tag & 0x3f, packet.new_length()?),
        0x80 => {
            let length = match tag & 3 {
                0 => packet.number(1)?,
                1 => packet.number(2)?,
                2 => packet.number(4)?,
                _ => packet.0.len(),
            };
            ((tag & 0x3c) >> 2, length)
        }
        _ => return None,
    };
    let mut body = Bytes(packet.take(length)?);
    let version = body.byte()?;
    if kind != 2 || version < 4 {
        return None;
    }
    // The type and the algorithms.
    body.take(3)?;
    let width = if version == 6 { 4 } else { 2 };
    let mut key_id = None;
    for _ in ["hashed", "unhashed"] {
        let length = body.number(width)?;
        key_id = key_id.or(issuer(Bytes(body.take(length)?)));
    }
    Some(PgpSignature {
        version: version.into(),
        key_id: key_id.unwrap_or_default(),
    })
}

/// Returns the key's id, from the subpackets for the issuer or the issuer's fingerprint.
fn issuer(mut subpackets: Bytes<'_>) -> Option<String> {
    let mut from_fingerprint = None;
    while !subpackets.0.is_empty() {
        let length = subpackets.new_length()?;
        let (kind, data) = subpackets.take(length)?.split_first()?;
        match (kind & 0x7f, data) {
            (16, id) if id.len() == 8 => return Some(hex(id)),
            (33, [4, fingerprint @ ..]) if fingerprint.len() == 20 => {
                from_fingerprint = Some(hex(&fingerprint[12..]));
            }
            (33, [5 | 6, fingerprint @ ..]) if fingerprint.len() == 32 => {
                from_fingerprint = Some(hex(&fingerprint[..8]));
            }
            _ => {}
        }
    }
    from_fingerprint
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
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
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
    fn new_length(&mut self) -> Option<usize> {
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
