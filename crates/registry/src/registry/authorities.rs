//! Verifies certificates with the system's authorities, which are read when they are first needed.

use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// The authorities of the system, and those that a registry adds.
///
/// The system's are more than a hundred files. Only a TLS connection needs them, so a build whose
/// registries speak plain HTTP never reads them.
#[derive(Debug)]
pub(super) struct Authorities {
    added: RootCertStore,
    provider: Arc<CryptoProvider>,
    /// Empty before the first certificate; `None` inside if there are no authorities at all.
    verifier: OnceLock<Option<Arc<WebPkiServerVerifier>>>,
}

impl Authorities {
    pub(super) fn new(added: RootCertStore, provider: Arc<CryptoProvider>) -> Self {
        Self {
            added,
            provider,
            verifier: OnceLock::new(),
        }
    }

    fn verifier(&self) -> Option<&WebPkiServerVerifier> {
        let build = || {
            let mut roots = system_roots().clone();
            roots.roots.extend(self.added.roots.iter().cloned());
            let provider = Arc::clone(&self.provider);
            // The builder fails only if there are no roots.
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .ok()
        };
        self.verifier.get_or_init(build).as_deref()
    }
}

impl ServerCertVerifier for Authorities {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.verifier() {
            Some(usual) => usual.verify_server_cert(server, intermediates, name, ocsp, now),
            None => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

/// Returns the system's authorities, read once. Unreadable ones are skipped; a missing authority
/// becomes visible when a server is not trusted.
pub fn system_roots() -> &'static RootCertStore {
    static ROOTS: OnceLock<RootCertStore> = OnceLock::new();
    ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_before_the_first_certificate() {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let own = rcgen::generate_simple_self_signed(["r.example".to_owned()]).unwrap();
        let mut added = RootCertStore::empty();
        added.add(own.cert.der().clone()).unwrap();
        let authorities = Authorities::new(added, provider);
        assert!(!authorities.supported_verify_schemes().is_empty());
        assert!(authorities.verifier.get().is_none());

        let verify = |name: &str| {
            let name = ServerName::try_from(name.to_owned()).unwrap();
            let certificate = own.cert.der();
            authorities.verify_server_cert(certificate, &[], &name, &[], UnixTime::now())
        };
        verify("r.example").unwrap();
        assert!(authorities.verifier.get().is_some());
        let other = verify("other.example").unwrap_err();
        assert!(other.to_string().contains("not valid for name"), "{other}");
    }
}
