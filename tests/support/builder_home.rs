//! A user's configuration folder with builders.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::{Finished, buildx, solvekit};

/// No engine is needed for builders of the remote driver.
const HOST: &str = "unix:///nowhere/docker.sock";

/// A private configuration folder, with commands that use it.
pub struct BuilderHome {
    folder: TempDir,
    host: String,
}

impl BuilderHome {
    /// A folder for an engine that does not exist.
    pub fn new() -> Self {
        Self::with_engine(HOST)
    }

    /// A folder for the engine at this address.
    pub fn with_engine(host: &str) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            host: host.to_owned(),
        }
    }

    /// The command under test.
    pub fn solvekit(&self, arguments: &[&str]) -> Command {
        let mut command = solvekit(arguments);
        command.env("DOCKER_CONFIG", self.folder.path());
        command
            .env_remove("BUILDKIT_HOST")
            .env("DOCKER_HOST", &self.host);
        command
    }

    /// Runs the command under test.
    pub fn run(&self, arguments: &[&str]) -> Finished {
        Finished::of(&mut self.solvekit(arguments))
    }

    /// Runs buildx on the same store; it treats the engine's address as the scope of the selected
    /// builder.
    pub fn buildx(&self, arguments: &[&str]) -> Finished {
        let mut command = buildx(arguments);
        command.env("DOCKER_CONFIG", self.folder.path());
        command
            .env_remove("BUILDX_CONFIG")
            .env_remove("BUILDX_BUILDER");
        Finished::of(command.env("DOCKER_HOST", &self.host)).succeeded()
    }

    /// A file of the store.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("buildx").join(name)
    }

    /// A file of the configuration folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
