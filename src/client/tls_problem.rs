//! Problems with TLS: files, options, and rejected certificates.

use std::path::PathBuf;

use rustls::CertificateError;
use rustls::pki_types::pem;
use rustls::server::VerifierBuilderError;

use crate::task::Panicked;

/// Why the files or options of TLS cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsProblem {
    /// The file has no certificate.
    #[error("there is no -----BEGIN CERTIFICATE----- in it")]
    NoCertificate,
    /// The file has no key.
    #[error("there is no -----BEGIN PRIVATE KEY----- in it")]
    NoKey,
    /// The key has a passphrase.
    #[error("it is encrypted: write it out without a passphrase (openssl pkey)")]
    EncryptedKey,
    /// The key belongs to another certificate.
    #[error("the key {key:?} is not this certificate's")]
    OtherKey {
        /// The file of the key.
        key: PathBuf,
    },
    /// A certificate is given without its key.
    #[error("a client certificate needs its key")]
    CertificateWithoutKey,
    /// A key is given without its certificate.
    #[error("a client key needs its certificate")]
    KeyWithoutCertificate,
    /// The name is not valid in a certificate.
    #[error("{name:?} is not a name that a certificate can have")]
    ServerName {
        /// The name.
        name: String,
    },
    /// The file is not in PEM format.
    #[error(transparent)]
    Pem(#[from] pem::Error),
    /// The TLS library rejects the certificate or the options.
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
    /// The authority of clients cannot be used.
    #[error(transparent)]
    Verifier(#[from] VerifierBuilderError),
    /// The task that read the files panicked: a bug.
    #[error(transparent)]
    Panicked(#[from] Panicked),
}

/// Why a server's certificate is rejected.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ServerCertificateProblem {
    /// It is for another name.
    #[error("it is for {}, not for {expected}", presented.join(", "))]
    OtherName {
        /// The names in the certificate.
        presented: Vec<String>,
        /// The name that it must have.
        expected: String,
    },
    /// Its authority is not trusted.
    #[error("it is not signed by a CA that is trusted here")]
    UnknownAuthority,
    /// It has expired.
    #[error("it expired {days} days ago (by this machine's clock)")]
    Expired {
        /// The number of days since then.
        days: u64,
    },
    /// It becomes valid later.
    #[error("it is not valid yet (by this machine's clock)")]
    NotYetValid,
    /// It is a CA's own certificate.
    #[error("it is a CA's own certificate: a server needs one that the CA signed")]
    OfAuthority,
    /// Another reason.
    #[error("{0}")]
    Other(CertificateError),
}

/// Why a server rejects the client's certificate, according to its TLS alert.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientCertificateProblem {
    /// The server does not know its CA.
    #[error("it does not know the CA that signed it")]
    UnknownAuthority,
    /// Its signature is not the CA's.
    #[error("its signature is not that of the CA")]
    Signature,
    /// It has expired.
    #[error("it has expired")]
    Expired,
    /// It was revoked.
    #[error("it was revoked")]
    Revoked,
    /// Another alert.
    #[error("{name}")]
    Alert {
        /// The alert's name.
        name: String,
    },
}

/// Another failure of TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFailure {
    /// The server ends the connection with an alert.
    #[error("the server's alert is {name}")]
    Alert {
        /// The alert's name.
        name: String,
    },
    /// The TLS library reports an error.
    #[error(transparent)]
    Rustls(rustls::Error),
}
