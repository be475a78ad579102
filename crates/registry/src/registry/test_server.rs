//! A registry in this process that fails in the ways of real ones, over plain HTTP or TLS.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

use super::{Client, ClientOptions, Credentials, RetryPolicy};
use crate::oci::Reference;

pub(super) type Reply = Response<Full<Bytes>>;
/// `METHOD PATH-AND-QUERY AUTHORIZATION`.
type Log = Arc<Mutex<Vec<String>>>;

pub(super) struct Server {
    pub(super) registry: String,
    log: Log,
    /// `certs.d` with the server's certificate.
    certificates: Option<tempfile::TempDir>,
}

impl Server {
    /// Answers with this function, which gets the request and the number of earlier ones.
    pub(super) async fn of(
        answer: impl Fn(&Request<Bytes>, usize) -> Reply + Clone + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let registry = listener.local_addr().unwrap().to_string();
        let log = Log::default();
        let asked = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&asked), answer.clone()));
            }
        });
        Self {
            registry,
            log,
            certificates: None,
        }
    }

    /// Answers each connection's request with these bytes and closes it; without bytes, closes it
    /// at once.
    pub(super) async fn raw(
        answer: impl Fn(&str, usize) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let registry = listener.local_addr().unwrap().to_string();
        let log = Log::default();
        let asked = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut question = vec![0; 4096];
                let read = stream.read(&mut question).await.unwrap_or_default();
                let question = String::from_utf8_lossy(&question[..read]).into_owned();
                // The client tries TLS on its first connection.
                let line = question.lines().next().unwrap_or_default();
                let bytes = match line.ends_with(" HTTP/1.1") {
                    false => b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
                    true => {
                        let count = {
                            let mut asked = asked.lock().unwrap();
                            asked.push(line.trim_end_matches(" HTTP/1.1").to_owned());
                            asked.len() - 1
                        };
                        answer(&question, count)
                    }
                };
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
            }
        });
        Self {
            registry,
            log,
            certificates: None,
        }
    }

    /// Like `of`, over TLS, with its own certificate for `localhost`.
    pub(super) async fn tls(
        answer: impl Fn(&Request<Bytes>, usize) -> Reply + Clone + Send + Sync + 'static,
    ) -> Self {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Log::default();
        let asked = Arc::clone(&log);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, asked) = (acceptor.clone(), Arc::clone(&asked));
                let answer = answer.clone();
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(stream, asked, answer).await;
                    }
                });
            }
        });
        let registry = format!("localhost:{port}");
        let folder = tempfile::tempdir().unwrap();
        let certs = folder.path().join(&registry);
        std::fs::create_dir(&certs).unwrap();
        std::fs::write(certs.join("ca.crt"), own.cert.pem()).unwrap();
        Self {
            registry,
            log,
            certificates: Some(folder),
        }
    }

    /// Returns options that trust this server and retry at once.
    pub(super) fn options(&self) -> ClientOptions {
        ClientOptions {
            certificates: self
                .certificates
                .iter()
                .map(|folder| folder.path().to_owned())
                .collect(),
            retries: RetryPolicy {
                first: Duration::from_millis(1),
                longest: Duration::from_millis(1),
                ..RetryPolicy::default()
            },
            ..ClientOptions::default()
        }
    }

    /// Returns a client that logs in as `me` with `secret`.
    pub(super) fn client(&self) -> Client {
        self.client_with(self.options())
    }

    pub(super) fn client_with(&self, options: ClientOptions) -> Client {
        let json = format!(
            r#"{{"auths": {{"{}": {{"auth": "bWU6c2VjcmV0"}}}}}}"#,
            self.registry
        );
        let credentials = Credentials::none().with_auth_config(&json).unwrap();
        Client::new(credentials.into(), options)
    }

    /// Returns a client without credentials.
    pub(super) fn anonymous(&self) -> Client {
        Client::new(Credentials::none().into(), self.options())
    }

    pub(super) fn reference(&self, rest: &str) -> Reference {
        Reference::parse(&format!("{}/{rest}", self.registry)).unwrap()
    }

    pub(super) fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    asked: Log,
    answer: impl Fn(&Request<Bytes>, usize) -> Reply + Clone + Send + Sync + 'static,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let (asked, answer) = (Arc::clone(&asked), answer.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map(|body| body.to_bytes());
            let request = Request::from_parts(parts, body.unwrap_or_default());
            let mut asked = asked.lock().unwrap();
            let count = asked.len();
            let authorization = request.headers().get("authorization");
            let authorization = authorization.map_or("", |value| value.to_str().unwrap());
            asked.push(format!(
                "{} {} {authorization}",
                request.method(),
                request.uri()
            ));
            Ok::<_, Infallible>(answer(&request, count))
        }
    });
    let served = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
    // A client may disconnect at any time.
    drop(served);
}

pub(super) fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
    let mut reply = Response::builder().status(status);
    for (name, value) in headers {
        reply = reply.header(*name, *value);
    }
    reply
        .body(Full::from(Bytes::copy_from_slice(body.as_bytes())))
        .unwrap()
}
