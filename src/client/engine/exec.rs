//! Runs programs in containers, to their end or as a stream.

use bytes::Bytes;
use http::{Method, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

use super::frames::Frames;
use super::{Engine, exchange, read, request, within};
use crate::client::{
    ConnectProblem, Error,
    dialer::Dialer,
    transport::{BoxIo, Deadline, closed},
};

/// The most bytes of a program's output that are kept.
const OUTPUT: u64 = 1 << 20;

impl Engine {
    /// Runs a program in a container to its end. Returns its exit code, and its standard output and
    /// error combined.
    ///
    /// # Errors
    /// [`Error::Connect`] if the engine cannot run it.
    pub async fn run(&self, container: &str, command: &[&str]) -> Result<(i64, String), Error> {
        let ran = async {
            let deadline = self.dialer.deadline();
            let id = create(&self.dialer, container, command, deadline).await?;
            let stream = start(&self.dialer, &id, deadline).await?;
            let mut frames = Frames::new(stream);
            let mut output = Vec::new();
            // A killed program leaves partial output.
            let _ = (&mut frames).take(OUTPUT).read_to_end(&mut output).await;
            output.extend_from_slice(frames.stderr_end());
            Ok((id, String::from_utf8_lossy(&output).into_owned()))
        };
        let (id, output) = ran.await.map_err(|problem| self.failed(problem))?;
        let path = format!("/exec/{id}/json");
        let answer = self
            .call("look at the program", Method::GET, &path, None)
            .await?;
        Ok((answer.json()["ExitCode"].as_i64().unwrap_or(-1), output))
    }
}

/// Opens a stream to the BuildKit in a container, through `buildctl dial-stdio`.
pub(in crate::client) async fn dial_buildkit(
    dialer: &Dialer,
    container: &str,
    deadline: Deadline,
) -> Result<BoxIo, ConnectProblem> {
    let id = create(dialer, container, &["buildctl", "dial-stdio"], deadline).await?;
    let stream = start(dialer, &id, deadline).await?;
    Ok(Box::new(Frames::new(stream)))
}

async fn create(
    dialer: &Dialer,
    container: &str,
    command: &[&str],
    deadline: Deadline,
) -> Result<String, ConnectProblem> {
    let body = json!({
        "Cmd": command, "AttachStdin": true, "AttachStdout": true, "AttachStderr": true,
    });
    let path = format!("/containers/{container}/exec");
    let request = request(
        Method::POST,
        &path,
        "application/json",
        body.to_string().into(),
    );
    let created = exchange(dialer, deadline, request, async |response| {
        let status = response.status();
        Ok((status, read(response).await?))
    });
    let (status, body) = within(deadline, created).await?;
    match serde_json::from_slice::<Value>(&body).unwrap_or_default()["Id"].as_str() {
        Some(id) if status == StatusCode::CREATED => Ok(id.to_owned()),
        _ => Err(refusal(status, &body)),
    }
}

/// Starts the program; the connection becomes its standard input and output.
async fn start(dialer: &Dialer, id: &str, deadline: Deadline) -> Result<BoxIo, ConnectProblem> {
    let body = Bytes::from_static(br#"{"Detach":false,"Tty":false}"#);
    let path = format!("/exec/{id}/start");
    let mut request = request(Method::POST, &path, "application/json", body);
    let headers = request.headers_mut();
    headers.insert(
        header::CONNECTION,
        http::HeaderValue::from_static("Upgrade"),
    );
    headers.insert(header::UPGRADE, http::HeaderValue::from_static("tcp"));
    let started = exchange(dialer, deadline, request, async |response| {
        let status = response.status();
        if status != StatusCode::SWITCHING_PROTOCOLS {
            return Err(refusal(status, &read(response).await?));
        }
        let upgraded = hyper::upgrade::on(response).await;
        upgraded.map_err(|error| closed(std::io::Error::other(error)))
    });
    let upgraded = within(deadline, started).await?;
    Ok(Box::new(TokioIo::new(upgraded)))
}

fn refusal(status: StatusCode, body: &[u8]) -> ConnectProblem {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = answer["message"].as_str().map(str::to_owned);
    ConnectProblem::EngineRefusal {
        answer: message.unwrap_or_else(|| status.to_string()),
    }
}
