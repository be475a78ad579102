//! `solvekit login` and `logout` at the registry with TLS and a password; other tools read the
//! written credentials, and the reverse.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Engine, Finished, folder_of, interrupt, solvekit};

/// A configuration folder, with the registry's certificate authority beside it.
fn configuration(config: &str) -> TempDir {
    let engine = Engine::get();
    let folder = folder_of(&[("config.json", config)]);
    let certificates = certificates(&folder);
    fs::create_dir_all(&certificates).expect("it can be written");
    fs::copy(&engine.ca, certificates.join("ca.crt")).expect("the authority is there");
    folder
}

fn certificates(folder: &TempDir) -> std::path::PathBuf {
    folder
        .path()
        .join("certs.d")
        .join(&Engine::get().registry_tls)
}

fn command(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = solvekit(arguments);
    command.env("DOCKER_CONFIG", folder.path());
    if arguments[0] == "login" {
        command
            .arg("--certs-dir")
            .arg(folder.path().join("certs.d"));
    }
    command
}

fn login(folder: &TempDir, password: &str) -> Finished {
    let engine = Engine::get();
    let arguments = [
        "login",
        "-u",
        &engine.user,
        "--password-stdin",
        &engine.registry_tls,
    ];
    Finished::with_input(&mut command(folder, &arguments), format!("{password}\n"))
}

fn text(folder: &TempDir) -> String {
    fs::read_to_string(folder.path().join("config.json")).expect("it is there")
}

fn skopeo(arguments: &[&str], folder: &TempDir) -> Finished {
    let program = std::env::var("SKOPEO").expect("SKOPEO is set: `export $(tests/engine up)`");
    let mut command = Command::new(program);
    Finished::of(command.args(arguments).current_dir(folder.path()))
}

#[test]
fn a_login_is_kept_beside_what_the_file_has_and_read_by_others() {
    let engine = Engine::get();
    let before = "{\n\t\"HttpHeaders\": {},\n\t\"mine\": [1.0]\n}";
    let folder = configuration(before);
    let done = login(&folder, &engine.password).succeeded();
    assert_eq!(done.stdout, "Login Succeeded\n");
    assert!(
        done.stderr.contains("stored unencrypted in"),
        "{}",
        done.stderr
    );
    assert!(!done.stderr.contains(&engine.password));
    let after = text(&folder);
    assert!(after.starts_with(before.trim_end_matches("\n}")), "{after}");
    let metadata = fs::metadata(folder.path().join("config.json")).expect("it is there");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);

    let registry = engine.registry_tls.as_str();
    let who = skopeo(
        &[
            "login",
            "--get-login",
            "--authfile",
            "config.json",
            registry,
        ],
        &folder,
    );
    assert_eq!(who.succeeded().stdout.trim(), engine.user);
    let again = command(&folder, &["login", registry])
        .output()
        .expect("it runs");
    assert!(again.status.success());
    assert_eq!(text(&folder), after);

    let out = Finished::of(&mut command(&folder, &["logout", registry])).succeeded();
    assert_eq!(
        out.stdout,
        format!("Removing login credentials for {registry}\n")
    );
    let left: Value = serde_json::from_str(&text(&folder)).expect("JSON");
    assert_eq!(left, json!({"HttpHeaders": {}, "mine": [1.0], "auths": {}}));
    let out = Finished::of(&mut command(&folder, &["logout", registry])).succeeded();
    assert_eq!(out.stdout, format!("Not logged in to {registry}\n"));
}

#[test]
fn a_wrong_password_is_reported_and_not_stored() {
    let engine = Engine::get();
    let folder = configuration("{}");
    let failed = login(&folder, "wrong-horse");
    let failed = failed.failed_with(1, &[&engine.registry_tls, "401", "nothing was stored"]);
    assert!(!failed.stderr.contains("wrong-horse"), "{}", failed.stderr);
    assert_eq!(text(&folder), "{}");
}

