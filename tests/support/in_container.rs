//! Runs programs in the engine's containers, through its API.

use std::process::Command;

use serde_json::{Value, json};

/// Runs a program in a container; returns its standard output.
pub fn in_container(socket: &str, container: &str, command: &[&str]) -> String {
    let body = json!({"Cmd": command, "AttachStdout": true, "Tty": true});
    let created = call(socket, &format!("/containers/{container}/exec"), &body);
    let created: Value = serde_json::from_slice(&created).expect("JSON");
    let id = created["Id"]
        .as_str()
        .unwrap_or_else(|| panic!("{created}"));
    let output = call(socket, &format!("/exec/{id}/start"), &json!({"Tty": true}));
    String::from_utf8_lossy(&output).into_owned()
}

fn call(socket: &str, path: &str, body: &Value) -> Vec<u8> {
    let output = Command::new("curl")
        .args([
            "-sS",
            "--unix-socket",
            socket,
            "-H",
            "Content-Type: application/json",
            "-d",
        ])
        .arg(body.to_string())
        .arg(format!("http://docker{path}"))
        .output()
        .expect("curl is there");
    assert!(output.status.success(), "{output:?}");
    output.stdout
}
