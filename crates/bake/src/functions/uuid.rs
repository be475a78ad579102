//! UUIDs of version 4 (random) and 5 (from a name).

use sha1::{Digest, Sha1};

use crate::files::Host;
use crate::value::Value;

use super::arguments::{Arguments, Fault};
use super::error::CallReason;
use super::{Definition, function, text};

/// The namespaces of RFC 9562; they differ in their fourth byte.
const NAMESPACE: [u8; 16] = [
    0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8,
];

pub(super) const FUNCTIONS: &[Definition] = &[
    function("uuidv4", &[], |_, host| {
        let mut bytes = [0; 16];
        host.fill_random(&mut bytes);
        Ok(Value::string(format(bytes, 4)))
    }),
    function("uuidv5", &[text("namespace"), text("name")], version_5),
];

fn version_5(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let namespace = match args.text(0)? {
        "dns" => named(0x10),
        "url" => named(0x11),
        "oid" => named(0x12),
        "x500" => named(0x14),
        uuid => parse(uuid).ok_or(CallReason::Namespace)?,
    };
    let hash = Sha1::new()
        .chain_update(namespace)
        .chain_update(args.text(1)?)
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Ok(Value::string(format(bytes, 5)))
}

fn named(fourth: u8) -> [u8; 16] {
    let mut namespace = NAMESPACE;
    namespace[3] = fourth;
    namespace
}

/// Parses the usual form, `urn:uuid:…`, `{…}`, or 32 digits.
fn parse(text: &str) -> Option<[u8; 16]> {
    let dashed = match text.len() {
        36 => Some(text),
        38 => text.get(1..37),
        45 => {
            let (urn, uuid) = text.split_at_checked(9)?;
            urn.eq_ignore_ascii_case("urn:uuid:").then_some(uuid)
        }
        32 => return digits(text),
        _ => None,
    }?;
    let dashes: Vec<usize> = dashed.match_indices('-').map(|(at, _)| at).collect();
    (dashes == [8, 13, 18, 23])
        .then(|| digits(&dashed.replace('-', "")))
        .flatten()
}

fn digits(text: &str) -> Option<[u8; 16]> {
    let valid = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let number = u128::from_str_radix(text, 16).ok()?;
    valid.then(|| number.to_be_bytes())
}

fn format(mut bytes: [u8; 16], version: u8) -> String {
    bytes[6] = bytes[6] & 0x0f | version << 4;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}
