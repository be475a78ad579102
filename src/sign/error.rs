//! Why something is not signed.

use std::process::ExitStatus;

use crate::registry::{self, FailureKind};

/// Why an image is not signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The program that signs cannot be started.
    #[error("cannot run {program}")]
    Start {
        /// The program.
        program: String,
        /// The reason.
        source: std::io::Error,
    },
    /// The program that signs failed.
    #[error("{program} failed for {image} ({status}){}", after_colon(last_line))]
    Failed {
        /// The program.
        program: String,
        /// The image, by its digest.
        image: String,
        /// How it ended.
        status: ExitStatus,
        /// The last line that it printed; empty if there was none.
        last_line: String,
    },
    /// The image that is to be signed cannot be read.
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
    /// What has the signature's tag is not a manifest, so nothing is added to it.
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
    /// The kind of a failure at a registry.
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
    /// The key has the older form of OpenSSL.
    #[error("it is an EC PRIVATE KEY, and PKCS #8 is needed")]
    Sec1,
    /// The key is not of ECDSA on the curve P-256.
    #[error("it is not a key of ECDSA on the curve P-256 in PKCS #8")]
    Algorithm,
    /// The key is encrypted, and there is no password.
    #[error("it is encrypted, and no password is given")]
    NoPassword,
    /// The password is another one.
    #[error("the password is wrong")]
    WrongPassword,
    /// The key is encrypted in another way than cosign does.
    #[error("it is encrypted in a way that is not supported: {what}")]
    Encryption {
        /// What is unknown or exceeds a limit.
        what: &'static str,
    },
}

fn after_colon(line: &str) -> String {
    match line.is_empty() {
        true => String::new(),
        false => format!(": {line}"),
    }
}
