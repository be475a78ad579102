//! Errors of signing.

use std::process::ExitStatus;

use crate::registry::{self, FailureKind};

/// Why an image could not be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The program cannot be started.
    #[error("cannot run {program}")]
    Start {
        /// The program.
        program: String,
        /// The reason.
        source: std::io::Error,
    },
    /// The program failed.
    #[error("{program} failed ({status}){}", after_colon(last_line))]
    Failed {
        /// The program.
        program: String,
        /// The image, by its digest.
        image: String,
        /// Its exit status.
        status: ExitStatus,
        /// The last line of its output; empty if there was none.
        last_line: String,
    },
    /// The image cannot be read.
    #[error("cannot read {image}")]
    Read {
        /// The image, by its digest.
        image: String,
        /// The reason.
        source: Box<registry::Error>,
    },
    /// The signature could not be stored beside the image.
    #[error("cannot store the signature of {image}")]
    Store {
        /// The image, by its digest.
        image: String,
        /// The reason.
        source: Box<registry::Error>,
    },
    /// The signature's tag belongs to something other than a signature manifest, so nothing is
    /// added.
    #[error("{tag} is there, and is not a manifest of signatures")]
    Foreign {
        /// The tag.
        tag: String,
    },
    /// The system has no random numbers, or the key cannot sign.
    #[error("cannot sign with this key")]
    Sign,
}

impl Error {
    /// Returns the kind of a registry's failure.
    pub fn kind(&self) -> Option<FailureKind> {
        match self {
            Self::Read { source, .. } | Self::Store { source, .. } => source.kind(),
            _ => None,
        }
    }
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text has no private key in it.
    #[error("it is not a private key in PEM")]
    NotAKey,
    /// The key has OpenSSL's older format.
    #[error("it is an EC PRIVATE KEY, and PKCS #8 is needed")]
    Sec1,
    /// The key is not an ECDSA key on the curve P-256.
    #[error("it is not a key of ECDSA on the curve P-256 in PKCS #8")]
    Algorithm,
    /// The key is encrypted, and no password is given.
    #[error("it is encrypted, and no password is given")]
    NoPassword,
    /// The password is wrong.
    #[error("the password is wrong")]
    WrongPassword,
    /// The key is encrypted in a different way than by cosign.
    #[error("it is encrypted in a way that is not supported: {what}")]
    Encryption {
        /// The part that is unknown or exceeds a limit.
        what: &'static str,
    },
}

fn after_colon(line: &str) -> String {
    match line.is_empty() {
        true => String::new(),
        false => format!(": {line}"),
    }
}
