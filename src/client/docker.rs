//! The BuildKit inside a Docker Engine: how to reach it through the engine's API, and the engine's
//! information about itself.

use std::pin::pin;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde::Deserialize;

use super::{
    ConnectProblem, EngineHeaders, Stage,
    transport::{BoxIo, Deadline, closed},
};

/// The largest answer that is read, in bytes.
const ANSWER_LIMIT: usize = 8 << 20;

/// An engine's information about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineInfo {
    /// The engine's version.
    pub version: String,
    /// True if images are kept in containerd's store. Without it the engine's BuildKit cannot
    /// export several platforms.
    pub containerd_image_store: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InfoAnswer {
    #[serde(default)]
    server_version: String,
    #[serde(default)]
    driver_status: Option<Vec<Vec<String>>>,
}

/// Requests `GET /info`.
pub(super) async fn info(
    io: BoxIo,
    headers: &EngineHeaders,
    deadline: Deadline,
) -> Result<EngineInfo, ConnectProblem> {
    deadline
        .run(Stage::FirstCall, async {
            let (status, body) = exchange(io, request(Method::GET, "/info", None, headers)).await?;
            let answer = String::from_utf8_lossy(&body);
            if status != StatusCode::OK {
                return Err(ConnectProblem::WebServer {
                    answer: first_line(status, &answer),
                });
            }
            let Ok(parsed) = serde_json::from_slice::<InfoAnswer>(&body) else {
                return Err(ConnectProblem::NotBuildkit {
                    answer: first_line(status, &answer),
                });
            };
            let store = ["driver-type", "io.containerd.snapshotter.v1"];
            Ok(EngineInfo {
                version: parsed.server_version,
                containerd_image_store: parsed
                    .driver_status
                    .unwrap_or_default()
                    .iter()
                    .any(|pair| *pair == store),
            })
        })
        .await
}

/// Requests `GET /_ping`. Any answer is one.
pub(super) async fn ping(
    io: BoxIo,
    headers: &EngineHeaders,
    deadline: Deadline,
) -> Result<(), ConnectProblem> {
    let answer = exchange(io, request(Method::GET, "/_ping", None, headers));
    deadline.run(Stage::FirstCall, answer).await.map(drop)
}

/// Connects to the engine's BuildKit: `POST /grpc`, upgraded to HTTP/2.
pub(super) async fn upgrade(
    io: BoxIo,
    headers: &EngineHeaders,
    deadline: Deadline,
) -> Result<BoxIo, ConnectProblem> {
    let request = request(Method::POST, "/grpc", Some("h2c"), headers);
    switch(io, request, deadline).await
}

/// Opens a session through the engine: `POST /session` with the session's metadata as headers,
/// upgraded to HTTP/2. The engine is the HTTP/2 client.
pub(super) async fn session(
    io: BoxIo,
    headers: &EngineHeaders,
    metadata: &[(&'static str, String)],
    deadline: Deadline,
) -> Result<BoxIo, ConnectProblem> {
    let mut request = request(Method::POST, "/session", Some("h2c"), headers);
    for (name, value) in metadata {
        let name = http::HeaderName::from_static(name);
        if let Ok(value) = http::HeaderValue::from_str(value) {
            request.headers_mut().append(name, value);
        }
    }
    switch(io, request, deadline).await
}

/// Sends the request and returns the stream after the upgrade.
async fn switch(
    io: BoxIo,
    request: Request<Empty<Bytes>>,
    deadline: Deadline,
) -> Result<BoxIo, ConnectProblem> {
    deadline
        .run(Stage::Upgrade, async {
            let (mut sender, connection) =
                http1::handshake(TokioIo::new(io)).await.map_err(broken)?;
            let connection = connection.with_upgrades();
            let talk = async {
                let response = sender.send_request(request).await.map_err(broken)?;
                if response.status() != StatusCode::SWITCHING_PROTOCOLS {
                    return Err(refusal(response).await);
                }
                hyper::upgrade::on(response).await.map_err(broken)
            };
            let upgraded = drive(connection, talk).await?;
            Ok(Box::new(TokioIo::new(upgraded)) as BoxIo)
        })
        .await
}

/// Makes one request on its own connection.
async fn exchange(
    io: BoxIo,
    request: Request<Empty<Bytes>>,
) -> Result<(StatusCode, Bytes), ConnectProblem> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await.map_err(broken)?;
    let talk = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        Ok((response.status(), read(response).await?))
    };
    drive(connection, talk).await
}

/// Drives a connection until `talk` has finished.
pub(super) async fn drive<T>(
    connection: impl Future<Output = Result<(), hyper::Error>>,
    talk: impl Future<Output = Result<T, ConnectProblem>>,
) -> Result<T, ConnectProblem> {
    let mut connection = pin!(connection);
    let mut talk = pin!(talk);
    tokio::select! {
        biased;
        answer = &mut talk => answer,
        // The connection may end (an upgrade ends it) before `talk` has read its data.
        _ = &mut connection => talk.await,
    }
}

fn request(
    method: Method,
    path: &str,
    upgrade: Option<&'static str>,
    added: &EngineHeaders,
) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    *request.method_mut() = method;
    *request.uri_mut() = http::Uri::try_from(path).unwrap_or_default();
    let headers = request.headers_mut();
    headers.insert(header::HOST, http::HeaderValue::from_static("docker"));
    if let Some(protocol) = upgrade {
        headers.insert(
            header::CONNECTION,
            http::HeaderValue::from_static("Upgrade"),
        );
        headers.insert(header::UPGRADE, http::HeaderValue::from_static(protocol));
    }
    added.add_to(headers);
    request
}

pub(super) async fn read(response: Response<Incoming>) -> Result<Bytes, ConnectProblem> {
    match Limited::new(response.into_body(), ANSWER_LIMIT)
        .collect()
        .await
    {
        Ok(body) => Ok(body.to_bytes()),
        Err(source) => Err(ConnectProblem::Closed {
            source: Some(source),
        }),
    }
}

/// Explains a refused upgrade: the JSON `{"message": "…"}` says more than the status.
async fn refusal(response: Response<Incoming>) -> ConnectProblem {
    #[derive(Deserialize)]
    struct Answer {
        message: String,
    }
    let status = response.status();
    let body = match read(response).await {
        Ok(body) => body,
        Err(problem) => return problem,
    };
    // Go's answer to plain HTTP on a TLS port.
    if body.ends_with(b"HTTP request to an HTTPS server.\n") {
        return ConnectProblem::TlsRequired;
    }
    let answer = match serde_json::from_slice::<Answer>(&body) {
        Ok(answer) => format!("{status}: {}", answer.message),
        Err(_) => first_line(status, &String::from_utf8_lossy(&body)),
    };
    ConnectProblem::EngineWithoutBuildkit { answer }
}

pub(super) fn first_line(status: StatusCode, body: &str) -> String {
    let line: String = body
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| !crate::text::is_unprintable(*c))
        .take(100)
        .collect();
    match line.is_empty() {
        true => status.to_string(),
        false => format!("{status}: {line}"),
    }
}

pub(super) fn broken(error: hyper::Error) -> ConnectProblem {
    if error.is_parse() {
        return ConnectProblem::NotBuildkit {
            answer: "its answer is not HTTP".to_owned(),
        };
    }
    closed(std::io::Error::other(error))
}
