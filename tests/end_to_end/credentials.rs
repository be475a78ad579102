//! The registry with TLS and a password, with the credentials in Docker's configuration.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use base64::Engine as _;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Engine, Finished, Pushed, folder_of, solvekit};

const PLATFORMS: &str = "linux/amd64,linux/arm/v7";

#[test]
fn a_name_and_password_from_auths() {
    let engine = Engine::get();
    let config = configuration(auths(&engine.password));
    push(
        "auths",
        solvekit::<&str>([]).env("DOCKER_CONFIG", config.path()),
    );
}

#[test]
fn a_name_and_password_from_the_environment() {
    let engine = Engine::get();
    let text = auths(&engine.password).to_string();
    push(
        "environment",
        solvekit::<&str>([]).env("DOCKER_AUTH_CONFIG", text),
    );
}

#[test]
fn a_name_and_password_from_a_credential_helper() {
    let engine = Engine::get();
    let config = configuration(json!({ "credHelpers": { &engine.registry_tls: "solvekit-test" } }));
    let helper = config.path().join("docker-credential-solvekit-test");
    let answer = json!({ "ServerURL": &engine.registry_tls, "Username": &engine.user,
        "Secret": &engine.password });
    fs::write(
        &helper,
        format!("#!/bin/sh\ncat > /dev/null\necho '{answer}'\n"),
    )
    .expect("it can be written");
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let path = format!(
        "{}:{}",
        config.path().display(),
        std::env::var("PATH").expect("PATH")
    );
    push(
        "helper",
        solvekit::<&str>([])
            .env("DOCKER_CONFIG", config.path())
            .env("PATH", path),
    );
}

#[test]
fn a_base_image_that_needs_a_password() {
    let engine = Engine::get();
    let config = configuration(auths(&engine.password));
    let base = push(
        "base",
        solvekit::<&str>([]).env("DOCKER_CONFIG", config.path()),
    );
    let name = format!("{}:latest", engine.name("on-base"));
    let context = folder_of(&[("Dockerfile", &format!("FROM {base}\nRUN cat /word\n"))]);
    Finished::of(
        solvekit(["build", "--platform", PLATFORMS, "-t", &name, "--push"])
            .arg(context.path())
            .env("DOCKER_CONFIG", config.path()),
    )
    .succeeded();
    assert_eq!(
        Pushed::fetch(&name).file("linux/arm/v7", "/word"),
        "hello\n"
    );
}

#[test]
fn no_password_names_the_registry_and_the_command_that_mends_it() {
    let (name, context) = hello("none");
    let login = format!("solvekit login {}", Engine::get().registry_tls);
    Finished::of(
        solvekit(["build", "--platform", PLATFORMS, "-t", &name, "--push"]).arg(context.path()),
    )
    .failed_with(77, &["401", &login]);
    assert!(Pushed::find(&name).is_none());
}

#[test]
fn a_wrong_password_is_never_printed() {
    let config = configuration(auths("wrong-horse"));
    let (name, context) = hello("wrong");
    let run = Finished::of(
        solvekit(["build", "--platform", PLATFORMS, "-t", &name, "--push"])
            .arg(context.path())
            .env("DOCKER_CONFIG", config.path()),
    )
    .failed_with(77, &["401", &Engine::get().registry_tls]);
    let encoded = base64::engine::general_purpose::STANDARD.encode("tester:wrong-horse");
    assert!(
        !run.stderr.contains("wrong-horse") && !run.stderr.contains(&encoded),
        "{}",
        run.stderr
    );
}

#[track_caller]
fn push(what: &str, command: &mut Command) -> String {
    let (name, context) = hello(what);
    command.args(["build", "--platform", PLATFORMS, "-t", &name, "--push"]);
    Finished::of(command.arg(context.path())).succeeded();
    let pushed = Pushed::fetch(&name);
    assert_eq!(pushed.file("linux/arm/v7", "/word"), "hello\n");
    name
}

fn hello(what: &str) -> (String, TempDir) {
    let context = folder_of(&[("Dockerfile", "FROM alpine\nRUN echo hello > /word\n")]);
    (format!("{}:latest", Engine::get().name_tls(what)), context)
}

fn auths(password: &str) -> serde_json::Value {
    let engine = Engine::get();
    let pair = format!("{}:{password}", engine.user);
    let encoded = base64::engine::general_purpose::STANDARD.encode(pair);
    json!({ "auths": { &engine.registry_tls: { "auth": encoded } } })
}

fn configuration(config: serde_json::Value) -> TempDir {
    folder_of(&[("config.json", &config.to_string())])
}
