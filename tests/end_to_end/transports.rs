//! The main use case over each kind of connection; a relay provides them in front of the same
//! BuildKit.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::eight_platforms::{all_platforms, assert_hello};
use crate::support::{Certificates, Engine, Finished, Pushed, Relay, solvekit};

#[test]
fn over_a_unix_socket() {
    let relay = Relay::unix();
    push_hello("unix", solvekit(["--addr", relay.address()]));
    assert!(relay.carried() > 0);
}

#[test]
fn over_tcp() {
    let relay = Relay::tcp();
    let mut command = solvekit::<&str>([]);
    command.env("BUILDKIT_HOST", relay.address());
    push_hello("tcp", command);
    assert!(relay.carried() > 0);
}

#[test]
fn over_a_long_line() {
    let relay = Relay::slow_tcp(Duration::from_millis(40));
    push_hello("slow", solvekit(["--addr", relay.address()]));
    assert!(relay.carried() > 0);
}

#[test]
fn over_tls_with_a_client_certificate() {
    let certificates = Certificates::make();
    let relay = Relay::tls(&certificates);
    let mut command = solvekit(["--addr", relay.address(), "--tlsdir"]);
    command.arg(certificates.folder());
    push_hello("tls", command);
    assert!(relay.carried() > 0);
}

#[test]
fn over_tls_with_each_file_named() {
    let certificates = Certificates::make();
    let relay = Relay::tls(&certificates);
    let mut command = solvekit(["--addr", relay.address(), "--tlsservername", "localhost"]);
    command.arg("--tlscacert").arg(certificates.path("ca.pem"));
    command.arg("--tlscert").arg(certificates.path("cert.pem"));
    command.arg("--tlskey").arg(certificates.path("key.pem"));
    push_hello("tls-files", command);
}

/// An engine that rejects everything; also returns the heads of the requests to it.
fn refusing_engine() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("tcp://{}", listener.local_addr().expect("bound"));
    let heads = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&heads);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            heard.lock().expect("not poisoned").push(head.join("\n"));
            let answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 15\r\n\r\n{\"message\":\"x\"}";
            // The client may be gone already.
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    (address, heads)
}

#[test]
fn an_engine_is_sent_the_users_headers() {
    let (engine, heads) = refusing_engine();
    let folder = tempfile::tempdir().expect("a folder");
    let config = r#"{"HttpHeaders":{"X-Token":"of-the-file","X-Other":"1"}}"#;
    std::fs::write(folder.path().join("config.json"), config).expect("written");
    let asked = |variable: &str| {
        heads.lock().expect("not poisoned").clear();
        let _ = std::fs::remove_dir_all(folder.path().join("buildx"));
        for arguments in [
            &["workers", "--builder", "default"][..],
            &["workers", "--addr", "docker://"],
            &["create", "--name=here", "--bootstrap"],
        ] {
            let mut command = solvekit(arguments);
            command.env_remove("BUILDKIT_HOST");
            command.env("DOCKER_CONFIG", folder.path());
            command.env("DOCKER_HOST", &engine);
            command.env("DOCKER_CUSTOM_HEADERS", variable);
            Finished::of(&mut command);
        }
        let heads = heads.lock().expect("not poisoned");
        // HTTP/2 has a different format.
        let heads = heads.iter().filter(|head| head.contains(" HTTP/1.1"));
        heads.cloned().collect::<Vec<_>>()
    };
    for (variable, token, others) in [("", "of-the-file", 1), ("x-token=a=b", "a=b", 0)] {
        let heads = asked(variable);
        for request in ["POST /grpc ", "GET /containers/"] {
            assert!(heads.iter().any(|it| it.starts_with(request)), "{heads:?}");
        }
        for head in heads {
            assert!(head.contains(&format!("\nx-token: {token}")), "{head}");
            assert_eq!(head.matches("\nx-other: 1").count(), others, "{head}");
        }
    }
}

#[test]
fn headers_that_cannot_be_sent_are_refused_by_name() {
    let mut command = solvekit(["workers", "--addr", "docker://"]);
    command.env("DOCKER_CUSTOM_HEADERS", "a=1,secret");
    let finished = Finished::of(&mut command);
    let message = "cannot use DOCKER_CUSTOM_HEADERS: pair 2 has no \"=\"";
    let finished = finished.failed_with(1, &[message, "NAME=VALUE,NAME2=VALUE2"]);
    assert!(!finished.stderr.contains("secret"), "{}", finished.stderr);
}

#[test]
fn over_the_engines_own_socket() {
    let host = &Engine::get().host;
    let Some(socket) = host.strip_prefix("docker://") else {
        return; // The daemon under test is a buildkitd: it has no such socket.
    };
    let mut command = solvekit(["--addr", "docker://"]);
    command.env_remove("BUILDKIT_HOST");
    command.env("DOCKER_HOST", format!("unix://{socket}"));
    push_hello("docker", command);
}

#[test]
fn a_server_of_another_authority_is_refused() {
    let (theirs, ours) = (Certificates::make(), Certificates::make());
    let relay = Relay::tls(&theirs);
    let mut command = solvekit(["--addr", relay.address(), "--tlsdir"]);
    command.arg(ours.folder());
    Finished::of(command.args(["build", "examples/hello"]))
        .failed_with(1, &[relay.address(), "certificate", "--tlscacert"]);
}

#[test]
fn a_client_without_certificate_learns_what_is_missing() {
    let certificates = Certificates::make();
    let relay = Relay::tls(&certificates);
    let mut command = solvekit(["--addr", relay.address(), "--tlscacert"]);
    command.arg(certificates.path("ca.pem"));
    Finished::of(command.args(["build", "examples/hello"]))
        .failed_with(1, &[relay.address(), "--tlscert"]);
}

#[test]
fn plain_tcp_to_a_tls_server_is_one_error_with_the_next_step() {
    let relay = Relay::tls(&Certificates::make());
    Finished::of(solvekit(["--addr", relay.address()]).args(["build", "examples/hello"]))
        .failed_with(1, &[relay.address(), "--tlscacert"]);
}

#[test]
fn tls_to_a_plain_server_is_one_error_with_the_next_step() {
    let relay = Relay::tcp();
    let certificates = Certificates::make();
    let mut command = solvekit(["--addr", relay.address(), "--tlsdir"]);
    command.arg(certificates.folder());
    Finished::of(command.args(["build", "examples/hello"]))
        .failed_with(1, &[relay.address(), "TLS"]);
}

#[track_caller]
fn push_hello(what: &str, mut command: Command) {
    let name = format!("{}:latest", Engine::get().name(what));
    let hello = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/hello");
    command.args([
        "build",
        "--platform",
        &all_platforms(),
        "-t",
        &name,
        "--push",
    ]);
    Finished::of(command.arg(hello)).succeeded();
    assert_hello(&Pushed::fetch(&name));
}
