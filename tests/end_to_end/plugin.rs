//! The command as a plugin of the docker CLI: its way of starting, its own flags before the
//! command, and the socket that ends it.

use std::fs;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt as _;

use crate::support::{Finished, Running, folder_of, solvekit, unique};

#[test]
fn it_says_what_it_is() {
    let asked =
        Finished::of(solvekit(["docker-cli-plugin-metadata"]).arg0("docker-solvekit")).succeeded();
    let metadata: serde_json::Value = serde_json::from_str(&asked.stdout).expect("JSON");
    assert_eq!(metadata["SchemaVersion"], "0.1.0");
    assert_eq!(metadata["Vendor"], "solvekit");
    assert!(
        metadata["Version"]
            .as_str()
            .is_some_and(|version| version.starts_with('v'))
    );
}

#[test]
fn the_docker_clis_flags_stand_before_its_name() {
    let config = tempfile::tempdir().expect("a temporary folder");
    let arguments = [
        "--config",
        &config.path().to_string_lossy(),
        "buildx",
        "install-plugin",
    ]
    .map(str::to_owned);
    Finished::of(solvekit(arguments).arg0("/usr/lib/docker-buildx")).succeeded();
    let link = config.path().join("cli-plugins/docker-solvekit");
    assert_eq!(
        fs::read_link(&link).expect("a link"),
        std::path::Path::new(env!("CARGO_BIN_EXE_solvekit"))
    );

    let help =
        Finished::of(solvekit(["buildx", "build", "--help"]).arg0("docker-buildx")).succeeded();
    assert!(
        help.stdout.contains("Usage: docker buildx build"),
        "{}",
        help.stdout
    );
}

#[test]
fn another_plugin_is_not_replaced_without_force() {
    let folder = folder_of(&[("docker-buildx", "another program")]);
    let install = |arguments: &[&str]| {
        Finished::of(
            solvekit(["install-plugin", "--buildx", "--dir"])
                .arg(folder.path())
                .args(arguments),
        )
    };
    install(&[]).failed_with(1, &["docker-buildx is another program", "--force"]);
    assert_eq!(
        fs::read(folder.path().join("docker-buildx")).expect("a file"),
        b"another program"
    );
    install(&["--force"]).succeeded();
    assert_eq!(
        fs::read(folder.path().join("docker-buildx.old")).expect("a file"),
        b"another program"
    );
    assert!(folder.path().join("docker-buildx").is_symlink());
    install(&[]).succeeded();
}

#[test]
fn the_end_of_the_docker_cli_ends_a_build() {
    let name = format!("solvekit-test-{}", unique());
    let address = SocketAddr::from_abstract_name(&name).expect("an address");
    let docker = UnixListener::bind_addr(&address).expect("a socket");
    let context = folder_of(&[(
        "Dockerfile",
        &format!("FROM busybox\nRUN echo begun; sleep 300; : {}\n", unique()),
    )]);
    let mut build = Running::start(
        solvekit(["solvekit", "build", "--progress=plain"])
            .arg0("docker-solvekit")
            .arg(context.path())
            .env("DOCKER_CLI_PLUGIN_SOCKET", format!("@{name}")),
    );
    let (connection, _) = docker.accept().expect("the plugin connects");
    build.until(" begun\n");
    drop(connection);
    build.wait().failed_with(130, &[]);
}
