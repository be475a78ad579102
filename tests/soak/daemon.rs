//! A daemon that can be killed: the buildkitd of `SOAK_BUILDKITD`, or a Docker Engine.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Finished, OwnEngine, solvekit};

pub(crate) enum Daemon {
    Buildkitd(Buildkitd),
    Engine(OwnEngine),
}

pub(crate) struct Buildkitd {
    program: PathBuf,
    folder: tempfile::TempDir,
    process: Child,
}

impl Daemon {
    pub(crate) fn start() -> Self {
        let Some(program) = buildkitd() else {
            return Self::Engine(OwnEngine::start_with_containerd());
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let process = Buildkitd::spawn(&program, &folder);
        let daemon = Self::Buildkitd(Buildkitd {
            program,
            folder,
            process,
        });
        daemon.wait_for();
        daemon
    }

    pub(crate) fn address(&self) -> String {
        match self {
            Self::Buildkitd(it) => format!("unix://{}/b.sock", it.folder.path().display()),
            Self::Engine(it) => it.address(),
        }
    }

    /// The id of its process, if it is a buildkitd. An engine opens descriptors for more than
    /// builds.
    pub(crate) fn pid(&self) -> Option<u32> {
        match self {
            Self::Buildkitd(it) => Some(it.process.id()),
            Self::Engine(_) => None,
        }
    }

    /// Kills it like `kill -9`.
    pub(crate) fn kill(&mut self) {
        match self {
            Self::Buildkitd(it) => it.kill(),
            Self::Engine(it) => it.kill(),
        }
    }

    /// Starts it again and does not wait for it.
    pub(crate) fn start_again(&mut self) {
        match self {
            Self::Buildkitd(it) => it.process = Buildkitd::spawn(&it.program, &it.folder),
            Self::Engine(it) => it.start_again(),
        }
    }

    pub(crate) fn wait_for(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let asked = Finished::of(&mut solvekit(["workers", "--addr", &self.address()]));
            if asked.code == Some(0) {
                return;
            }
            assert!(Instant::now() < deadline, "{}", asked.stderr);
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Buildkitd {
    fn spawn(program: &PathBuf, folder: &tempfile::TempDir) -> Child {
        let folder = folder.path();
        let log = File::options()
            .append(true)
            .create(true)
            .open(folder.join("log"))
            .expect("it is ours");
        Command::new(program)
            .args(["--oci-worker-snapshotter=native", "--addr"])
            .arg(format!("unix://{}/b.sock", folder.display()))
            .arg("--root")
            .arg(folder.join("root"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("buildkitd can be started")
    }

    fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Buildkitd {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The buildkitd of `tests/soak/run`.
fn buildkitd() -> Option<PathBuf> {
    std::env::var_os("SOAK_BUILDKITD").map(PathBuf::from)
}
