//! A collector that records the requests it receives.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use prost::Message as _;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::metadata::KeyAndValueRef;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

use crate::proto::opentelemetry::proto::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use crate::proto::opentelemetry::proto::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};

/// A received request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    /// Empty for gRPC.
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) request: ExportTraceServiceRequest,
}

type Kept = Arc<Mutex<Vec<Received>>>;

/// A collector that serves until the process ends.
pub(crate) struct Collector {
    pub(crate) endpoint: String,
    kept: Kept,
}

#[derive(Clone)]
enum Answer {
    Take,
    Refuse,
    Reject,
}

struct Service {
    kept: Kept,
    answer: Answer,
}

#[tonic::async_trait]
impl TraceService for Service {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let headers = request.metadata().iter().filter_map(|pair| match pair {
            KeyAndValueRef::Ascii(key, value) => {
                Some((key.to_string(), value.to_str().ok()?.to_owned()))
            }
            KeyAndValueRef::Binary(..) => None,
        });
        let received = Received {
            path: String::new(),
            headers: headers.collect(),
            request: request.into_inner(),
        };
        self.kept.lock().unwrap().push(received);
        match self.answer {
            Answer::Take => Ok(Response::new(ExportTraceServiceResponse::default())),
            Answer::Refuse => Err(Status::unauthenticated("no")),
            Answer::Reject => Ok(Response::new(ExportTraceServiceResponse {
                partial_success: Some(ExportTracePartialSuccess {
                    rejected_spans: 2,
                    error_message: "too old".to_owned(),
                }),
            })),
        }
    }
}

impl Collector {
    pub(crate) fn grpc() -> Self {
        Self::answering(Answer::Take)
    }

    /// A collector that rejects all requests.
    pub(crate) fn refusing() -> Self {
        Self::answering(Answer::Refuse)
    }

    /// A collector that accepts only some spans.
    pub(crate) fn rejecting() -> Self {
        Self::answering(Answer::Reject)
    }

    fn answering(answer: Answer) -> Self {
        let kept = Kept::default();
        let service = Service {
            kept: Arc::clone(&kept),
            answer,
        };
        let (sender, receiver) = std::sync::mpsc::channel();
        in_background(async move {
            let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
            sender.send(incoming.local_addr().unwrap()).unwrap();
            let server = Server::builder().add_service(TraceServiceServer::new(service));
            server.serve_with_incoming(incoming).await.unwrap();
        });
        let endpoint = format!("http://{}", receiver.recv().unwrap());
        Self { endpoint, kept }
    }

    pub(crate) fn on_socket(path: &Path) -> Self {
        let kept = Kept::default();
        let service = Service {
            kept: Arc::clone(&kept),
            answer: Answer::Take,
        };
        let listener = std::os::unix::net::UnixListener::bind(path).unwrap();
        listener.set_nonblocking(true).unwrap();
        in_background(async move {
            let listener = tokio::net::UnixListener::from_std(listener).unwrap();
            let incoming = UnixListenerStream::new(listener);
            let server = Server::builder().add_service(TraceServiceServer::new(service));
            server.serve_with_incoming(incoming).await.unwrap();
        });
        let endpoint = format!("unix://{}", path.display());
        Self { endpoint, kept }
    }

    /// A collector for HTTP/1.1, without the libraries that the command uses.
    pub(crate) fn http() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let kept = Kept::default();
        let received = Arc::clone(&kept);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut reader = BufReader::new(&stream);
                if let Some(request) = read(&mut reader) {
                    received.lock().unwrap().push(request);
                }
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
                // The client may be gone already.
                let _ = (&stream).write_all(answer);
            }
        });
        Self { endpoint, kept }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.kept.lock().unwrap().clone()
    }

    /// The only received request.
    pub(crate) fn only(&self) -> Received {
        let received = self.received();
        assert_eq!(received.len(), 1, "{received:?}");
        received[0].clone()
    }
}

pub(crate) fn in_background(work: impl Future<Output = ()> + Send + 'static) {
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(work);
    });
}

fn read(reader: &mut impl BufRead) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split_whitespace().nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    if headers
        .get("content-encoding")
        .is_some_and(|it| it == "gzip")
    {
        let mut plain = Vec::new();
        let mut decoder = flate2::read::GzDecoder::new(body.as_slice());
        decoder.read_to_end(&mut plain).ok()?;
        body = plain;
    }
    Some(Received {
        path,
        headers,
        request: ExportTraceServiceRequest::decode(body.as_slice()).ok()?,
    })
}
