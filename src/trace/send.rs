//! Sends spans: one request to the collector, and one to each daemon on its own connection.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use futures_util::future::join_all;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use tokio::time::timeout;

use super::ExportProblem;
use super::collector::Collector;
use super::endpoint::Protocol;
use crate::client::{Channel, open_stream};
use crate::proto::opentelemetry::proto::collector::trace::v1::trace_service_client::TraceServiceClient;
use crate::proto::opentelemetry::proto::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};

/// The time limit for a daemon.
const DAEMON_PATIENCE: Duration = Duration::from_secs(1);
/// The largest answer that is read, in bytes.
const ANSWER_LIMIT: usize = 64 << 10;
/// The most characters of a collector's message that are shown.
const MESSAGE_LIMIT: usize = 300;

type Outgoing = Request<Full<Bytes>>;

/// Errors are ignored: many daemons do not accept spans.
pub(super) async fn to_daemons(
    daemons: Vec<(String, Channel)>,
    request: ExportTraceServiceRequest,
) {
    let sent = daemons.into_iter().map(|(_, channel)| {
        let request = request.clone();
        async move {
            let mut service = TraceServiceClient::new(channel);
            let _ = timeout(DAEMON_PATIENCE, service.export(request)).await;
        }
    });
    join_all(sent).await;
}

pub(super) async fn to_collector(
    collector: &Collector,
    message: &ExportTraceServiceRequest,
) -> Result<(), ExportProblem> {
    let limit = collector.timeout;
    let answer = timeout(limit, exchange(collector, message)).await;
    let answer = answer.unwrap_or(Err(ExportProblem::TimedOut {
        seconds: limit.as_secs_f64(),
    }))?;
    let partial = answer.partial_success.unwrap_or_default();
    match partial.rejected_spans {
        0 => Ok(()),
        spans => Err(ExportProblem::Rejected {
            spans,
            message: shortened(&partial.error_message),
        }),
    }
}

async fn exchange(
    collector: &Collector,
    message: &ExportTraceServiceRequest,
) -> Result<ExportTraceServiceResponse, ExportProblem> {
    let (endpoint, tls) = (collector.endpoint.clone(), collector.tls.clone());
    let is_http2 = collector.protocol == Protocol::Grpc;
    let opened = open_stream(endpoint, tls, is_http2, collector.timeout).await;
    let opened = opened.map_err(|error| ExportProblem::Tls(Box::new(error)))?;
    let io = TokioIo::new(opened.map_err(|problem| ExportProblem::Connect(Box::new(problem)))?);
    match collector.protocol {
        Protocol::Http => {
            let request = http_request(collector, message)?;
            let (mut sender, connection) = http1::handshake(io).await.map_err(broken)?;
            let talk = async {
                let response = sender.send_request(request).await.map_err(broken)?;
                http_answer(response).await
            };
            drive(connection, talk).await
        }
        Protocol::Grpc => {
            let request = grpc_request(collector, message)?;
            let handshake = http2::handshake(TokioExecutor::new(), io);
            let (mut sender, connection) = handshake.await.map_err(broken)?;
            let talk = async {
                let response = sender.send_request(request).await.map_err(broken)?;
                grpc_answer(response).await
            };
            drive(connection, talk).await
        }
    }
}

/// Drives a connection until `talk` has finished.
async fn drive<T>(
    connection: impl Future<Output = Result<(), hyper::Error>>,
    talk: impl Future<Output = Result<T, ExportProblem>>,
) -> Result<T, ExportProblem> {
    let mut talk = std::pin::pin!(talk);
    tokio::select! {
        biased;
        answer = &mut talk => answer,
        _ = connection => talk.await,
    }
}

fn http_request(
    collector: &Collector,
    message: &ExportTraceServiceRequest,
) -> Result<Outgoing, ExportProblem> {
    let body = encoded(collector, message)?;
    let mut request = request(collector, &collector.path, body)?;
    let headers = request.headers_mut();
    let host = HeaderValue::from_str(&collector.authority).map_err(invalid)?;
    headers.insert(header::HOST, host);
    let kind = HeaderValue::from_static("application/x-protobuf");
    headers.insert(header::CONTENT_TYPE, kind);
    if collector.is_gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(request)
}

