//! Error messages for failed connections: each names the address and the cause.

use std::{error::Error as _, path::Path, time::Duration};

use solvekit::client::{Address, Client, ConnectOptions, TimeLimits, TlsOptions};

use super::{
    certificates::Certificates,
    relay::{Relay, Target, server_config},
};

/// The error with its causes, as it is printed.
async fn failure(options: ConnectOptions) -> String {
    let error = Client::connect(&options).await.unwrap_err();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    eprintln!("{text}\n");
    text
}

fn at(address: &str) -> ConnectOptions {
    ConnectOptions::new(Address::parse(address).unwrap())
}

fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is not in: {text}");
    }
}

#[tokio::test]
async fn a_missing_socket_is_named() {
    let text = failure(at("unix:///nonexistent/b.sock")).await;
    says(&text, &["unix:///nonexistent/b.sock", "there is no socket"]);
    let text = failure(at("docker:///nonexistent/d.sock")).await;
    says(
        &text,
        &["docker:///nonexistent/d.sock", "there is no socket"],
    );
}

#[tokio::test]
async fn a_file_that_is_no_socket_and_a_socket_without_a_listener_are_distinguished() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    says(
        &failure(at(&format!("unix://{}", file.display()))).await,
        &["is not a socket"],
    );
    let dead = folder.path().join("dead.sock");
    drop(std::os::unix::net::UnixListener::bind(&dead).unwrap());
    says(
        &failure(at(&format!("unix://{}", dead.display()))).await,
        &["nothing listens", "connection refused"],
    );
}

#[tokio::test]
async fn a_closed_port_and_an_unknown_host_are_distinguished() {
    says(
        &failure(at("tcp://127.0.0.1:1")).await,
        &["nothing listens on tcp://127.0.0.1:1"],
    );
    says(
        &failure(at("tcp://no-such-host.invalid:1234")).await,
        &["no-such-host.invalid", "not known"],
    );
}

#[tokio::test]
async fn a_silent_server_is_awaited_until_the_time_limit() {
    let relay = Relay::tcp(Target::Mute).await;
    let options = ConnectOptions {
        limits: TimeLimits {
            connect: Duration::from_millis(300),
            ..TimeLimits::default()
        },
        ..at(&format!("tcp://127.0.0.1:{}", relay.port))
    };
    says(
        &failure(options).await,
        &["no answer within 0.3 s", "first call"],
    );
}

#[tokio::test]
async fn a_web_server_is_recognized() {
    let relay = Relay::tcp(Target::Says(
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    ))
    .await;
    let text = failure(at(&format!("tcp://127.0.0.1:{}", relay.port))).await;
    says(&text, &["a web server answers there", "400 Bad Request"]);
}

