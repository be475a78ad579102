//! The daemon is reached over every transport.

use std::{path::Path, process::Command};

use solvekit::client::{Address, Client, ConnectOptions, TlsOptions, connect_default, engine_info};

use super::{
    daemon,
    relay::{Relay, Target, server_config},
};

async fn workers(options: ConnectOptions) -> Vec<solvekit::client::Worker> {
    let client = Client::connect(&options).await.unwrap();
    client.workers().await.unwrap()
}

fn plain(address: &str) -> ConnectOptions {
    ConnectOptions::new(Address::parse(address).unwrap())
}

#[tokio::test]
async fn the_named_daemon_lists_its_workers_and_version() {
    let Some(address) = daemon() else { return };
    let client = Client::connect(&ConnectOptions::new(address.clone()))
        .await
        .unwrap();
    assert_eq!(client.address(), &address);
    assert_eq!(&client.info().await.unwrap(), client.version().unwrap());
    let workers = client.workers().await.unwrap();
    assert!(!workers[0].id.is_empty());
    assert!(
        workers[0]
            .platforms
            .iter()
            .any(|platform| platform.os == "linux"),
        "{workers:?}"
    );
}

#[tokio::test]
async fn a_unix_socket_leads_to_the_daemon() {
    let Some(address) = daemon() else { return };
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("buildkitd.sock");
    let _relay = Relay::unix(&socket, Target::Daemon(address));
    assert!(
        !workers(plain(&format!("unix://{}", socket.display())))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn a_port_leads_to_the_daemon_over_ipv4_and_ipv6() {
    let Some(address) = daemon() else { return };
    let relay = Relay::tcp(Target::Daemon(address.clone())).await;
    assert!(
        !workers(plain(&format!("tcp://127.0.0.1:{}", relay.port)))
            .await
            .is_empty()
    );
    if let Some(relay) = Relay::tcp6(Target::Daemon(address)).await {
        assert!(
            !workers(plain(&format!("tcp://[::1]:{}", relay.port)))
                .await
                .is_empty()
        );
    }
}

#[tokio::test]
async fn an_engine_that_speaks_http2_at_once_needs_no_upgrade() {
    let Some(address) = daemon() else { return };
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let _relay = Relay::unix(&socket, Target::Daemon(address));
    assert!(
        !workers(plain(&format!("docker://{}", socket.display())))
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn an_engine_says_whether_it_keeps_images_in_containerds_store() {
    let Some(address @ Address::Docker(_)) = daemon() else {
        return;
    };
    let info = engine_info(&ConnectOptions::new(address)).await.unwrap();
    assert!(info.containerd_image_store, "{info:?}");
    assert!(!info.version.is_empty());
}

#[tokio::test]
async fn the_first_usual_place_with_a_buildkit_is_taken() {
    let Some(address) = daemon() else { return };
    let missing = Address::parse("unix:///nonexistent/buildkitd.sock").unwrap();
    let options = ConnectOptions::new(address.clone());
    let client = connect_default(&[missing.clone(), address.clone()], options.timeout)
        .await
        .unwrap();
    assert_eq!(client.address(), &address);
    let error = connect_default(&[missing.clone(), missing], options.timeout)
        .await
        .unwrap_err();
    assert!(
        error.to_string().starts_with(
            "no BuildKit found: unix:///nonexistent/buildkitd.sock: there is no socket"
        ),
        "{error}"
    );
}

#[tokio::test]
async fn tls_with_a_client_certificate_leads_to_the_daemon() {
    let Some(address) = daemon() else { return };
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let file = |name: &str| folder.path().join(name);
    let config = server_config(
        &file("server.pem"),
        &file("server.key"),
        Some(&file("ca.pem")),
    );
    let relay = Relay::tls(Target::Daemon(address), config).await;
    let options = ConnectOptions {
        tls: Some(TlsOptions::from_folder(folder.path()).unwrap()),
        ..plain(&format!("tcp://127.0.0.1:{}", relay.port))
    };
    assert!(!workers(options.clone()).await.is_empty());
    let named = TlsOptions {
        server_name: Some("localhost".into()),
        ..options.tls.clone().unwrap()
    };
    assert!(
        !workers(ConnectOptions {
            tls: Some(named),
            ..options
        })
        .await
        .is_empty()
    );
}

/// A CA (`ca.pem`), a server certificate for localhost (`server.pem`), a client certificate (`cert.pem`, `key.pem`), and a
/// second CA (`other.pem`).
pub(crate) fn certificates(folder: &Path) {
    let script = r#"
        set -e
        new() { openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "$@"; }
        new -x509 -subj /CN=ca -keyout ca.key -out ca.pem
        new -x509 -subj /CN=other -keyout other.key -out other.pem
        sign() { openssl x509 -req -in "$1" -CA ca.pem -CAkey ca.key -CAcreateserial -out "$2" -extfile "$3"; }
        new -subj /CN=server -keyout server.key -out server.csr
        echo subjectAltName=DNS:localhost,IP:127.0.0.1 >server.ext
        sign server.csr server.pem server.ext
        new -subj /CN=client -keyout key.pem -out client.csr
        echo extendedKeyUsage=clientAuth >client.ext
        sign client.csr cert.pem client.ext
    "#;
    let run = Command::new("bash")
        .args(["-c", script])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
}
