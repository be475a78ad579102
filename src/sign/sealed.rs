//! The encryption of cosign's keys: a JSON document with scrypt and NaCl's secretbox, as
//! `go-securesystemslib/encrypted` writes it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use crypto_secretbox::aead::{Aead as _, KeyInit as _};
use crypto_secretbox::{Nonce, XSalsa20Poly1305};
use serde::Deserialize;

use super::KeyError;

/// The memory limit of scrypt, in bytes. cosign's keys need 64 MiB.
const MEMORY: u64 = 512 << 20;

#[derive(Deserialize)]
struct Document {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Kdf {
    name: String,
    params: Rounds,
    salt: String,
}

#[derive(Deserialize)]
struct Rounds {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

/// Decrypts a document.
pub(super) fn open(bytes: &[u8], password: &[u8]) -> Result<Vec<u8>, KeyError> {
    let unknown = |what: &'static str| KeyError::Encryption { what };
    let document: Document = serde_json::from_slice(bytes).map_err(|_| unknown("its document"))?;
    if document.kdf.name != "scrypt" {
        return Err(unknown("its key derivation"));
    }
    if document.cipher.name != "nacl/secretbox" {
        return Err(unknown("its cipher"));
    }
    let decode = |text: &str| BASE64.decode(text).map_err(|_| unknown("its encoding"));
    let salt = decode(&document.kdf.salt)?;
    let nonce = decode(&document.cipher.nonce)?;
    let nonce: [u8; 24] = nonce.try_into().map_err(|_| unknown("its nonce"))?;
    let key = derive(&document.kdf.params, &salt, password)?;
    let cipher = XSalsa20Poly1305::new(&key.into());
    let opened = cipher.decrypt(
        &Nonce::from(nonce),
        decode(&document.ciphertext)?.as_slice(),
    );
    opened.map_err(|_| KeyError::WrongPassword)
}

fn derive(rounds: &Rounds, salt: &[u8], password: &[u8]) -> Result<[u8; 32], KeyError> {
    let limit = KeyError::Encryption {
        what: "its rounds of scrypt",
    };
    let memory = rounds
        .n
        .saturating_mul(u64::from(rounds.r).saturating_mul(128));
    if !rounds.n.is_power_of_two() || rounds.n < 2 || memory > MEMORY || rounds.p > 16 {
        return Err(limit);
    }
    // A power of two below 2^64 has fewer than 64 zeros.
    let log_n = rounds.n.trailing_zeros() as u8;
    let mut key = [0; 32];
    let Ok(params) = scrypt::Params::new(log_n, rounds.r, rounds.p, key.len()) else {
        return Err(limit);
    };
    match scrypt::scrypt(password, salt, &params, &mut key) {
        Ok(()) => Ok(key),
        Err(_) => Err(limit),
    }
}

/// Encrypts as cosign does, with fewer rounds.
#[cfg(test)]
pub(super) fn seal(plain: &[u8], password: &[u8]) -> Vec<u8> {
    let rounds = Rounds { n: 16, r: 8, p: 1 };
    let key = derive(&rounds, b"salt", password).unwrap();
    let nonce = [7; 24];
    let sealed = XSalsa20Poly1305::new(&key.into())
        .encrypt(&Nonce::from(nonce), plain)
        .unwrap();
    serde_json::to_vec(&serde_json::json!({
        "kdf": {
            "name": "scrypt",
            "params": { "N": 16, "r": 8, "p": 1 },
            "salt": BASE64.encode(b"salt")
        },
        "cipher": { "name": "nacl/secretbox", "nonce": BASE64.encode(nonce) },
        "ciphertext": BASE64.encode(sealed)
    }))
    .unwrap()
}
