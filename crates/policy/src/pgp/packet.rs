//! The packets of OpenPGP (RFC 4880, sections 4.2, 5.2.3 and 5.5.2).

use crate::signature::Bytes;

/// A packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Packet<'a> {
    /// The packet's tag.
    pub(crate) kind: u8,
    pub(crate) body: &'a [u8],
}

impl Packet<'_> {
    pub(crate) const SIGNATURE: u8 = 2;
    pub(super) const KEY: u8 = 6;
    pub(super) const USER: u8 = 13;
    pub(super) const SUBKEY: u8 = 14;
    pub(super) const USER_ATTRIBUTE: u8 = 17;
}

/// Splits a stream into its packets; `None` if it is malformed or has a part without a length,
/// which keys and signatures do not have.
pub(crate) fn packets(bytes: &[u8]) -> Option<Vec<Packet<'_>>> {
    let mut left = Bytes(bytes);
    let mut found = Vec::new();
    while !left.0.is_empty() {
        let tag = left.byte()?;
        let (kind, length) = match tag & 0xc0 {
            0xc0 => (tag & 0x3f, left.new_length()?),
            0x80 => {
                let length = match tag & 3 {
                    0 => left.number(1)?,
                    1 => left.number(2)?,
                    2 => left.number(4)?,
                    _ => left.0.len(),
                };
                ((tag & 0x3c) >> 2, length)
            }
            _ => return None,
        };
        found.push(Packet {
            kind,
            body: left.take(length)?,
        });
    }
    Some(found)
}

/// A signature packet.
#[derive(Debug)]
pub(crate) struct Signature<'a> {
    pub(crate) version: u8,
    /// The type of the signature.
    pub(super) kind: u8,
    /// The algorithm of the key.
    pub(super) algorithm: u8,
    /// The algorithm of the hash.
    pub(super) hash: u8,
    /// What is hashed after the signed content: the packet's start with its hashed subpackets.
    pub(super) hashed: &'a [u8],
    subpackets: Vec<Subpacket<'a>>,
    /// The first two bytes of the hash, and the numbers of the signature.
    pub(super) rest: &'a [u8],
}

#[derive(Debug)]
struct Subpacket<'a> {
    kind: u8,
    is_critical: bool,
    /// True if the signature covers it.
    is_hashed: bool,
    data: &'a [u8],
}

impl<'a> Signature<'a> {
    /// Of a document's bytes as they are.
    pub(super) const BINARY: u8 = 0x00;
    /// Of a user name by its key: from generic to verified in person.
    pub(super) const CERTIFICATIONS: std::ops::RangeInclusive<u8> = 0x10..=0x13;
    /// Of a subkey by its key.
    pub(super) const SUBKEY_BINDING: u8 = 0x18;
    /// Of a key by its subkey.
    pub(super) const KEY_BINDING: u8 = 0x19;
    /// Of a key by itself.
    pub(super) const DIRECT: u8 = 0x1f;
    pub(super) const REVOCATION: u8 = 0x20;
    pub(super) const SUBKEY_REVOCATION: u8 = 0x28;

    /// Parses a packet of version 4 or later.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut body = Bytes(bytes);
        let version = body.byte()?;
        if version < 4 {
            return None;
        }
        let (kind, algorithm, hash) = (body.byte()?, body.byte()?, body.byte()?);
        let width = if version == 6 { 4 } else { 2 };
        let mut subpackets = Vec::new();
        let mut hashed = bytes;
        for is_hashed in [true, false] {
            let length = body.number(width)?;
            let mut part = Bytes(body.take(length)?);
            if is_hashed {
                hashed = &bytes[..bytes.len() - body.0.len()];
            }
            while !part.0.is_empty() {
                let length = part.new_length()?;
                let (kind, data) = part.take(length)?.split_first()?;
                subpackets.push(Subpacket {
                    kind: kind & 0x7f,
                    is_critical: kind & 0x80 != 0,
                    is_hashed,
                    data,
                });
            }
        }
        Some(Self {
            version,
            kind,
            algorithm,
            hash,
            hashed,
            subpackets,
            rest: body.0,
        })
    }

    /// The id of the key that made it, by its own words.
    pub(crate) fn issuer(&self) -> Option<[u8; 8]> {
        let named = self.subpackets.iter().find(|it| it.kind == 16);
        let id = named.and_then(|it| it.data.try_into().ok());
        let fingerprints = self.subpackets.iter().filter(|it| it.kind == 33);
        let mut from_fingerprint = fingerprints.filter_map(|it| match it.data {
            [4, fingerprint @ ..] if fingerprint.len() == 20 => fingerprint[12..].try_into().ok(),
            [5 | 6, fingerprint @ ..] if fingerprint.len() == 32 => {
                fingerprint[..8].try_into().ok()
            }
            _ => None,
        });
        id.or_else(|| from_fingerprint.next())
    }

    /// The time that it was made, in seconds since 1970.
    pub(super) fn created(&self) -> Option<u32> {
        self.seconds(2)
    }

    /// The life of the key in seconds, from its creation; `None` if it does not end.
    pub(super) fn key_life(&self) -> Option<u32> {
        self.seconds(9).filter(|seconds| *seconds > 0)
    }

    /// True if the key may sign documents. Without the subpacket the key may do what it can.
    pub(super) fn may_sign(&self) -> bool {
        let flags = self.hashed_data(27).map(|flags| flags.first().copied());
        flags.is_none_or(|first| first.unwrap_or_default() & 2 != 0)
    }

    /// The signature inside, of the subkey.
    pub(super) fn embedded(&self) -> Option<&'a [u8]> {
        let mut found = self.subpackets.iter().filter(|it| it.kind == 32);
        found.next().map(|it| it.data)
    }

    /// True if everything that the signer calls critical is understood here. A time when the
    /// signature ends (3) is not.
    pub(super) fn is_understood(&self) -> bool {
        // Times, preferences, issuer, flags, reason of a revocation and embedded signature.
        let known = [2, 9, 11, 16, 21, 22, 23, 25, 26, 27, 28, 29, 30, 32, 33, 34];
        let mut all = self.subpackets.iter().filter(|it| it.is_hashed);
        all.all(|it| known.contains(&it.kind) || !(it.is_critical || it.kind == 3))
    }

    fn seconds(&self, kind: u8) -> Option<u32> {
        let data = self.hashed_data(kind)?.try_into().ok()?;
        Some(u32::from_be_bytes(data))
    }

    fn hashed_data(&self, kind: u8) -> Option<&'a [u8]> {
        let mut hashed = self.subpackets.iter().filter(|it| it.is_hashed);
        hashed.find(|it| it.kind == kind).map(|it| it.data)
    }
}
