//! `rsadecrypt`: PKCS #1 v1.5 with a private key in PEM.

use num_bigint::BigUint;

use crate::files::Host;
use crate::value::Value;

use super::arguments::{Arguments, Fault};
use super::encoding::decode_base64;
use super::error::CallReason;

/// The longest modulus, in bits: larger ones take seconds.
const MAX_BITS: u64 = 4096;

/// Decrypts base64 text.
pub(super) fn decrypt(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let encrypted = decode_base64(args.text(0)?).ok_or(CallReason::Base64)?;
    let key = PrivateKey::read(args.text(1)?).ok_or(CallReason::PrivateKey)?;
    let plain = key.decrypt(&encrypted).ok_or(CallReason::Decrypt)?;
    let text = String::from_utf8(plain).map_err(|_| CallReason::NotUtf8)?;
    Ok(Value::string(text))
}

struct PrivateKey {
    modulus: BigUint,
    exponent: BigUint,
}

impl PrivateKey {
    /// Parses the first PEM block, a PKCS #1 key.
    fn read(pem: &str) -> Option<Self> {
        let (_, block) = pem.split_once("-----BEGIN ")?;
        let (kind, block) = block.split_once("-----")?;
        let (body, _) = block.split_once(&format!("-----END {kind}-----"))?;
        // A header such as `Proc-Type: 4,ENCRYPTED` means that the key has a password.
        if body.contains(':') {
            return None;
        }
        let body: String = body.split_ascii_whitespace().collect();
        let der = decode_base64(&body)?;
        let (sequence, _) = element(&der, 0x30)?;
        let (version, rest) = element(sequence, 0x02)?;
        let (modulus, rest) = element(rest, 0x02)?;
        let (_public_exponent, rest) = element(rest, 0x02)?;
        let (exponent, _) = element(rest, 0x02)?;
        let key = Self {
            modulus: BigUint::from_bytes_be(modulus),
            exponent: BigUint::from_bytes_be(exponent),
        };
        let bits = 512..=MAX_BITS;
        let sane = version == [0]
            && bits.contains(&key.modulus.bits())
            && key.exponent.bits() <= key.modulus.bits();
        sane.then_some(key)
    }

    /// Returns the message of `00 02 <at least 8 bytes that are not 0> 00 <message>`.
    fn decrypt(&self, encrypted: &[u8]) -> Option<Vec<u8>> {
        let length = usize::try_from(self.modulus.bits().div_ceil(8)).ok()?;
        if encrypted.len() > length {
            return None;
        }
        let number = BigUint::from_bytes_be(encrypted);
        if number >= self.modulus {
            return None;
        }
        let padded = number.modpow(&self.exponent, &self.modulus).to_bytes_be();
        let mut block = vec![0; length.checked_sub(padded.len())?];
        block.extend(padded);
        let body = block.strip_prefix(&[0, 2])?;
        let end = body
            .iter()
            .position(|byte| *byte == 0)
            .filter(|end| *end >= 8)?;
        Some(body[end + 1..].to_vec())
    }
}

/// Returns the content of the DER element with the given tag, and the rest.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            let length = bytes
                .iter()
                .fold(0usize, |length, byte| length << 8 | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    (found == tag)
        .then(|| rest.split_at_checked(length))
        .flatten()
}
