//! Collectors with TLS.

use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto};

use crate::certificates::Certificates;
use crate::collector::{Collector, in_background};
use crate::command::Finished;
use crate::traced;

/// Starts a TLS server in front of a collector; returns its URL.
fn before(collector: &Collector, certificates: &Certificates, wants_client: bool) -> String {
    let target = collector.endpoint.trim_start_matches("http://").to_owned();
    let acceptor = TlsAcceptor::from(Arc::new(config(certificates, wants_client)));
    let (sender, receiver) = std::sync::mpsc::channel();
    in_background(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        sender.send(listener.local_addr().unwrap().port()).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, target) = (acceptor.clone(), target.clone());
            tokio::spawn(async move {
                // Clients that do not trust the certificate disconnect.
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut plain = TcpStream::connect(target).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut plain).await;
            });
        }
    });
    format!("https://localhost:{}", receiver.recv().unwrap())
}

fn config(certificates: &Certificates, wants_client: bool) -> ServerConfig {
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match wants_client {
        true => {
            let mut roots = RootCertStore::empty();
            let authority = CertificateDer::from_pem_file(certificates.path("ca.pem"));
            roots.add(authority.unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
        false => builder.with_no_client_auth(),
    };
    let certificate = CertificateDer::from_pem_file(certificates.path("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(certificates.path("server.key")).unwrap();
    let mut config = builder.with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

/// The collectors, by the protocol that is asked for.
fn collectors() -> [(&'static str, Collector); 2] {
    [
        ("grpc", Collector::grpc()),
        ("http/protobuf", Collector::http()),
    ]
}

#[test]
fn a_collector_with_a_certificate_of_ones_own_authority_gets_the_spans() {
    let certificates = Certificates::make();
    for (protocol, collector) in collectors() {
        let endpoint = before(&collector, &certificates, false);
        let mut command = traced(&endpoint);
        command.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        command.env(
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
            certificates.path("ca.pem"),
        );
        let finished = Finished::of(&mut command).failed_with(1, &["there is no socket"]);
        assert!(!finished.stderr.contains("WARNING"), "{}", finished.stderr);
        assert_eq!(
            collector.only().request.resource_spans.len(),
            1,
            "{protocol}"
        );
    }
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    let certificates = Certificates::make();
    for (protocol, collector) in collectors() {
        let endpoint = before(&collector, &certificates, false);
        let mut command = traced(&endpoint);
        command.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        let warning = format!("WARNING: cannot send traces to {endpoint}");
        let finished = Finished::of(&mut command).failed_with(1, &[&warning]);
        assert!(
            finished.stderr.contains("certificate"),
            "{}",
            finished.stderr
        );
        assert!(collector.received().is_empty(), "{protocol}");
    }
}

#[test]
fn a_collector_that_wants_a_certificate_gets_the_client_s() {
    let certificates = Certificates::make();
    for (protocol, collector) in collectors() {
        let endpoint = before(&collector, &certificates, true);
        let mut command = traced(&endpoint);
        command.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        for (name, file) in [
            ("CERTIFICATE", "ca.pem"),
            ("CLIENT_CERTIFICATE", "cert.pem"),
            ("CLIENT_KEY", "key.pem"),
        ] {
            let name = format!("OTEL_EXPORTER_OTLP_{name}");
            command.env(name, certificates.path(file));
        }
        let finished = Finished::of(&mut command).failed_with(1, &["there is no socket"]);
        assert!(!finished.stderr.contains("WARNING"), "{}", finished.stderr);
        assert_eq!(collector.received().len(), 1, "{protocol}");
    }
}
