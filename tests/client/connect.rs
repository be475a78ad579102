//! Connections to the daemon over every transport.

use solvekit::client::{Address, Client, ConnectOptions, TlsOptions, connect_default, engine_info};

use super::{
    certificates::Certificates,
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
    let missing = ConnectOptions::new(missing);
    let client = connect_default(&[missing.clone(), options]).await.unwrap();
    assert_eq!(client.address(), &address);
    let error = connect_default(&[missing.clone(), missing])
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
    let certificates = Certificates::make();
    let relay = Relay::tls(Target::Daemon(address), server_config(&certificates, true)).await;
    let tls = TlsOptions::from_folder(certificates.folder()).unwrap();
    let named = TlsOptions {
        server_name: Some("localhost".into()),
        ..tls.clone()
    };
    for tls in [tls, named] {
        let options = ConnectOptions {
            tls: Some(tls),
            ..plain(&format!("tcp://127.0.0.1:{}", relay.port))
        };
        assert!(!workers(options).await.is_empty());
    }
}

#[tokio::test]
async fn an_engine_is_reached_over_a_port_and_over_tls() {
    let Some(address @ Address::Docker(_)) = daemon() else {
        return;
    };
    let relay = Relay::tcp(Target::Raw(address.endpoint())).await;
    assert!(
        !workers(plain(&format!("docker://127.0.0.1:{}", relay.port)))
            .await
            .is_empty()
    );
    let certificates = Certificates::make();
    let relay = Relay::tls(
        Target::Raw(address.endpoint()),
        server_config(&certificates, true),
    )
    .await;
    let tls = TlsOptions::from_folder(certificates.folder()).unwrap();
    let options = ConnectOptions {
        tls: Some(tls),
        ..plain(&format!("docker://localhost:{}", relay.port))
    };
    assert!(engine_info(&options).await.unwrap().containerd_image_store);
    assert!(!workers(options).await.is_empty());
}
