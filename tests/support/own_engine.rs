//! A private engine for one test, from the programs that `tests/engine up` has installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::{Engine, Finished, solvekit};

/// A Docker Engine with its own folder and bridge.
pub struct OwnEngine {
    folder: tempfile::TempDir,
    process: Child,
    bridge: Bridge,
    store: ImageStore,
}

/// The image store of an engine.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ImageStore {
    Older,
    Containerd,
}

/// A network interface. An engine without one removes `docker0`, which may be in use.
struct Bridge {
    name: String,
}

impl Bridge {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let id = std::process::id();
        let name = format!("sk{id}n{count}");
        let address = format!("172.30.{}.1/24", (id + count) % 250);
        ip(&["link", "add", &name, "type", "bridge"]);
        ip(&["address", "add", &address, "dev", &name]);
        ip(&["link", "set", &name, "up"]);
        Self { name }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = Command::new("ip")
            .args(["link", "del", &self.name])
            .status();
    }
}

#[track_caller]
fn ip(arguments: &[&str]) {
    let status = Command::new("ip").args(arguments).status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "ip {arguments:?}"
    );
}

impl OwnEngine {
    /// Starts an engine with Docker's older image store.
    pub fn start() -> Self {
        Self::start_with(ImageStore::Older)
    }

    /// Starts an engine with containerd's image store, which can push the images that it builds.
    pub fn start_with_containerd() -> Self {
        Self::start_with(ImageStore::Containerd)
    }

    fn start_with(store: ImageStore) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bridge = Bridge::new();
        let process = spawn(folder.path(), &bridge, store);
        let engine = Self {
            folder,
            process,
            bridge,
            store,
        };
        engine.wait_for();
        engine
    }

    /// The address, for `--addr`.
    pub fn address(&self) -> String {
        format!("docker://{}", self.socket().display())
    }

    /// The path of the socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("docker.sock")
    }

    /// Restarts it, as `systemctl restart` does.
    pub fn restart(&mut self) {
        self.stop();
        self.start_again();
    }

    /// Stops it with SIGTERM.
    pub fn stop(&mut self) {
        self.send(Signal::TERM);
        let _ = self.process.wait();
    }

    /// Lets it hang with SIGSTOP: its connections stay open, and nobody answers.
    pub fn freeze(&self) {
        self.send(Signal::STOP);
    }

    /// Lets it continue.
    pub fn thaw(&self) {
        self.send(Signal::CONT);
    }

    /// Stops it like `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts it again after it was stopped.
    pub fn start_again(&mut self) {
        self.process = spawn(self.folder.path(), &self.bridge, self.store);
    }

    fn send(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id()).expect("a process id");
        let pid = Pid::from_raw(pid).expect("not zero");
        let _ = kill_process(pid, signal);
    }

    fn wait_for(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let asked = Finished::of(&mut solvekit(["workers", "--addr", &self.address()]));
            if asked.code == Some(0) {
                return;
            }
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "{}\n{log}", asked.stderr);
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for OwnEngine {
    fn drop(&mut self) {
        // A frozen one would never end.
        self.thaw();
        self.stop();
        // Unmount its file systems, which would otherwise stay in the folder.
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let own = self.folder.path().display().to_string();
        let below = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        for mount in below.filter(|mount| mount.starts_with(&own)) {
            let _ = Command::new("umount").args(["-l", mount]).status();
        }
    }
}

fn spawn(folder: &Path, bridge: &Bridge, store: ImageStore) -> Child {
    let program = PathBuf::from(std::env::var("DOCKERD").expect(
        "DOCKERD is not set: this test needs an engine. Run `export $(tests/engine up)` first",
    ));
    let config = serde_json::json!({
        "features": {"containerd-snapshotter": store == ImageStore::Containerd},
        "registry-mirrors": [format!("http://{}", Engine::get().registry)],
        "bridge": bridge.name, "iptables": false, "ip6tables": false,
        "pidfile": folder.join("pid"),
        "data-root": folder.join("data"),
        "exec-root": folder.join("exec"),
        "shutdown-timeout": 5,
    });
    fs::write(folder.join("daemon.json"), config.to_string()).expect("it is ours");
    let log = fs::File::options()
        .append(true)
        .create(true)
        .open(folder.join("log"))
        .expect("it is ours");
    // containerd and its shims are in the same folder tree.
    let root = program.parent().and_then(Path::parent).expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    Command::new(&program)
        .arg("--config-file")
        .arg(folder.join("daemon.json"))
        .arg("-H")
        .arg(format!("unix://{}/docker.sock", folder.display()))
        .env("PATH", format!("{0}/bin:{0}/sbin:{path}", root.display()))
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a file"))
        .stderr(log)
        .spawn()
        .expect("the engine can be started")
}
