//! `docker run --rm IMAGE` through the engine's API: docker itself, not solvekit, pulls and runs
//! the pushed image.

use std::process::Command;

use serde_json::{Value, json};

/// Pulls an image by tag or digest, runs it, and removes the container. Returns its output.
pub(crate) fn run(socket: &str, image: &str, platform: &str) -> String {
    println!("  (the engine runs {image})");
    let (name, version) = match image.split_once('@') {
        Some(parts) => parts,
        None => image.rsplit_once(':').expect("a tag"),
    };
    let platform = platform.replace('/', "%2F");
    let pull = format!("/images/create?fromImage={name}&tag={version}&platform={platform}");
    call(socket, "POST", &pull, None);
    let body = json!({"Image": image, "Tty": true});
    let path = format!("/containers/create?platform={platform}");
    let made = call(socket, "POST", &path, Some(&body));
    let made: Value = serde_json::from_slice(&made).expect("JSON");
    let id = made["Id"].as_str().unwrap_or_else(|| panic!("{made}"));
    call(socket, "POST", &format!("/containers/{id}/start"), None);
    let ended = call(socket, "POST", &format!("/containers/{id}/wait"), None);
    let log = call(
        socket,
        "GET",
        &format!("/containers/{id}/logs?stdout=1&stderr=1"),
        None,
    );
    call(socket, "DELETE", &format!("/containers/{id}?force=1"), None);
    let log = String::from_utf8_lossy(&log).replace('\r', "");
    let ended: Value = serde_json::from_slice(&ended).expect("JSON");
    assert_eq!(ended["StatusCode"], 0, "{log}");
    log
}

/// The architecture of an image in the engine.
pub(crate) fn architecture(socket: &str, image: &str) -> String {
    let kept = call(socket, "GET", &format!("/images/{image}/json"), None);
    let kept: Value = serde_json::from_slice(&kept).expect("JSON");
    kept["Architecture"].as_str().unwrap_or_default().to_owned()
}

fn call(socket: &str, method: &str, path: &str, body: Option<&Value>) -> Vec<u8> {
    let mut command = Command::new("curl");
    command.args([
        "-sS",
        "--fail-with-body",
        "--unix-socket",
        socket,
        "-X",
        method,
    ]);
    if let Some(body) = body {
        command.args([
            "-H",
            "Content-Type: application/json",
            "-d",
            &body.to_string(),
        ]);
    }
    let output = command.arg(format!("http://docker{path}")).output();
    let output = output.expect("curl is there");
    assert!(output.status.success(), "{path}: {output:?}");
    output.stdout
}
