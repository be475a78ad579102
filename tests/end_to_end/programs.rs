//! Connections to a daemon through other programs, and through this program. The programs on PATH
//! are the test's own; they lead to the real BuildKit.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::{Certificates, Finished, Relay, Running, copy_of, solvekit};

/// A folder with programs that is first on PATH.
struct Programs(TempDir);

impl Programs {
    /// A program with this name that records its arguments and runs the script.
    fn with(name: &str, script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join(name);
        let arguments = folder.path().join("arguments");
        let text = format!(
            "#!/bin/sh\necho \"$@\" >> {}\n{script}\n",
            arguments.display()
        );
        fs::write(&path, text).expect("it can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        Self(folder)
    }

    fn solvekit(&self, arguments: &[&str]) -> Command {
        let mut command = solvekit(arguments);
        let path = std::env::var("PATH").expect("PATH is set");
        command.env("PATH", format!("{}:{path}", self.0.path().display()));
        command
    }

    fn arguments(&self) -> String {
        fs::read_to_string(self.0.path().join("arguments")).unwrap_or_default()
    }
}

/// The command that each of these programs runs at its remote end.
fn dial(relay: &Relay) -> String {
    let program = env!("CARGO_BIN_EXE_solvekit");
    format!(
        "exec {program} --addr {} dial-stdio --progress none",
        relay.address()
    )
}

#[test]
fn builds_go_through_each_program() {
    for (program, address, expected) in [
        (
            "docker",
            "docker-container://bk?context=far",
            "--context=far exec -i bk buildctl dial-stdio",
        ),
        (
            "podman",
            "podman-container://bk",
            "exec -i bk buildctl dial-stdio",
        ),
        (
            "nerdctl",
            "nerdctl-container://bk",
            "exec -i bk buildctl dial-stdio",
        ),
        (
            "kubectl",
            "kube-pod://bk-0?namespace=n&container=c",
            "--namespace=n exec --container=c -i bk-0 -- buildctl dial-stdio",
        ),
        (
            "ssh",
            "ssh://me@host:2222",
            "-l me -p 2222 -- host buildctl dial-stdio",
        ),
    ] {
        let relay = Relay::unix();
        let programs = Programs::with(program, &dial(&relay));
        let context = copy_of(Path::new("examples/hello"));
        let path = context.path().to_str().expect("text");
        let arguments = ["--addr", address, "build", "-o", "type=cacheonly", path];
        Finished::of(&mut programs.solvekit(&arguments)).succeeded();
        assert!(relay.carried() > 0, "{program}");
        assert!(
            programs.arguments().contains(expected),
            "{}",
            programs.arguments()
        );
    }
}

#[test]
fn what_a_program_says_is_in_the_error() {
    let programs = Programs::with(
        "kubectl",
        "echo 'Error from server: pods \"bk\" not found' >&2; exit 3",
    );
    Finished::of(&mut programs.solvekit(&["--addr", "kube-pod://bk", "workers"])).failed_with(
        1,
        &[
            "cannot connect to BuildKit at the pod bk",
            "pods \"bk\" not found",
            "exit status: 3",
            "buildctl",
        ],
    );
    let programs = Programs::with("nothing", "");
    let mut command = programs.solvekit(&["--addr", "nerdctl-container://bk", "workers"]);
    command.env("PATH", programs.0.path());
    Finished::of(&mut command).failed_with(1, &["nerdctl is not on PATH"]);
}

#[test]
fn a_program_ends_with_the_command() {
    let relay = Relay::unix();
    let script = format!("echo $$ > \"$(dirname \"$0\")/pid\"\n{}", dial(&relay));
    let programs = Programs::with("docker", &script);
    let command = &mut programs.solvekit(&["--addr", "docker-container://bk", "workers"]);
    Finished::of(command).succeeded();
    let pid = fs::read_to_string(programs.0.path().join("pid")).expect("it ran");
    let process = Path::new("/proc").join(pid.trim());
    let deadline = Instant::now() + Duration::from_secs(10);
    while process.exists() {
        assert!(
            Instant::now() < deadline,
            "{} still runs",
            process.display()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_proxy_is_a_daemon_like_any_other() {
    let relay = Relay::tcp();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let address = format!("unix://{}/proxy.sock", folder.path().display());
    let mut command = solvekit(["--addr", relay.address(), "proxy", "--listen", &address]);
    let mut proxy = Running::start(command.stdin(Stdio::null()));
    proxy.until("listening on");
    let context = copy_of(Path::new("examples/hello"));
    let mut build = solvekit(["--addr", &address, "build", "-o", "type=cacheonly"]);
    Finished::of(build.arg(context.path())).succeeded();
    assert!(relay.carried() > 0);
    proxy.interrupt();
    proxy.wait().succeeded();
    assert!(!folder.path().join("proxy.sock").exists());
}

#[test]
fn a_proxy_for_other_machines_wants_certificates() {
    let relay = Relay::unix();
    let address = relay.address();
    Finished::of(&mut solvekit([
        "--addr",
        address,
        "proxy",
        "--listen",
        "tcp://0.0.0.0:4711",
    ]))
    .failed_with(1, &["0.0.0.0:4711", "--listen-tlscert"]);

    let certificates = Certificates::make();
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = free.local_addr().expect("bound").port();
    drop(free);
    let listen = format!("tcp://127.0.0.1:{port}");
    let mut command = solvekit(["--addr", address, "proxy", "--listen", &listen]);
    command
        .arg("--listen-tlscert")
        .arg(certificates.path("server.pem"));
    command
        .arg("--listen-tlskey")
        .arg(certificates.path("server.key"));
    command
        .arg("--listen-tlscacert")
        .arg(certificates.path("ca.pem"));
    let mut proxy = Running::start(&mut command);
    proxy.until("listening on");
    let mut workers = solvekit(["--addr", &listen, "--tlsdir"]);
    Finished::of(workers.arg(certificates.folder()).arg("workers")).succeeded();
    Finished::of(&mut solvekit(["--addr", &listen, "workers"])).failed_with(1, &["TLS"]);
    proxy.interrupt();
    proxy.wait().succeeded();
}

/// A `buildkitd` that leads to the real one; it records its arguments and its end.
fn daemon(relay: &Relay) -> Programs {
    let program = env!("CARGO_BIN_EXE_solvekit");
    let script = format!(
        "here=$(dirname \"$0\")\necho $$ > $here/pid\nexec {program} --addr {} proxy \
         --listen \"$2\"",
        relay.address()
    );
    Programs::with("buildkitd", &script)
}

#[test]
fn a_daemon_is_started_where_there_is_none() {
    let relay = Relay::tcp();
    let programs = daemon(&relay);
    let cache = tempfile::tempdir().expect("a temporary folder");
    let context = copy_of(Path::new("examples/hello"));
    let path = context.path().to_str().expect("text");
    let local = |arguments: &[&str]| {
        let mut command = programs.solvekit(arguments);
        command
            .env_remove("BUILDKIT_HOST")
            .env_remove("XDG_RUNTIME_DIR");
        command.env("DOCKER_HOST", "unix:///nowhere/docker.sock");
        command.env("XDG_CACHE_HOME", cache.path());
        command
    };
    if Path::new("/run/buildkit/buildkitd.sock").exists() {
        return; // There is a daemon on this machine, which is used before.
    }
    let built = Finished::of(&mut local(&[
        "build",
        "--progress=plain",
        "-o",
        "type=cacheonly",
        path,
    ]));
    let built = built.succeeded();
    for text in [
        "buildkitd is started",
        "building with \"local\" instance using local driver",
    ] {
        assert!(
            built.stderr.contains(text),
            "{text:?} is missing in:\n{}",
            built.stderr
        );
    }
    assert!(relay.carried() > 0);
    let arguments = programs.arguments();
    assert!(arguments.contains("--root"), "{arguments}");
    let pid = fs::read_to_string(programs.0.path().join("pid")).expect("it ran");
    assert!(
        !Path::new("/proc").join(pid.trim()).exists(),
        "it still runs"
    );
}

#[test]
fn a_local_builder_has_flags_and_a_configuration() {
    let relay = Relay::tcp();
    let programs = daemon(&relay);
    let home = tempfile::tempdir().expect("a temporary folder");
    let config = home.path().join("buildkitd.toml");
    fs::write(&config, "debug = true\n").expect("it can be written");
    let root = home.path().join("state");
    let local = |arguments: &[&str]| {
        let mut command = programs.solvekit(arguments);
        command
            .env("DOCKER_CONFIG", home.path())
            .env("XDG_CACHE_HOME", home.path());
        Finished::of(&mut command)
    };
    let root_option = format!("root={}", root.display());
    let config = config.to_str().expect("text");
    local(&[
        "create",
        "--name",
        "mine",
        "--driver",
        "local",
        "--driver-opt",
        &root_option,
        "--config",
        config,
        "--buildkitd-flags",
        "--debug",
    ])
    .succeeded();
    local(&["--builder", "mine", "workers"]).succeeded();
    let arguments = programs.arguments();
    assert!(
        arguments.contains(&format!("--root {}", root.display())),
        "{arguments}"
    );
    assert!(
        arguments.contains("--config") && arguments.contains("--debug"),
        "{arguments}"
    );
    assert!(relay.carried() > 0);

    let broken = Programs::with("buildkitd", "echo 'could not lock the root' >&2; exit 1");
    let mut command = broken.solvekit(&["--builder", "mine", "workers"]);
    command.env("DOCKER_CONFIG", home.path());
    Finished::of(&mut command).failed_with(1, &["could not lock the root"]);
}