#[test]
fn a_helper_keeps_the_password_and_forgets_it() {
    let engine = Engine::get();
    let registry = engine.registry_tls.as_str();
    let folder = configuration(&json!({"credsStore": "solvekit-test"}).to_string());
    let script = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 1
case "$1" in
store) cat > kept ;;
erase) cat > /dev/null; rm kept ;;
get) cat > /dev/null; cat kept 2> /dev/null || { echo 'credentials not found in native keychain'; exit 1; } ;;
esac
"#;
    let helper = folder.path().join("docker-credential-solvekit-test");
    fs::write(&helper, script).expect("it can be written");
    fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let path = std::env::var("PATH").expect("PATH");
    let path = format!("{}:{path}", folder.path().display());
    let arguments = [
        "login",
        "-u",
        &engine.user,
        "-p",
        &engine.password,
        registry,
    ];
    let done = Finished::of(command(&folder, &arguments).env("PATH", &path)).succeeded();
    assert!(done.stderr.contains("--password-stdin"), "{}", done.stderr);
    assert!(!done.stderr.contains("unencrypted"), "{}", done.stderr);
    let kept = fs::read(folder.path().join("kept")).expect("it is kept");
    let kept: Value = serde_json::from_slice(&kept).expect("JSON");
    let expected =
        json!({"ServerURL": registry, "Username": engine.user, "Secret": engine.password});
    assert_eq!(kept, expected);
    let file: Value = serde_json::from_str(&text(&folder)).expect("JSON");
    assert_eq!(file["auths"], json!({ registry: {} }));

    let again = Finished::of(command(&folder, &["login", registry]).env("PATH", &path)).succeeded();
    assert!(again.stderr.contains(&engine.user), "{}", again.stderr);
    Finished::of(command(&folder, &["logout", registry]).env("PATH", &path)).succeeded();
    assert!(!folder.path().join("kept").exists());
}

#[test]
fn what_skopeo_has_stored_is_used() {
    let engine = Engine::get();
    let folder = configuration("{}");
    let certificates = certificates(&folder);
    let certificates = certificates.to_str().expect("UTF-8");
    let login = [
        "login",
        "--authfile",
        "auth.json",
        "--cert-dir",
        certificates,
        "-u",
        &engine.user,
        "-p",
        &engine.password,
        &engine.registry_tls,
    ];
    skopeo(&login, &folder).succeeded();
    let auth = folder.path().join("auth.json");
    let mut command = command(&folder, &["login", &engine.registry_tls]);
    let done = Finished::of(command.env("REGISTRY_AUTH_FILE", auth)).succeeded();
    assert!(done.stderr.contains(&engine.user), "{}", done.stderr);
    assert_eq!(text(&folder), "{}");
}

#[test]
fn without_a_terminal_the_flags_are_named() {
    let folder = configuration("{}");
    let registry = &Engine::get().registry_tls;
    Finished::of(&mut command(&folder, &["login", registry]))
        .failed_with(1, &["no terminal", "--password-stdin"]);
    Finished::of(&mut command(
        &folder,
        &["login", "--password-stdin", registry],
    ))
    .failed_with(1, &["--username"]);
    let arguments = ["login", "-u", "me", "--password-stdin", registry];
    let mut empty = command(&folder, &arguments);
    Finished::with_input(&mut empty, "\n").failed_with(1, &["the password is empty"]);
}

/// Runs shell commands at a terminal. Each text is typed after the text before it was shown.
/// Returns everything that was shown.
fn at_a_terminal(folder: &TempDir, commands: &str, typed: &[(&str, &str)]) -> String {
    let login = format!(
        "{} login --certs-dir {} {}",
        env!("CARGO_BIN_EXE_solvekit"),
        folder.path().join("certs.d").display(),
        Engine::get().registry_tls
    );
    let script = folder.path().join("commands.sh");
    fs::write(&script, commands.replace("LOGIN", &login)).expect("it can be written");
    let mut terminal = Command::new("script")
        .args(["-qec", &format!("sh {}", script.display()), "/dev/null"])
        .env("DOCKER_CONFIG", folder.path())
        .env("REGISTRY_AUTH_FILE", folder.path().join("none"))
        .env_remove("DOCKER_AUTH_CONFIG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script is there");
    let mut keyboard = terminal.stdin.take().expect("piped");
    let mut screen = terminal.stdout.take().expect("piped");
    let mut shown = String::new();
    let mut typed = typed.iter();
    let mut next = typed.next();
    let mut piece = [0; 4096];
    loop {
        let read = screen.read(&mut piece).expect("it can be read");
        if read == 0 {
            break;
        }
        shown.push_str(&String::from_utf8_lossy(&piece[..read]));
        if let Some((prompt, text)) = next
            && shown.contains(prompt)
        {
            keyboard.write_all(text.as_bytes()).expect("it listens");
            next = typed.next();
        }
    }
    terminal.wait().expect("it ends");
    assert!(next.is_none(), "it never asked: {shown}");
    shown
}

