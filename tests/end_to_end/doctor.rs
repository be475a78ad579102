//! `solvekit doctor`: reports what works, and for each broken part the command that repairs it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{BuilderHome, Engine, Finished, folder_of, solvekit};

#[test]
fn the_engine_and_its_registries_are_well() {
    let engine = Engine::get();
    let home = folder_of(&[("config.json", "{}")]);
    let mut command = solvekit(["doctor", "--certs-dir"]);
    command.arg(home.path().join("certs.d"));
    let certificates = home.path().join("certs.d").join(&engine.registry_tls);
    fs::create_dir_all(&certificates).expect("made");
    fs::copy(&engine.ca, certificates.join("ca.crt")).expect("copied");
    command.args([&engine.registry, &engine.registry_tls]);
    command.env("DOCKER_CONFIG", home.path());
    let done = Finished::of(&mut command).succeeded();
    for line in [
        "ok    daemon ",
        "ok    logins     none is stored",
        &format!(
            "{} answers over plain HTTP, without a login",
            engine.registry
        ),
        &format!("{} answers; no login is stored", engine.registry_tls),
        &format!("0 in {}", home.path().join("buildx").display()),
        "Everything works.",
    ] {
        assert!(done.stdout.contains(line), "{line}: {}", done.stdout);
    }
    assert_eq!(done.stderr, "");
}

