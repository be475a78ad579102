//! The built command, run as a user runs it.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The time limit of every command in the tests, for a slow machine with two cores.
const LIMIT: Duration = Duration::from_secs(600);

/// The `solvekit` command with these arguments, not started yet. It inherits the environment
/// without the user's settings: no configuration of Docker or podman, no colours.
pub fn solvekit<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_solvekit"));
    command.args(arguments);
    for name in [
        "DOCKER_HOST",
        "DOCKER_AUTH_CONFIG",
        "DOCKER_DEFAULT_PLATFORM",
        "BUILDX_BUILDER",
        "BUILDX_CONFIG",
        "DOCKER_CONTEXT",
        "BUILDKIT_PROGRESS",
        "SOURCE_DATE_EPOCH",
    ] {
        command.env_remove(name);
    }
    static CONFIGURATION: OnceLock<TempDir> = OnceLock::new();
    let none = CONFIGURATION.get_or_init(|| tempfile::tempdir().expect("a temporary folder"));
    command.env("DOCKER_CONFIG", none.path());
    command.env("REGISTRY_AUTH_FILE", none.path().join("auth.json"));
    command.env("XDG_STATE_HOME", none.path().join("state"));
    command.env("NO_COLOR", "1");
    command
}

/// The same program, arguments and environment under another name, through a link in the folder.
pub fn called(name: &str, folder: &Path, command: &Command) -> Command {
    let link = folder.join(name);
    if !link.exists() {
        symlink(command.get_program(), &link).expect("a link");
    }
    let mut called = Command::new(link);
    called.args(command.get_args());
    with_environment_of(called, command)
}

/// The same program and arguments in a shell that limits the stack of the first thread, in KiB.
pub fn with_stack(limit: u32, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    let script = format!("ulimit -s {limit}; exec \"$0\" \"$@\"");
    shell.args(["-c", &script]).arg(command.get_program());
    shell.args(command.get_args());
    with_environment_of(shell, command)
}

fn with_environment_of(mut called: Command, command: &Command) -> Command {
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => called.env(name, value),
            None => called.env_remove(name),
        };
    }
    called
}

/// The output and the result of a command.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The time from the start to the end.
    pub took: Duration,
}

impl Finished {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Self {
        Running::start(command).wait()
    }

    /// The same with these bytes on stdin.
    pub fn with_input(command: &mut Command, input: impl Into<Vec<u8>>) -> Self {
        let mut running = Running::start_with(command.stdin(Stdio::piped()));
        let mut stdin = running.child.stdin.take().expect("piped");
        let input = input.into();
        let writer = std::thread::spawn(move || {
            // The command need not read all of its input.
            let _ = stdin.write_all(&input);
        });
        let finished = running.wait();
        writer.join().expect("the writer ends");
        finished
    }

    /// The number of steps of a plain log whose names contain this text. Plain progress prints the
    /// name of a step again each time it returns to that step.
    pub fn steps_named(&self, text: &str) -> usize {
        let headers = self.stderr.lines().filter(|line| line.contains(text));
        let numbers: BTreeSet<&str> = headers
            .filter_map(|line| line.strip_prefix('#')?.split_once(" ["))
            .map(|(number, _)| number)
            .collect();
        numbers.len()
    }

    /// Asserts that the command succeeded.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that the command exited with this code, and that each of these texts is in its
    /// standard error.
    #[track_caller]
    pub fn failed_with(self, code: i32, texts: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        for text in texts {
            assert!(
                self.stderr.contains(text),
                "{text:?} is missing in:\n{}",
                self.stderr
            );
        }
        self
    }
}

/// Sends SIGINT to a process, as Ctrl-C does.
pub fn interrupt(child: &Child) {
    let pid = i32::try_from(child.id()).expect("a process id");
    let pid = rustix::process::Pid::from_raw(pid).expect("not zero");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
}

/// A running command.
pub struct Running {
    child: Child,
    started: Instant,
    stdout: JoinHandle<String>,
    stderr: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl Running {
    /// Starts a command, and reads both outputs continuously.
    pub fn start(command: &mut Command) -> Self {
        Self::start_with(command.stdin(Stdio::null()))
    }

    fn start_with(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command can be started");
        let mut out = child.stdout.take().expect("piped");
        let err = child.stderr.take().expect("piped");
        let stderr = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&stderr);
        Self {
            child,
            started: Instant::now(),
            stdout: std::thread::spawn(move || {
                let mut text = Vec::new();
                let _ = out.read_to_end(&mut text);
                String::from_utf8_lossy(&text).into_owned()
            }),
            stderr,
            reader: std::thread::spawn(move || {
                let mut lines = BufReader::new(err);
                let mut line = Vec::new();
                while lines.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                    let text = String::from_utf8_lossy(&line).into_owned();
                    written.lock().expect("no reader panics").push_str(&text);
                    line.clear();
                }
            }),
        }
    }

    /// Waits until standard error contains a text.
    #[track_caller]
    pub fn until(&mut self, text: &str) {
        self.until_true(text, |stderr| stderr.contains(text));
    }

    /// Waits until a condition holds, which gets what standard error has so far. Fails if the
    /// command ends before.
    #[track_caller]
    pub fn until_true(&mut self, what: &str, holds: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + LIMIT;
        loop {
            let stderr = self.stderr.lock().expect("no reader panics").clone();
            if holds(&stderr) {
                return;
            }
            let ended = self.child.try_wait().expect("a child can be waited for");
            assert!(
                ended.is_none(),
                "it ended ({ended:?}) before {what:?}:\n{stderr}"
            );
            assert!(Instant::now() < deadline, "{what:?} never came:\n{stderr}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub fn interrupt(&self) {
        interrupt(&self.child);
    }

    /// Waits for the end. A command that takes ten minutes counts as hanging, and fails the test.
    #[track_caller]
    pub fn wait(mut self) -> Finished {
        let status = self.end();
        let took = self.started.elapsed();
        self.reader.join().expect("the reader ends");
        let stderr = self.stderr.lock().expect("no reader panics").clone();
        Finished {
            code: status.code(),
            stdout: self.stdout.join().expect("the reader ends"),
            stderr,
            took,
        }
    }

    #[track_caller]
    fn end(&mut self) -> ExitStatus {
        while self.started.elapsed() < LIMIT {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        panic!("it hangs:\n{}", self.stderr.lock().expect("no panic"));
    }
}