#[tokio::test]
async fn an_engine_without_buildkit_is_recognized() {
    let answer =
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 24\r\n\r\n{\"message\":\"no route /\"}";
    let relay = Relay::tcp(Target::Says(answer)).await;
    let text = failure(at(&format!("docker://127.0.0.1:{}", relay.port))).await;
    says(&text, &["has no BuildKit", "404", "no route /"]);
}

#[tokio::test]
async fn an_engines_port_that_wants_tls_is_recognized() {
    // The answer of Go's web server, and its reaction to HTTP/2.
    let answer =
        b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";
    let relay = Relay::tcp(Target::Says(answer)).await;
    let text = failure(at(&format!("docker://127.0.0.1:{}", relay.port))).await;
    says(&text, &["the server speaks TLS"]);
    let certificates = Certificates::make();
    let relay = Relay::tls(Target::Mute, server_config(&certificates, false)).await;
    let text = failure(at(&format!("docker://127.0.0.1:{}", relay.port))).await;
    says(&text, &["the server speaks TLS"]);
}

#[tokio::test]
async fn another_protocol_is_recognized() {
    let relay = Relay::tcp(Target::Says(b"SSH-2.0-OpenSSH_9.2\r\n")).await;
    says(
        &failure(at(&format!("tcp://127.0.0.1:{}", relay.port))).await,
        &["not BuildKit", "SSH-2.0"],
    );
}

#[tokio::test]
async fn tls_on_one_side_only_is_recognized() {
    let certificates = Certificates::make();
    let relay = Relay::tls(Target::Mute, server_config(&certificates, false)).await;
    let text = failure(at(&format!("tcp://127.0.0.1:{}", relay.port))).await;
    says(&text, &["the server speaks TLS"]);

    let settings = b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0d";
    let relay = Relay::tcp(Target::Says(settings)).await;
    let text = failure(with(
        &relay,
        TlsOptions {
            ca: Some(certificates.path("ca.pem")),
            ..TlsOptions::default()
        },
    ))
    .await;
    says(&text, &["does not speak TLS"]);
}

#[tokio::test]
async fn a_certificate_of_an_unknown_ca_or_another_name_is_explained() {
    let certificates = Certificates::make();
    let file = |name: &str| Some(certificates.path(name));
    let relay = Relay::tls(Target::Mute, server_config(&certificates, false)).await;
    let other = Certificates::make();
    let other_ca = TlsOptions {
        ca: Some(other.path("ca.pem")),
        ..TlsOptions::default()
    };
    says(
        &failure(with(&relay, other_ca)).await,
        &["not accepted", "not signed by a CA"],
    );
    let other_name = TlsOptions {
        ca: file("ca.pem"),
        server_name: Some("builder.example".into()),
        ..TlsOptions::default()
    };
    says(
        &failure(with(&relay, other_name)).await,
        &["builder.example", "localhost"],
    );
}

#[tokio::test]
async fn a_missing_or_foreign_client_certificate_is_explained() {
    let certificates = Certificates::make();
    let file = |name: &str| Some(certificates.path(name));
    let relay = Relay::tls(Target::Mute, server_config(&certificates, true)).await;
    let none = TlsOptions {
        ca: file("ca.pem"),
        ..TlsOptions::default()
    };
    says(
        &failure(with(&relay, none)).await,
        &["wants a client certificate"],
    );
    let foreign = Certificates::make();
    let foreign = TlsOptions {
        ca: file("ca.pem"),
        cert: Some(foreign.path("cert.pem")),
        key: Some(foreign.path("key.pem")),
        server_name: None,
    };
    says(
        &failure(with(&relay, foreign)).await,
        &["does not accept the client certificate"],
    );
}

#[tokio::test]
async fn tls_files_that_cannot_be_used_are_named() {
    let certificates = Certificates::make();
    std::fs::write(certificates.path("empty.pem"), "").unwrap();
    let file = |name: &str| Some(certificates.path(name));
    let tried = |ca, cert, key| ConnectOptions {
        tls: Some(TlsOptions {
            ca,
            cert,
            key,
            server_name: None,
        }),
        ..at("tcp://127.0.0.1:1")
    };
    says(
        &failure(tried(file("absent.pem"), None, None)).await,
        &["CA certificate", "absent.pem", "No such file"],
    );
    says(
        &failure(tried(file("empty.pem"), None, None)).await,
        &["empty.pem", "BEGIN CERTIFICATE"],
    );
    says(
        &failure(tried(None, file("cert.pem"), None)).await,
        &["needs its key"],
    );
    says(
        &failure(tried(None, file("cert.pem"), file("cert.pem"))).await,
        &["client key", "BEGIN PRIVATE KEY"],
    );
    says(
        &failure(tried(None, file("cert.pem"), file("ca.key"))).await,
        &["cert.pem", "not this certificate's"],
    );
    let error = TlsOptions::from_folder(Path::new("/nonexistent")).unwrap_err();
    says(&error.to_string(), &["/nonexistent", "ca.pem nor ca.crt"]);
}

fn with(relay: &Relay, tls: TlsOptions) -> ConnectOptions {
    ConnectOptions {
        tls: Some(tls),
        ..at(&format!("tcp://127.0.0.1:{}", relay.port))
    }
}
