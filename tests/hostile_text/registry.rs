//! A registry whose images and messages are full of hostile text.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::HOSTILE;

/// Serves until the process ends; returns its `host:port`. The repository `good` has an image; all
/// other requests are rejected.
pub(super) fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream));
        }
    });
    host
}

fn answer(mut stream: TcpStream) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?);
    let mut request = String::new();
    lines.read_line(&mut request).ok()?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).ok()? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    lines.take(length).read_to_end(&mut Vec::new()).ok()?;
    let path = request.split(' ').nth(1)?.to_owned();
    let (status, kind, body) = match path.as_str() {
        "/v2/" => ("200 OK", "application/json".to_owned(), "{}".to_owned()),
        path if path.starts_with("/v2/good/manifests/") => manifest(path),
        path if path.starts_with("/v2/good/blobs/") => {
            ("200 OK", "application/octet-stream".to_owned(), config())
        }
        _ => {
            let error =
                json!({"errors": [{"code": HOSTILE, "message": HOSTILE, "detail": HOSTILE}]});
            (
                "400 Bad Request",
                "application/json".to_owned(),
                error.to_string(),
            )
        }
    };
    let digest = format!("sha256:{:x}", Sha256::digest(&body));
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nDocker-Content-Digest: \
         {digest}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let body = if request.starts_with("HEAD") {
        String::new()
    } else {
        body
    };
    stream.write_all(format!("{head}{body}").as_bytes()).ok()
}

fn config() -> String {
    json!({
        "os": "linux",
        "architecture": "amd64",
        "author": HOSTILE,
        "config": {"Env": [format!("A={HOSTILE}")], "Labels": {HOSTILE: HOSTILE}, "Cmd": [HOSTILE]},
        "history": [{"created_by": HOSTILE, "empty_layer": true}],
        "rootfs": {"type": "layers", "diff_ids": []},
    })
    .to_string()
}

fn image() -> String {
    json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": format!("sha256:{:x}", Sha256::digest(config())),
            "size": config().len(),
        },
        "layers": [],
        "annotations": {HOSTILE: HOSTILE},
    })
    .to_string()
}

fn manifest(path: &str) -> (&'static str, String, String) {
    let digest = format!("sha256:{:x}", Sha256::digest(image()));
    if path.ends_with(&digest) {
        return (
            "200 OK",
            "application/vnd.oci.image.manifest.v1+json".to_owned(),
            image(),
        );
    }
    let index = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": digest,
            "size": image().len(),
            "platform": {"os": "linux", "architecture": "amd64", "variant": HOSTILE,
                "os.version": HOSTILE},
            "annotations": {HOSTILE: HOSTILE},
            "artifactType": HOSTILE,
        }],
        "annotations": {HOSTILE: HOSTILE},
    });
    (
        "200 OK",
        "application/vnd.oci.image.index.v1+json".to_owned(),
        index.to_string(),
    )
}
