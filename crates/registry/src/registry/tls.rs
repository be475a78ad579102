//! TLS for registries: the system's authorities, the folders of `certs.d`, and insecure registries.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Proxy;
use reqwest::redirect::Policy;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::authorities::Authorities;
use super::trusted_leaf::TrustedLeaf;
use super::{CertificateProblem, Error, HostCertificates, Pem, Proxies};

/// The timeout of a connection attempt.
const CONNECT: Duration = Duration::from_secs(30);
/// The time for which an idle connection is kept. Load balancers close theirs after a minute.
const IDLE: Duration = Duration::from_secs(45);

/// A registry's own TLS settings.
#[derive(Debug, Default)]
pub(super) struct Trust {
    authorities: Vec<CertificateDer<'static>>,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    /// True if any certificate is accepted.
    pub(super) unchecked: bool,
}

impl Trust {
    /// Reads the settings from the first folder that has the registry. Blocks.
    pub(super) fn of(registry: &str, folders: &[PathBuf]) -> Result<Self, Error> {
        let folder = folders
            .iter()
            .map(|folder| folder.join(registry))
            .find(|folder| folder.is_dir());
        let Some(folder) = folder else {
            return Ok(Self::default());
        };
        let mut trust = Self::default();
        for path in files(&folder)? {
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => trust.authorities.extend(certificates(&path)?),
                Some("cert") => {
                    let key_path = path.with_extension("key");
                    let key = PrivateKeyDer::from_pem_file(&key_path)
                        .map_err(|error| unusable(&key_path, error))?;
                    trust.identity = Some((certificates(&path)?, key));
                }
                _ => {}
            }
        }
        Ok(trust)
    }

    /// Reads the certificates that are configured for one host. Blocks.
    pub(super) fn of_host(host: &HostCertificates) -> Result<Self, Error> {
        let mut trust = Self::default();
        for authority in &host.authorities {
            trust.authorities.extend(certificates_of(authority)?);
        }
        if let Some((chain, key)) = &host.identity {
            trust.identity = Some((certificates_of(chain)?, key_of(key)?));
        }
        Ok(trust)
    }

    /// True if the registry has no settings of its own.
    pub(super) fn is_plain(&self) -> bool {
        self.authorities.is_empty() && self.identity.is_none() && !self.unchecked
    }

    /// Adds the authorities of another registry's settings.
    pub(super) fn add_authorities(&mut self, other: Self) {
        self.authorities.extend(other.authorities);
    }

    /// Builds a client without a total timeout, because blobs can be large.
    pub(super) fn client(self, proxies: &Proxies) -> Result<reqwest::Client, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Tls(error.into()))?;
        let builder = builder
            .dangerous()
            .with_custom_certificate_verifier(self.verifier(provider)?);
        let config = match self.identity {
            Some((chain, key)) => builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| Error::Tls(error.into()))?,
            None => builder.with_no_client_auth(),
        };
        let proxies = proxies.clone();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            // Redirects follow this crate's own rule, not reqwest's.
            .redirect(Policy::none())
            // The library does not read the environment's proxies.
            .no_proxy()
            .proxy(Proxy::custom(move |url| proxies.proxy_for(url)))
            .user_agent(concat!("solvekit/", env!("CARGO_PKG_VERSION")))
            .build();
        client.map_err(|error| Error::Tls(error.into()))
    }

    fn verifier(
        &self,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ServerCertVerifier>, Error> {
        if self.unchecked {
            return Ok(Arc::new(Unchecked(provider)));
        }
        let mut added = RootCertStore::empty();
        for authority in &self.authorities {
            added
                .add(authority.clone())
                .map_err(|error| Error::Tls(error.into()))?;
        }
        let verifier = Arc::new(Authorities::new(added, provider));
        Ok(match self.authorities.is_empty() {
            true => verifier,
            false => Arc::new(TrustedLeaf::new(verifier, self.authorities.clone())),
        })
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::ReadCertificates {
        path: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        files.push(entry.map_err(failed)?.path());
    }
    files.sort();
    Ok(files)
}

/// The name, in errors, of PEM text that is not in a file of its own.
const IN_CONFIGURATION: &str = "in the builder's configuration";

fn certificates_of(pem: &Pem) -> Result<Vec<CertificateDer<'static>>, Error> {
    let bytes = match pem {
        Pem::File(path) => return certificates(path),
        Pem::Bytes(bytes) => bytes,
    };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    found.map_err(|error| unusable(Path::new(IN_CONFIGURATION), error))
}

fn key_of(pem: &Pem) -> Result<PrivateKeyDer<'static>, Error> {
    match pem {
        Pem::File(path) => {
            PrivateKeyDer::from_pem_file(path).map_err(|error| unusable(path, error))
        }
        Pem::Bytes(bytes) => PrivateKeyDer::from_pem_slice(bytes)
            .map_err(|error| unusable(Path::new(IN_CONFIGURATION), error)),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let read = CertificateDer::pem_file_iter(path).map_err(|error| unusable(path, error))?;
    let found: Result<Vec<_>, _> = read.collect();
    match found {
        Ok(found) if found.is_empty() => {
            Err(unusable(path, rustls::pki_types::pem::Error::NoItemsFound))
        }
        Ok(found) => Ok(found),
        Err(error) => Err(unusable(path, error)),
    }
}

fn unusable(path: &Path, error: rustls::pki_types::pem::Error) -> Error {
    use rustls::pki_types::pem::Error as Pem;
    match error {
        Pem::Io(source) => Error::ReadCertificates {
            path: path.to_owned(),
            source,
        },
        Pem::NoItemsFound => Error::BadCertificates {
            path: path.to_owned(),
            reason: CertificateProblem::Empty,
        },
        other => Error::BadCertificates {
            path: path.to_owned(),
            reason: CertificateProblem::Pem(other),
        },
    }
}

/// Accepts every certificate, for insecure registries. Handshake signatures are still verified.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let of_registry = folder.path().join("r.example:5000");
        std::fs::create_dir(&of_registry).unwrap();
        for (name, text) in files {
            std::fs::write(of_registry.join(name), text).unwrap();
        }
        folder
    }

    fn trust(folder: &tempfile::TempDir) -> Result<Trust, String> {
        Trust::of("r.example:5000", &[folder.path().to_owned()]).map_err(|error| error.to_string())
    }

    #[test]
    fn a_registry_without_a_folder_is_as_all() {
        let folder = folder(&[]);
        let other = Trust::of("other.example", &[folder.path().to_owned()]).unwrap();
        assert!(other.is_plain());
        assert!(trust(&folder).unwrap().is_plain());
        assert!(trust(&folder).unwrap().client(&Proxies::default()).is_ok());
    }

    #[test]
    fn files_that_are_no_certificates_are_named() {
        let error = trust(&folder(&[("ca.crt", "no certificate")])).unwrap_err();
        assert!(error.contains("ca.crt"), "{error}");
        let error = trust(&folder(&[("client.cert", "")])).unwrap_err();
        assert!(error.contains("client.key"), "{error}");
    }
}
