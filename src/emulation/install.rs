//! Registers emulators with the kernel of a Docker Engine's machine, through a privileged
//! container.

use http::Method;
use serde_json::json;

use super::Error;
use crate::builder::{Boot, pull};
use crate::client::{ConnectOptions, Engine};
use crate::oci::Reference;

/// The default image with the emulators.
pub const IMAGE: &str = "tonistiigi/binfmt";

/// A change of the emulators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Registers emulators: architectures or platforms separated by commas, or `all`.
    Install(String),
    /// Removes emulators: architectures, or names of handlers with `*` as wildcard (`qemu-*`).
    Uninstall(String),
}

impl Change {
    fn arguments(&self) -> [&str; 2] {
        match self {
            Self::Install(which) => ["--install", which],
            Self::Uninstall(which) => ["--uninstall", which],
        }
    }
}

/// Does the same as `docker run --privileged --rm IMAGE --install WHICH`, and returns the program's
/// output.
///
/// The engine pulls the image. The registrations apply to its machine until the next restart.
///
/// # Errors
/// If the image cannot be pulled, the container cannot be run, or its program fails.
pub async fn install(
    options: &ConnectOptions,
    image: &Reference,
    change: &Change,
    boot: &Boot<'_>,
) -> Result<String, Error> {
    let engine = Engine::new(options).await?;
    pull(&engine, image, boot.credentials, boot.lines()).await?;
    let image = image.clone().with_default_tag();
    let body = json!({
        "Image": image.to_string(),
        "Cmd": change.arguments(),
        // With a terminal the output has no frame headers.
        "Tty": true,
        "HostConfig": { "Privileged": true, "NetworkMode": "none" },
    });
    let made = engine
        .call(
            "make the container",
            Method::POST,
            "/containers/create",
            Some(&body),
        )
        .await?
        .json();
    let id = made["Id"].as_str().unwrap_or_default();
    let ran = run(&engine, id).await;
    let path = format!("/containers/{id}?force=1&v=1");
    let removed = engine
        .call("remove the container", Method::DELETE, &path, None)
        .await;
    let (code, output) = ran?;
    removed?;
    match code {
        0 => Ok(output),
        code => Err(Error::Program {
            image: image.familiar(),
            what: change.arguments().join(" "),
            code,
            output,
        }),
    }
}

async fn run(engine: &Engine, id: &str) -> Result<(i64, String), Error> {
    let path = |what: &str| format!("/containers/{id}/{what}");
    engine
        .call("start the container", Method::POST, &path("start"), None)
        .await?;
    let ended = engine
        .call("wait for the container", Method::POST, &path("wait"), None)
        .await?;
    let log = engine
        .call(
            "read the container's output",
            Method::GET,
            &path("logs?stdout=1&stderr=1"),
            None,
        )
        .await?;
    let output = String::from_utf8_lossy(&log.body).replace('\r', "");
    Ok((ended.json()["StatusCode"].as_i64().unwrap_or(-1), output))
}
