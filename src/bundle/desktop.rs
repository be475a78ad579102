//! Docker Desktop, which stores and shows bundles.

use std::path::Path;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use solvekit_host::sockets;

use super::{DesktopProblem, Error};
use crate::client::CONNECT_TIMEOUT;

/// The largest answer that is read, in bytes.
const ANSWER: usize = 1 << 20;

/// Uploads a bundle to the Docker Desktop at a socket. Returns its names of the builds.
///
/// # Errors
/// [`Error::Desktop`].
pub async fn upload(socket: &Path, bundle: Vec<u8>) -> Result<Vec<String>, Error> {
    let stream = sockets::connect(socket, CONNECT_TIMEOUT)
        .await
        .map_err(failed)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(failed)?;
    let mut request = Request::new(Full::new(Bytes::from(bundle)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = http::Uri::from_static("/upload");
    let host = http::HeaderValue::from_static("docker-desktop");
    request.headers_mut().insert(header::HOST, host);
    let talk = async {
        let response = sender.send_request(request).await.map_err(failed)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER).collect().await;
        Ok((
            status,
            body.map_err(|error| failed(DesktopProblem::Body(error)))?
                .to_bytes(),
        ))
    };
    let mut talk = std::pin::pin!(talk);
    let mut connection = std::pin::pin!(connection);
    let (status, body) = tokio::select! {
        biased;
        answer = &mut talk => answer?,
        _ = &mut connection => talk.await?,
    };
    if !status.is_success() {
        let message = String::from_utf8_lossy(&body);
        return Err(failed(DesktopProblem::Refused {
            status,
            message: message.trim().to_owned(),
        }));
    }
    serde_json::from_slice(&body).map_err(failed)
}

fn failed(reason: impl Into<DesktopProblem>) -> Error {
    Error::Desktop {
        reason: reason.into(),
    }
}
