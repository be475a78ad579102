//! docker-buildx from the engine's packages, which shares its cache with solvekit.

use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::Engine;

/// docker-buildx on the daemon under test, with a private configuration and without default
/// attestations, which solvekit does not make either.
pub fn buildx<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    static FOLDER: OnceLock<TempDir> = OnceLock::new();
    let host = &Engine::get().host;
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        if !host.starts_with("docker://") {
            let created = command(&folder)
                .args(["create", "--name", "peer", "--driver", "remote", host])
                .output()
                .expect("docker-buildx is there");
            assert!(created.status.success(), "{created:?}");
        }
        folder
    });
    let mut command = command(folder);
    match host.strip_prefix("docker://") {
        Some(socket) => command.env("DOCKER_HOST", format!("unix://{socket}")),
        None => command.env("BUILDX_BUILDER", "peer"),
    };
    command.args(arguments);
    command
}

fn command(folder: &TempDir) -> Command {
    let program = std::env::var_os("BUILDX").expect("BUILDX is set: `export $(tests/engine up)`");
    let mut command = Command::new(program);
    command
        .env("BUILDX_CONFIG", folder.path())
        .env("DOCKER_CONFIG", folder.path())
        .env("BUILDX_NO_DEFAULT_ATTESTATIONS", "1");
    command
}
