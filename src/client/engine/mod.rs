//! The API of a Docker Engine (HTTP/1.1 on its socket): JSON calls, uploads, streamed answers,
//! programs in containers.

mod exec;
mod frames;
mod hang;
mod registry_auth;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Address, AddressProblem, Client, ConnectOptions, ConnectProblem, Error, Stage,
    dialer::Dialer,
    transport::{Deadline, closed},
};

pub(super) use exec::dial_buildkit;
pub(super) use hang::hang;
pub(crate) use registry_auth::registry_auth;

/// The largest answer that is read as a whole, in bytes.
const ANSWER_LIMIT: usize = 16 << 20;

/// A Docker Engine. Every call uses its own connection.
#[derive(Debug, Clone)]
pub struct Engine {
    dialer: Dialer,
}

/// An engine's answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EngineAnswer {
    /// The HTTP status, below 400.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

impl EngineAnswer {
    /// Returns the body as JSON; `null` if it is malformed.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Engine {
    /// Creates an engine without connecting yet.
    ///
    /// # Errors
    /// [`Error::InvalidAddress`] if the address is not an engine's; the errors of the TLS files.
    pub async fn new(options: &ConnectOptions) -> Result<Self, Error> {
        if !matches!(options.address, Address::Docker(_)) {
            return Err(Error::InvalidAddress {
                address: options.address.to_string(),
                reason: AddressProblem::NotAnEngine,
            });
        }
        let dialer = Dialer::new(options).await?;
        Ok(Self { dialer })
    }

    /// Returns the engine whose BuildKit a client is connected to; `None` for a `buildkitd`.
    pub(crate) fn of(client: &Client) -> Option<Self> {
        matches!(client.address, Address::Docker(_)).then(|| Self {
            dialer: client.dialer.clone(),
        })
    }

    /// Makes a call; `what` describes it for errors. The path has no version, so engines use their
    /// newest one.
    ///
    /// # Errors
    /// [`Error::Connect`]; [`Error::Engine`] if the answer is an error.
    pub async fn call(
        &self,
        what: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<EngineAnswer, Error> {
        let request = match body {
            None => request(method, path, "", Bytes::new()),
            Some(value) => request(method, path, "application/json", value.to_string().into()),
        };
        self.whole(what, request).await
    }

    /// Uploads bytes with a media type.
    ///
    /// # Errors
    /// As [`Engine::call`].
    pub async fn upload(
        &self,
        what: &str,
        path: &str,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<EngineAnswer, Error> {
        self.whole(what, request(Method::PUT, path, media_type, bytes))
            .await
    }

    /// Makes a call whose answer is one JSON object per line, without a time limit. `registry_auth`
    /// is the value of the header `X-Registry-Auth`.
    ///
    /// # Errors
    /// As [`Engine::call`]. `each` checks the lines and can end the call with its own error.
    pub async fn stream(
        &self,
        what: &str,
        path: &str,
        registry_auth: Option<&str>,
        mut each: impl FnMut(Value) -> Result<(), String>,
    ) -> Result<(), Error> {
        let mut request = request(Method::POST, path, "", Bytes::new());
        if let Some(Ok(value)) = registry_auth.map(http::HeaderValue::from_str) {
            request.headers_mut().insert("X-Registry-Auth", value);
        }
        let talk = async |response: Response<Incoming>| {
            let status = response.status();
            let mut body = response.into_body();
            let mut pending = Vec::new();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(broken)?;
                pending.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
                while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = pending.drain(..=end).collect();
                    if let Ok(value) = serde_json::from_slice(&line)
                        && let Err(message) = each(value)
                    {
                        return Ok(Err(message));
                    }
                }
            }
            Ok(Ok((status, pending)))
        };
        match self.exchange(request, talk).await? {
            Ok((status, _)) if status.is_success() => Ok(()),
            Ok((status, rest)) => Err(refused(what, status, &rest)),
            Err(message) => Err(Error::Engine {
                call: what.to_owned(),
                status: 200,
                message,
            }),
        }
    }

    async fn whole(
        &self,
        what: &str,
        request: Request<Full<Bytes>>,
    ) -> Result<EngineAnswer, Error> {
        let talk =
            async |response: Response<Incoming>| Ok((response.status(), read(response).await?));
        let (status, body) = self.exchange(request, talk).await?;
        if status.is_client_error() || status.is_server_error() {
            return Err(refused(what, status, &body));
        }
        Ok(EngineAnswer {
            status: status.as_u16(),
            body,
        })
    }

    async fn exchange<T>(
        &self,
        request: Request<Full<Bytes>>,
        talk: impl AsyncFnOnce(Response<Incoming>) -> Result<T, ConnectProblem>,
    ) -> Result<T, Error> {
        let exchanged = exchange(&self.dialer, self.dialer.deadline(), request, talk);
        exchanged.await.map_err(|problem| self.failed(problem))
    }

    fn failed(&self, problem: ConnectProblem) -> Error {
        Error::Connect {
            address: self.dialer.address().clone(),
            source: Box::new(problem),
        }
    }
}

/// Makes one request on its own connection, which is driven until `talk` has read the answer.
async fn exchange<T>(
    dialer: &Dialer,
    deadline: Deadline,
    mut request: Request<Full<Bytes>>,
    talk: impl AsyncFnOnce(Response<Incoming>) -> Result<T, ConnectProblem>,
) -> Result<T, ConnectProblem> {
    let io = dialer.open(deadline).await?;
    dialer.engine_headers().add_to(request.headers_mut());
    let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await.map_err(broken)?;
    let mut connection = std::pin::pin!(connection.with_upgrades());
    let mut talk = std::pin::pin!(async {
        let response = sender.send_request(request).await.map_err(broken)?;
        talk(response).await
    });
    tokio::select! {
        biased;
        answer = &mut talk => answer,
        _ = &mut connection => talk.await,
        problem = hang(dialer) => Err(problem),
    }
}

fn request(method: Method, path: &str, media_type: &str, body: Bytes) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = http::Uri::try_from(path).unwrap_or_default();
    let headers = request.headers_mut();
    headers.insert(header::HOST, http::HeaderValue::from_static("docker"));
    if let (false, Ok(value)) = (
        media_type.is_empty(),
        http::HeaderValue::from_str(media_type),
    ) {
        headers.insert(header::CONTENT_TYPE, value);
    }
    request
}

async fn read(response: Response<Incoming>) -> Result<Bytes, ConnectProblem> {
    let body = Limited::new(response.into_body(), ANSWER_LIMIT)
        .collect()
        .await;
    body.map(http_body_util::Collected::to_bytes)
        .map_err(|source| ConnectProblem::Closed {
            source: Some(source),
        })
}

/// The JSON `{"message": "…"}` says more than the status.
fn refused(what: &str, status: StatusCode, body: &[u8]) -> Error {
    #[derive(Deserialize)]
    struct Answer {
        message: String,
    }
    let message = match serde_json::from_slice::<Answer>(body) {
        Ok(answer) => answer.message,
        Err(_) => status.to_string(),
    };
    Error::Engine {
        call: what.to_owned(),
        status: status.as_u16(),
        message,
    }
}

fn broken(error: hyper::Error) -> ConnectProblem {
    if error.is_parse() {
        return ConnectProblem::NotBuildkit {
            answer: "its answer is not HTTP".to_owned(),
        };
    }
    closed(std::io::Error::other(error))
}

async fn within<T>(
    deadline: Deadline,
    work: impl Future<Output = Result<T, ConnectProblem>>,
) -> Result<T, ConnectProblem> {
    deadline.run(Stage::Upgrade, work).await
}
