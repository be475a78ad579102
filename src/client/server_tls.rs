//! TLS for servers that clients of BuildKit connect to. A client certificate is required.

use std::{io, path::Path, sync::Arc};

use rustls::{ServerConfig, server::WebPkiClientVerifier};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use super::{Error, TlsOptions, TlsProblem};

/// A server's certificate and the authority of its clients' certificates.
#[derive(Clone)]
pub struct ServerTls(TlsAcceptor);

impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerTls")
    }
}

impl ServerTls {
    /// Reads the PEM files: the certificate, its key, and the authority of the clients'
    /// certificates.
    ///
    /// # Errors
    /// As for the files of [`TlsOptions`].
    pub fn load(cert: &Path, key: &Path, ca: &Path) -> Result<Self, Error> {
        let options = TlsOptions {
            ca: Some(ca.to_owned()),
            cert: Some(cert.to_owned()),
            key: Some(key.to_owned()),
            server_name: None,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let wrong = |reason: TlsProblem| Error::TlsOptions { reason };
        let (roots, chain, key) = options.parts(cert, key)?;
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|error| wrong(error.into()))?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(error.into()))?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .map_err(|error| wrong(error.into()))?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Performs the handshake with a client.
    ///
    /// # Errors
    /// If the client has no accepted certificate, or does not use TLS.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Unpin + use<S>> {
        self.0.accept(stream).await
    }
}