/// A unary gRPC call: a flag and the length, followed by the message.
fn grpc_request(
    collector: &Collector,
    message: &ExportTraceServiceRequest,
) -> Result<Outgoing, ExportProblem> {
    let message = encoded(collector, message)?;
    let length = u32::try_from(message.len()).map_err(invalid)?;
    let mut body = vec![u8::from(collector.is_gzip)];
    body.extend_from_slice(&length.to_be_bytes());
    body.extend_from_slice(&message);
    let scheme = if collector.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let url = format!("{scheme}://{}{}", collector.authority, collector.path);
    let mut request = request(collector, &url, body)?;
    let headers = request.headers_mut();
    headers.insert(header::TE, HeaderValue::from_static("trailers"));
    let kind = HeaderValue::from_static("application/grpc");
    headers.insert(header::CONTENT_TYPE, kind);
    if collector.is_gzip {
        headers.insert("grpc-encoding", HeaderValue::from_static("gzip"));
    }
    Ok(request)
}

fn request(collector: &Collector, url: &str, body: Vec<u8>) -> Result<Outgoing, ExportProblem> {
    let request = Request::post(url).body(Full::new(Bytes::from(body)));
    let mut request = request.map_err(invalid)?;
    *request.headers_mut() = collector.headers.clone();
    let agent = HeaderValue::from_static(concat!("solvekit/", env!("CARGO_PKG_VERSION")));
    request.headers_mut().insert(header::USER_AGENT, agent);
    Ok(request)
}

fn encoded(
    collector: &Collector,
    message: &ExportTraceServiceRequest,
) -> Result<Vec<u8>, ExportProblem> {
    let bytes = message.encode_to_vec();
    if !collector.is_gzip {
        return Ok(bytes);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&bytes).map_err(invalid)?;
    encoder.finish().map_err(invalid)
}

async fn http_answer(
    response: Response<Incoming>,
) -> Result<ExportTraceServiceResponse, ExportProblem> {
    let (status, body, _) = read(response).await?;
    if !status.is_success() {
        return Err(ExportProblem::Refused {
            status: status.to_string(),
            message: http_message(&body),
        });
    }
    // A collector may answer with JSON, or with nothing.
    Ok(ExportTraceServiceResponse::decode(body).unwrap_or_default())
}

/// The message of a `google.rpc.Status`, or else the body as text.
fn http_message(body: &Bytes) -> String {
    match crate::proto::google::rpc::Status::decode(body.clone()) {
        Ok(status) if !status.message.is_empty() => shortened(&status.message),
        _ => shortened(&String::from_utf8_lossy(body)),
    }
}

async fn grpc_answer(
    response: Response<Incoming>,
) -> Result<ExportTraceServiceResponse, ExportProblem> {
    let first = response.headers().clone();
    let (status, body, trailers) = read(response).await?;
    // Without a message, the status is in the headers.
    let headers = [trailers.unwrap_or_default(), first];
    let find = |name| headers.iter().find_map(|headers| headers.get(name));
    match find("grpc-status").map(HeaderValue::as_bytes) {
        Some(b"0") => {
            let message = body.get(5..).map(<[u8]>::to_vec).unwrap_or_default();
            Ok(ExportTraceServiceResponse::decode(message.as_slice()).unwrap_or_default())
        }
        Some(code) => {
            let code = String::from_utf8_lossy(code);
            let code = tonic::Code::from_bytes(code.as_bytes());
            let message = find("grpc-message").map_or(&b""[..], HeaderValue::as_bytes);
            Err(ExportProblem::Refused {
                status: format!("{code:?}"),
                message: shortened(&String::from_utf8_lossy(message)),
            })
        }
        None => Err(ExportProblem::Refused {
            status: status.to_string(),
            message: "it does not speak gRPC".to_owned(),
        }),
    }
}

type Answer = (StatusCode, Bytes, Option<http::HeaderMap>);

async fn read(response: Response<Incoming>) -> Result<Answer, ExportProblem> {
    let status = response.status();
    let body = Limited::new(response.into_body(), ANSWER_LIMIT);
    let body = body.collect().await.map_err(ExportProblem::Broken)?;
    let trailers = body.trailers().cloned();
    Ok((status, body.to_bytes(), trailers))
}

/// The first line, without control characters and limited in length.
fn shortened(message: &str) -> String {
    let line = message.trim().lines().next().unwrap_or_default();
    let line = line.chars().filter(|letter| !letter.is_control());
    line.take(MESSAGE_LIMIT).collect()
}

fn broken(error: hyper::Error) -> ExportProblem {
    ExportProblem::Broken(Box::new(error))
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> ExportProblem {
    ExportProblem::Broken(Box::new(error))
}
