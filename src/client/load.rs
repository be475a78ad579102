//! Loads images into a Docker Engine: `POST /images/load` takes an archive and reports the result.

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;

use super::docker::{broken, drive, first_line, read};
use super::engine::hang;
use super::transport::{BoxIo, Deadline, closed};
use super::{ConnectOptions, ConnectProblem, EngineHeaders, Error, dialer::Dialer};

/// A line of the engine's answer.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Line {
    stream: String,
    error: String,
    message: String,
}

/// Streams an archive in the format of `docker save` to a Docker Engine. Returns the engine's
/// messages, such as `Loaded image: alpine:3.20`.
///
/// # Errors
/// [`Error::Connect`] if the engine cannot be reached or the connection breaks; [`Error::Engine`]
/// with the engine's message.
pub async fn load_image(
    options: &ConnectOptions,
    archive: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
) -> Result<Vec<String>, Error> {
    let failed = |problem| Error::Connect {
        address: options.address.clone(),
        source: Box::new(problem),
    };
    let deadline = Deadline::new(options.limits.connect);
    let dialer = Dialer::new(options).await?;
    let io = dialer.open(deadline).await.map_err(failed)?;
    let answer = tokio::select! {
        answer = post(io, &options.engine_headers, archive) => answer,
        problem = hang(&dialer) => Err(problem),
    };
    let (status, body) = answer.map_err(failed)?;
    understand(status, &body)
}

async fn post(
    io: BoxIo,
    added: &EngineHeaders,
    archive: impl Stream<Item = std::io::Result<Bytes>> + Send + 'static,
) -> Result<(StatusCode, Bytes), ConnectProblem> {
    let body = StreamBody::new(archive.map_ok(Frame::data)).boxed_unsync();
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = http::Uri::from_static("/images/load?quiet=1");
    let headers = request.headers_mut();
    headers.insert(header::HOST, http::HeaderValue::from_static("docker"));
    let kind = http::HeaderValue::from_static("application/x-tar");
    headers.insert(header::CONTENT_TYPE, kind);
    added.add_to(headers);
    let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await.map_err(broken)?;
    let talk = async {
        let sent = sender.send_request(request).await;
        let response = sent.map_err(|error| closed(std::io::Error::other(error)))?;
        Ok((response.status(), read(response).await?))
    };
    drive(connection, talk).await
}

/// Returns the lines of the answer, or the error among them.
fn understand(status: StatusCode, body: &[u8]) -> Result<Vec<String>, Error> {
    let refused = |message| Error::Engine {
        call: "load the image".to_owned(),
        status: status.as_u16(),
        message,
    };
    let mut messages = Vec::new();
    for line in serde_json::Deserializer::from_slice(body).into_iter::<Line>() {
        let Ok(line) = line else { break };
        let error = if status.is_success() {
            line.error
        } else {
            line.message
        };
        if !error.is_empty() {
            return Err(refused(error));
        }
        let text = line.stream.trim();
        if !text.is_empty() {
            messages.push(text.to_owned());
        }
    }
    match status.is_success() {
        true => Ok(messages),
        false => Err(refused(first_line(status, &String::from_utf8_lossy(body)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_words_are_reported() {
        let messages = understand(
            StatusCode::OK,
            b"{\"stream\":\"Loaded image: a:1\\n\"}\r\n{\"stream\":\"Loaded image: a:2\\n\"}\r\n",
        );
        assert_eq!(
            messages.unwrap(),
            ["Loaded image: a:1", "Loaded image: a:2"]
        );
        for (status, body, part) in [
            (
                200,
                "{\"errorDetail\":{\"message\":\"x\"},\"error\":\"no space\"}",
                "no space",
            ),
            (500, "{\"message\":\"broken tar\"}", "broken tar"),
            (404, "page not found\n", "404 Not Found: page not found"),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let error = understand(status, body.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
