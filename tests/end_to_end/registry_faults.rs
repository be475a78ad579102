//! Registries that reject requests. Faults that the real ones cannot show come from a few lines of
//! HTTP here.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use crate::support::{Finished, folder_of, solvekit, unique};

#[test]
fn a_push_that_is_forbidden_names_registry_and_scope() {
    let registry = answering("127.0.0.1".parse().expect("an address"), "403 Forbidden");
    push(&registry).failed_with(77, &["403", &registry, "demo/hello"]);
}

#[test]
fn a_push_that_is_forbidden_ends_the_build_before_its_steps_are_through() {
    let registry = answering("127.0.0.1".parse().expect("an address"), "403 Forbidden");
    let context = folder_of(&[(
        "Dockerfile",
        &format!("FROM busybox\nRUN sleep 300; : {}\n", unique()),
    )]);
    let name = format!("{registry}/demo/hello");
    let build = Finished::of(solvekit(["build", "--push", "-t", &name]).arg(context.path()));
    assert!(build.took < Duration::from_secs(200), "{:?}", build.took);
    build.failed_with(77, &["could not be pushed", "403", &name, "login"]);
}

#[test]
fn a_registry_without_tls_gets_the_lines_of_the_daemons_configuration() {
    let registry = answering(own_address(), "200 OK");
    push(&registry).failed_with(1, &[&registry, "http = true", "buildkitd.toml"]);
}

#[test]
fn a_registry_that_is_not_there_is_named() {
    push("127.0.0.1:1").failed_with(75, &["127.0.0.1:1", "refused"]);
}

fn push(registry: &str) -> Finished {
    let context = folder_of(&[("Dockerfile", "FROM alpine\n")]);
    let name = format!("{registry}/demo/hello:latest");
    Finished::of(
        solvekit([
            "build",
            "--platform",
            "linux/amd64,linux/arm64",
            "-t",
            &name,
            "--push",
        ])
        .arg(context.path()),
    )
}

/// A server that answers every request with this status; returns its `host:port`.
fn answering(address: IpAddr, status: &'static str) -> String {
    let listener = TcpListener::bind((address, 0)).expect("a free port");
    let name = listener.local_addr().expect("bound").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer(stream, status));
        }
    });
    name
}

fn answer(mut stream: TcpStream, status: &str) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        // The first byte of a TLS handshake. Servers of plain HTTP answer it with a bad request.
        if reader.fill_buf().ok()?.first() == Some(&0x16) {
            return stream
                .write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
                .ok();
        }
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).ok().filter(|&read| read > 0)?;
        }
        // A denial in a registry's own format: that of a gateway would not end a build.
        let body = match status.starts_with("403") {
            true => r#"{"errors":[{"code":"DENIED","message":"not yours"}]}"#,
            false => "",
        };
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all((head + body).as_bytes()).ok()?;
    }
}

/// This machine's network address: daemons use plain HTTP for loopback addresses by default.
fn own_address() -> IpAddr {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    // Nothing is sent: the route determines the address.
    socket.connect("192.0.2.1:9").expect("there is a route");
    socket.local_addr().expect("bound").ip()
}