#[test]
fn a_terminal_is_asked_and_the_password_not_shown() {
    let engine = Engine::get();
    let folder = configuration("{}");
    let [user, password] = [&engine.user, &engine.password].map(|text| format!("{text}\n"));
    let typed = [("Username: ", user.as_str()), ("Password: ", &password)];
    let shown = at_a_terminal(&folder, "LOGIN", &typed);
    assert!(shown.contains("Login Succeeded"), "{shown}");
    assert!(!shown.contains(&engine.password), "{shown}");
}

#[test]
fn ctrl_c_leaves_the_terminal_as_it_was() {
    let folder = configuration("{}");
    let commands = "trap : INT\nLOGIN\necho \"code $?\"\nstty -a";
    let typed = [("Username: ", "me\n"), ("Password: ", "\u{3}")];
    let shown = at_a_terminal(&folder, commands, &typed);
    assert!(shown.contains("code 130"), "{shown}");
    assert!(
        shown.contains(" echo ") && !shown.contains("-echo "),
        "{shown}"
    );
    assert_eq!(text(&folder), "{}");
}

#[test]
fn what_is_no_registry_is_reported() {
    let folder = configuration("{}");
    let web = folder_of(&[("index.html", "<html></html>")]);
    let web = crate::support::Web::of(web.path());
    let host = web.host();
    let arguments = ["login", "-u", "me", "-p", "secret-horse", &host];
    let failed = Finished::of(&mut command(&folder, &arguments)).failed_with(1, &[&host]);
    assert!(!failed.stderr.contains("secret-horse"), "{}", failed.stderr);
    assert_eq!(text(&folder), "{}");
}

#[test]
fn a_registry_that_asks_for_nothing_checks_nothing() {
    let registry = &Engine::get().registry;
    let folder = configuration("{}");
    let arguments = ["login", "-u", "me", "--password-stdin", registry];
    let mut command = command(&folder, &arguments);
    let done = Finished::with_input(&mut command, "anything").succeeded();
    assert!(done.stderr.contains("was not checked"), "{}", done.stderr);
}

#[test]
fn a_login_to_a_part_of_a_registry_is_for_that_part() {
    let engine = Engine::get();
    let folder = configuration("{}");
    let part = format!("{}/test/team", engine.registry_tls);
    let arguments = ["login", "-u", &engine.user, "--password-stdin", &part];
    Finished::with_input(&mut command(&folder, &arguments), engine.password.as_str()).succeeded();
    let base = format!("{}/library/alpine", engine.registry);
    let copy = |to: &str| {
        let mut command = command(
            &folder,
            &["image", "copy", "--platform=linux/amd64", &base, to],
        );
        Finished::of(
            command
                .arg("--certs-dir")
                .arg(folder.path().join("certs.d")),
        )
    };
    copy(&format!("{part}/alpine:1")).succeeded();
    copy(&format!("{}/test/others/alpine:1", engine.registry_tls)).failed_with(77, &["401"]);
    Finished::of(&mut command(&folder, &["logout", &part])).succeeded();
    copy(&format!("{part}/alpine:1")).failed_with(77, &["401"]);
}

#[test]
fn an_interrupt_ends_a_login_that_waits_for_its_password() {
    let folder = configuration("{}");
    let registry = &Engine::get().registry_tls;
    let arguments = ["login", "-u", "me", "--password-stdin", registry];
    let mut run = command(&folder, &arguments)
        .stdin(Stdio::piped())
        .spawn()
        .expect("it can be started");
    // By now it reads.
    std::thread::sleep(Duration::from_millis(500));
    interrupt(&run);
    let interrupted = Instant::now();
    loop {
        if let Some(status) = run.try_wait().expect("a child can be waited for") {
            assert_eq!(status.code(), Some(130));
            break;
        }
        assert!(interrupted.elapsed() < Duration::from_secs(5));
        std::thread::sleep(Duration::from_millis(10));
    }
}
