//! The main job over each way to a daemon; the relay stands in front of the same BuildKit.

use std::path::Path;
use std::process::Command;
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
