//! TLS to a daemon: the certificates, and explanations of failed handshakes.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    CertificateError, ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem, pem::PemObject},
};

use super::{
    ClientCertificateProblem, ConnectProblem, Error, ServerCertificateProblem, TlsFailure,
    TlsProblem,
};
use crate::files::read_at_most;
use crate::registry::system_roots;

const CA: &str = "CA certificate";
const CERTIFICATE: &str = "client certificate";
const KEY: &str = "client key";
/// The largest certificate file that is read, in bytes.
const LIMIT: u64 = 16 << 20;

/// TLS options for a daemon. The files are PEM and are read when a connection is opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// The authorities of the server's certificate; the system's by default.
    pub ca: Option<PathBuf>,
    /// The client certificate with its chain; needs `key`.
    pub cert: Option<PathBuf>,
    /// The client's private key (PKCS #8, PKCS #1 or SEC 1, not encrypted); needs `cert`.
    pub key: Option<PathBuf>,
    /// The name that the server's certificate must have, instead of the address's host.
    pub server_name: Option<String>,
}

impl TlsOptions {
    /// Finds the files in a folder: `ca.pem`, `cert.pem` and `key.pem`, or `ca.crt`, `tls.crt` and
    /// `tls.key`. Each is looked for separately, as `buildctl --tlsdir` does.
    ///
    /// # Errors
    /// [`Error::TlsFolder`] if a file is missing.
    pub fn from_folder(folder: &Path) -> Result<Self, Error> {
        let find = |pem: &str, crt: &str, names: &'static str| {
            let found = [pem, crt]
                .map(|name| folder.join(name))
                .into_iter()
                .find(|path| path.exists());
            found.ok_or_else(|| Error::TlsFolder {
                folder: folder.to_owned(),
                names,
            })
        };
        Ok(Self {
            ca: Some(find("ca.pem", "ca.crt", "ca.pem nor ca.crt")?),
            cert: Some(find("cert.pem", "tls.crt", "cert.pem nor tls.crt")?),
            key: Some(find("key.pem", "tls.key", "key.pem nor tls.key")?),
            server_name: None,
        })
    }

    /// Reads the files. Blocks.
    pub(super) fn load(&self) -> Result<Arc<ClientConfig>, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(options)?
            .with_root_certificates(self.roots()?);
        let mut config = match (&self.cert, &self.key) {
            (None, None) => builder.with_no_client_auth(),
            (Some(cert), Some(key)) => builder
                .with_client_auth_cert(read_certificates(CERTIFICATE, cert)?, read_key(key)?)
                .map_err(|error| content(CERTIFICATE, cert, key_mismatch(error, key)))?,
            (Some(_), None) => return Err(options(TlsProblem::CertificateWithoutKey)),
            (None, Some(_)) => return Err(options(TlsProblem::KeyWithoutCertificate)),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Arc::new(config))
    }

    /// Returns the name to check, from the options or the dialled host.
    pub(super) fn server_name(&self, host: &str) -> Result<ServerName<'static>, Error> {
        let name = self.server_name.as_deref().unwrap_or(host);
        ServerName::try_from(name.to_owned()).map_err(|_| {
            options(TlsProblem::ServerName {
                name: name.to_owned(),
            })
        })
    }

    /// Returns a server's part of the files: the authority, the chain and its key.
    pub(super) fn parts(
        &self,
        cert: &Path,
        key: &Path,
    ) -> Result<
        (
            RootCertStore,
            Vec<CertificateDer<'static>>,
            PrivateKeyDer<'static>,
        ),
        Error,
    > {
        Ok((
            self.roots()?,
            read_certificates(CERTIFICATE, cert)?,
            read_key(key)?,
        ))
    }

    fn roots(&self) -> Result<RootCertStore, Error> {
        let Some(path) = &self.ca else {
            return Ok(system_roots().clone());
        };
        let mut roots = RootCertStore::empty();
        for certificate in read_certificates(CA, path)? {
            roots
                .add(certificate)
                .map_err(|error| content(CA, path, error))?;
        }
        Ok(roots)
    }
}

