//! Accepts a registry's self-signed certificate that is trusted itself. Guides to private
//! registries create it with `openssl req -x509`, which marks it as an authority, and rustls
//! rejects an authority as a server's certificate.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};

/// The usual check, which also accepts a trusted certificate as the server's own.
#[derive(Debug)]
pub(super) struct TrustedLeaf {
    usual: Arc<dyn ServerCertVerifier>,
    trusted: Vec<CertificateDer<'static>>,
}

impl TrustedLeaf {
    pub(super) fn new(
        usual: Arc<dyn ServerCertVerifier>,
        trusted: Vec<CertificateDer<'static>>,
    ) -> Self {
        Self { usual, trusted }
    }
}

impl ServerCertVerifier for TrustedLeaf {
    fn verify_server_cert(
        &self,
        server: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let usual = self
            .usual
            .verify_server_cert(server, intermediates, name, ocsp, now);
        match usual {
            Err(error) if is_authority(&error) && self.trusted.contains(server) => {
                // The dates were checked before the authority error was raised.
                verify_server_name(&ParsedCertificate::try_from(server)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// True if the only fault is that the server's certificate is an authority's.
fn is_authority(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(error)) = error else {
        return false;
    };
    let error = error.0.downcast_ref::<webpki::Error>();
    matches!(error, Some(webpki::Error::CaUsedAsEndEntity))
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;

    use super::*;

    /// Creates a certificate like `openssl req -x509`.
    fn certificate(name: &str, until: i32) -> CertificateDer<'static> {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().clone()
    }

    fn verify(
        trusted: &CertificateDer<'static>,
        shown: &CertificateDer<'static>,
        name: &str,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let leaf = TrustedLeaf::new(usual.build().unwrap(), vec![trusted.clone()]);
        let name = ServerName::try_from(name.to_owned()).unwrap();
        leaf.verify_server_cert(shown, &[], &name, &[], UnixTime::now())
    }

    #[test]
    fn the_trusted_certificate_itself_is_taken() {
        let own = certificate("r.example", 2100);
        verify(&own, &own, "r.example").unwrap();
    }

    #[test]
    fn name_dates_and_identity_are_checked() {
        let own = certificate("r.example", 2100);
        let name = verify(&own, &own, "other.example").unwrap_err();
        assert!(name.to_string().contains("not valid for name"), "{name}");
        let old = certificate("r.example", 2021);
        let date = verify(&old, &old, "r.example").unwrap_err();
        assert!(date.to_string().contains("expired"), "{date}");
        let other = certificate("r.example", 2100);
        assert!(is_authority(
            &verify(&own, &other, "r.example").unwrap_err()
        ));
    }
}
