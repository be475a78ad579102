//! `solvekit doctor`: reports what works, and for each broken part the command that repairs it.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

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