fn read_certificates(
    role: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let bytes = read(role, path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match certificates {
        Ok(found) if found.is_empty() => Err(content(role, path, TlsProblem::NoCertificate)),
        Ok(found) => Ok(found),
        Err(error) => Err(content(role, path, error)),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    let bytes = read(KEY, path)?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| {
        let encrypted = bytes
            .windows(10)
            .any(|word| word == b"ENCRYPTED\n" || word == b"ENCRYPTED ");
        match error {
            _ if encrypted => content(KEY, path, TlsProblem::EncryptedKey),
            pem::Error::NoItemsFound => content(KEY, path, TlsProblem::NoKey),
            error => content(KEY, path, error),
        }
    })
}

fn read(role: &'static str, path: &Path) -> Result<Vec<u8>, Error> {
    read_at_most(path, LIMIT).map_err(|source| Error::TlsFile {
        role,
        path: path.to_owned(),
        source,
    })
}

fn content(role: &'static str, path: &Path, reason: impl Into<TlsProblem>) -> Error {
    Error::TlsContent {
        role,
        path: path.to_owned(),
        reason: Box::new(reason.into()),
    }
}

fn options(reason: impl Into<TlsProblem>) -> Error {
    Error::TlsOptions {
        reason: reason.into(),
    }
}

fn key_mismatch(error: rustls::Error, key: &Path) -> TlsProblem {
    match error {
        rustls::Error::InconsistentKeys(_) => TlsProblem::OtherKey {
            key: key.to_owned(),
        },
        other => other.into(),
    }
}

/// Explains a TLS failure found anywhere in an error's causes: rustls errors are wrapped in
/// `io::Error`s, and after the handshake h2 keeps only their text.
pub(super) fn problem(
    error: &(dyn std::error::Error + 'static),
    client_certificate: bool,
) -> Option<ConnectProblem> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return Some(of_rustls(error, client_certificate));
        }
        // `io::Error::source` skips the error that it wraps.
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner),
            None if error.source().is_none() => {
                return of_text(&error.to_string(), client_certificate);
            }
            None => error.source(),
        };
    }
    None
}

fn of_rustls(error: &rustls::Error, client_certificate: bool) -> ConnectProblem {
    match error {
        rustls::Error::InvalidMessage(_) => ConnectProblem::TlsNotSpoken,
        rustls::Error::InvalidCertificate(error) => ConnectProblem::ServerCertificate {
            reason: certificate(error),
        },
        rustls::Error::AlertReceived(alert) => of_alert(&format!("{alert:?}"), client_certificate),
        other => ConnectProblem::Tls {
            reason: TlsFailure::Rustls(other.clone()),
        },
    }
}

fn of_text(text: &str, client_certificate: bool) -> Option<ConnectProblem> {
    let (_, alert) = text.rsplit_once("received fatal alert: ")?;
    Some(of_alert(alert, client_certificate))
}

/// Maps alerts by rustls' names. For a missing client certificate Go's servers send
/// `BadCertificate` in TLS 1.2 and `CertificateRequired` in 1.3.
fn of_alert(alert: &str, client_certificate: bool) -> ConnectProblem {
    let name = alert.to_owned();
    let reason = match alert {
        "UnknownCA" => ClientCertificateProblem::UnknownAuthority,
        "DecryptError" if client_certificate => ClientCertificateProblem::Signature,
        "CertificateExpired" => ClientCertificateProblem::Expired,
        "CertificateRevoked" => ClientCertificateProblem::Revoked,
        "BadCertificate"
        | "UnsupportedCertificate"
        | "CertificateUnknown"
        | "CertificateRequired"
        | "AccessDenied" => ClientCertificateProblem::Alert { name },
        _ => {
            return ConnectProblem::Tls {
                reason: TlsFailure::Alert { name },
            };
        }
    };
    match client_certificate {
        true => ConnectProblem::ClientCertificateRejected { reason },
        false => ConnectProblem::ClientCertificateRequired,
    }
}

fn certificate(error: &CertificateError) -> ServerCertificateProblem {
    match error {
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            // rustls prints names as `DnsName("localhost")`.
            let bare = |name: &String| {
                name.trim_start_matches(|c| c != '(')
                    .trim_matches(['(', ')', '"'])
                    .to_owned()
            };
            ServerCertificateProblem::OtherName {
                presented: presented.iter().map(bare).collect(),
                expected: expected.to_str().into_owned(),
            }
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            ServerCertificateProblem::UnknownAuthority
        }
        CertificateError::ExpiredContext { time, not_after } => {
            let days = time.as_secs().saturating_sub(not_after.as_secs()) / 86_400;
            ServerCertificateProblem::Expired { days }
        }
        CertificateError::NotValidYetContext { .. } => ServerCertificateProblem::NotYetValid,
        CertificateError::Other(_) if format!("{error:?}").contains("CaUsedAsEndEntity") => {
            ServerCertificateProblem::OfAuthority
        }
        other => ServerCertificateProblem::Other(other.clone()),
    }
}