#[test]
fn what_is_broken_is_found_with_its_repair() {
    let engine = Engine::get();
    let auths = json!({
        "auths": {engine.registry_tls.as_str(): {"auth": "dGVzdGVyOndyb25n"}},
        "credHelpers": {"far.example": "missing"},
    });
    let home = folder_of(&[
        ("config.json", &auths.to_string()),
        ("buildx/instances/broken", "{"),
        ("bin/docker", ""),
    ]);
    let docker = home.path().join("bin/docker");
    fs::set_permissions(&docker, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    fs::create_dir(home.path().join("cli-plugins")).expect("made");
    symlink("/gone", home.path().join("cli-plugins/docker-buildx")).expect("linked");
    let mut command = solvekit(["doctor", "--format", "json", "--addr", "unix:///no/socket"]);
    command.args([
        "--insecure-registry",
        &engine.registry_tls,
        &engine.registry_tls,
    ]);
    command.env("DOCKER_CONFIG", home.path());
    command.env("PATH", home.path().join("bin"));
    command.env("https_proxy", "http://:99999");
    let done = Finished::of(&mut command);
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    let lines = done.stdout.lines();
    let found: Vec<Value> = lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    for (check, text, fix) in [
        ("daemon", "/no/socket", ""),
        (
            "logins",
            "docker-credential-missing keeps them, but is not on PATH",
            "install it",
        ),
        ("registry", "refuses the stored login", "solvekit login"),
        (
            "proxy",
            "HTTPS_PROXY is set, but is no address",
            "http://HOST:PORT",
        ),
        ("builders", "buildx/instances/broken", ""),
        (
            "plugin",
            "which cannot be used",
            "install-plugin --buildx --force",
        ),
    ] {
        let is_it = |it: &&Value| {
            let has = |field: &str, text: &str| it[field].as_str().unwrap_or("").contains(text);
            it["check"] == check && it["state"] == "fail" && has("text", text) && has("fix", fix)
        };
        assert!(
            found.iter().any(|it| is_it(&it)),
            "{check}: {}",
            done.stdout
        );
    }
    assert!(!done.stdout.contains("wrong"), "the password is in it");
}

#[test]
fn a_builder_that_is_not_running_is_not_started() {
    let socket = Engine::get()
        .host
        .strip_prefix("docker://")
        .expect("an engine");
    let home = BuilderHome::with_engine(&format!("unix://{socket}"));
    let run = |arguments: &[&str]| home.run(arguments).succeeded().stdout;
    run(&[
        "create",
        "--name",
        "sleeping",
        "--driver",
        "docker-container",
    ]);
    let report = run(&["doctor", "--builder", "sleeping"]);
    assert!(
        report.contains("node sleeping0 is not running; the next build starts it"),
        "{report}"
    );
    assert!(run(&["ls"]).contains("inactive"));
}

/// What `solvekit doctor --format json` finds.
fn findings(home: &TempDir, arguments: &[&str], variables: &[(&str, &str)]) -> Vec<Value> {
    let mut command = solvekit(["doctor", "--format", "json"]);
    command.args(arguments).env_remove("BUILDKIT_HOST");
    command.env("DOCKER_CONFIG", home.path());
    command.envs(variables.iter().copied());
    let done = Finished::of(&mut command);
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    assert_eq!(done.stderr, "", "it is in the report");
    let lines = done.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn assert_found(found: &[Value], check: &str, text: &str, fix: &str) {
    let is_it = |it: &&Value| {
        let has = |field: &str, text: &str| it[field].as_str().unwrap_or("").contains(text);
        it["check"] == check && it["state"] == "fail" && has("text", text) && has("fix", fix)
    };
    assert!(found.iter().any(|it| is_it(&it)), "{check}: {found:?}");
    for it in found.iter().filter(|it| it["state"] == "fail") {
        assert!(it["fix"].is_string(), "without a next step: {it}");
    }
}

#[test]
fn files_that_cannot_be_read_are_named_with_the_next_step() {
    let home = folder_of(&[("config.json", "{\"auths\":"), ("buildx", "")]);
    let found = findings(&home, &["--addr", "unix:///no/socket"], &[]);
    assert_found(
        &found,
        "logins",
        "is not a docker configuration",
        "correct ",
    );
    assert_found(&found, "builders", "Not a directory", "BUILDX_CONFIG");

    let home = folder_of(&[("config.json/file", "")]);
    let found = findings(&home, &["--addr", "unix:///no/socket"], &[]);
    assert_found(&found, "logins", "Is a directory", "DOCKER_CONFIG");
    assert_found(&found, "builders", "Is a directory", "DOCKER_CONFIG");
}

#[test]
fn a_docker_host_of_another_system_is_reported() {
    let home = folder_of(&[("config.json", "{}")]);
    let variables = [("DOCKER_HOST", "npipe:////./pipe/docker_engine")];
    let found = findings(&home, &[], &variables);
    assert_found(
        &found,
        "daemon",
        "DOCKER_HOST is ignored",
        "unix:///var/run/docker.sock",
    );
}

#[test]
fn a_context_that_does_not_exist_is_named_with_its_variable() {
    let home = folder_of(&[("config.json", "{\"currentContext\": \"gone\"}")]);
    let found = findings(&home, &[], &[("DOCKER_CONTEXT", "no\nne")]);
    assert_found(
        &found,
        "daemon",
        "DOCKER_CONTEXT names the context \"no\\nne\", which the docker CLI does not have",
        "docker context ls lists those it has; unset DOCKER_CONTEXT",
    );
    let found = findings(&home, &[], &[]);
    assert_found(
        &found,
        "daemon",
        "docker's config.json names the context \"gone\", which the docker CLI does not have",
        "docker context use NAME",
    );
    let mut command = solvekit(["inspect"]);
    command.env("DOCKER_CONFIG", home.path());
    let done = Finished::of(&mut command);
    assert!(
        done.stderr.contains("names the context \"gone\""),
        "{}",
        done.stderr
    );
}

#[test]
fn a_buildkitd_on_path_is_not_started() {
    let home = folder_of(&[
        ("config.json", "{}"),
        ("bin/buildkitd", "#!/bin/sh\n: >\"$MARKER\"\nexit 1\n"),
    ]);
    let daemon = home.path().join("bin/buildkitd");
    fs::set_permissions(&daemon, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    let mut command = solvekit(["doctor"]);
    command.env_remove("BUILDKIT_HOST");
    command.env("DOCKER_HOST", "unix:///no/socket");
    command.env("DOCKER_CONFIG", home.path());
    command.env("PATH", home.path().join("bin"));
    command.env("MARKER", home.path().join("started"));
    let done = Finished::of(&mut command).succeeded();
    let text = "none is running; a build starts buildkitd";
    assert!(done.stdout.contains(text), "{}", done.stdout);
    assert!(!home.path().join("started").exists());
}

#[test]
fn a_registry_that_cannot_be_used_has_a_fitting_next_step() {
    let home = folder_of(&[("config.json", "{\"credsStore\": \"missing\"}")]);
    let registry = &Engine::get().registry;
    let found = findings(&home, &["--timeout=1", registry], &[]);
    let helper = "cannot run the credential helper docker-credential-missing";
    assert_found(
        &found,
        "registry",
        helper,
        "install docker-credential-missing",
    );

    let home = folder_of(&[("config.json", "{}")]);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = listener.local_addr().expect("bound").to_string();
    let found = findings(&home, &["--timeout=1", &silent], &[]);
    assert_found(&found, "registry", "does not answer within 2 s", "network");
    drop(listener);
    let proxy = format!("http://{silent}");
    let variables = [("HTTPS_PROXY", &*proxy)];
    let found = findings(&home, &["--timeout=1", "far.example"], &variables);
    let text = "cannot reach the registry far.example through the proxy";
    assert_found(&found, "registry", text, "NO_PROXY=far.example");
}
