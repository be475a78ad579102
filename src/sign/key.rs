//! Signing keys: ECDSA on the curve P-256, in PEM, optionally encrypted as by cosign.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};

use super::{Error, KeyError, sealed};

/// The label of an unencrypted key.
const PKCS8: &str = "PRIVATE KEY";
/// The label of keys in OpenSSL's older format.
const SEC1: &str = "EC PRIVATE KEY";
/// The label of a key that OpenSSL has encrypted.
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
/// The labels of keys that cosign has encrypted.
const SEALED: [&str; 2] = [
    "ENCRYPTED SIGSTORE PRIVATE KEY",
    "ENCRYPTED COSIGN PRIVATE KEY",
];

/// A private key.
pub struct SigningKey {
    pair: EcdsaKeyPair,
}

impl SigningKey {
    /// Reads a key: PKCS #8, or a file of `cosign generate-key-pair`, which needs the password.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn from_pem(text: &str, password: Option<&[u8]>) -> Result<Self, KeyError> {
        let (label, bytes) = block(text).ok_or(KeyError::NotAKey)?;
        if label == PKCS8 {
            return Self::from_pkcs8(&bytes);
        }
        if SEALED.contains(&label) {
            let password = password.ok_or(KeyError::NoPassword)?;
            return Self::from_pkcs8(&sealed::open(&bytes, password)?);
        }
        Err(match label {
            SEC1 => KeyError::Sec1,
            ENCRYPTED => KeyError::Encryption {
                what: "PKCS #8, which openssl pkcs8 -in FILE decrypts",
            },
            _ => KeyError::Algorithm,
        })
    }

    fn from_pkcs8(bytes: &[u8]) -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, bytes, &random);
        pair.map(|pair| Self { pair })
            .map_err(|_| KeyError::Algorithm)
    }

    /// Returns a signature in ASN.1.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signed = self.pair.sign(&SystemRandom::new(), message);
        let signed = signed.map_err(|_| Error::Sign)?;
        Ok(signed.as_ref().to_vec())
    }

    /// True if this key made the signature.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        let public = self.pair.public_key().as_ref();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public);
        public.verify(message, signature).is_ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// The label and the content of the first private key.
fn block(text: &str) -> Option<(&str, Vec<u8>)> {
    let mut rest = text;
    loop {
        let (_, after) = rest.split_once("-----BEGIN ")?;
        let (label, after) = after.split_once("-----")?;
        let (body, after) = after.split_once("-----END ")?;
        if label.ends_with(PKCS8) {
            let body: String = body.split_whitespace().collect();
            return Some((label, BASE64.decode(body).ok()?));
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWORD: &[u8] = b"correct horse";

    fn pkcs8() -> String {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let text = BASE64.encode(key.as_ref());
        format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
    }

    #[test]
    fn a_signature_is_of_this_key_and_this_message() {
        let (key, other) = (pkcs8(), pkcs8());
        let key = SigningKey::from_pem(&key, None).unwrap();
        let signature = key.sign(b"message").unwrap();
        assert!(key.has_signed(b"message", &signature));
        assert!(!key.has_signed(b"massage", &signature));
        let other = SigningKey::from_pem(&other, None).unwrap();
        assert!(!other.has_signed(b"message", &signature));
    }

    #[test]
    fn keys_that_cannot_be_used_say_why() {
        let error = |text: &str| SigningKey::from_pem(text, Some(PASSWORD)).unwrap_err();
        assert!(matches!(error("no key"), KeyError::NotAKey));
        let of = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        assert!(matches!(error(&of("EC PRIVATE KEY")), KeyError::Sec1));
        assert!(matches!(error(&of("PRIVATE KEY")), KeyError::Algorithm));
        assert!(matches!(error(&of("PUBLIC KEY")), KeyError::NotAKey));
        assert!(matches!(error(&of("RSA PRIVATE KEY")), KeyError::Algorithm));
        let other = error(&of("ENCRYPTED PRIVATE KEY"));
        assert!(matches!(other, KeyError::Encryption { what } if what.starts_with("PKCS #8")));
        assert!(matches!(
            SigningKey::from_pem(&of(SEALED[0]), None).unwrap_err(),
            KeyError::NoPassword
        ));
        let encryption = error(&of(SEALED[1]));
        assert!(matches!(encryption, KeyError::Encryption { .. }));
    }

    #[test]
    fn a_key_that_cosign_encrypted_is_opened_with_its_password() {
        let text = pkcs8();
        let (_, bytes) = block(&text).unwrap();
        let sealed = sealed::seal(&bytes, PASSWORD);
        let label = SEALED[0];
        let body = BASE64.encode(sealed);
        let text = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
        assert!(SigningKey::from_pem(&text, Some(PASSWORD)).is_ok());
        let wrong = SigningKey::from_pem(&text, Some(b"wrong")).unwrap_err();
        assert!(matches!(wrong, KeyError::WrongPassword));
    }
}
