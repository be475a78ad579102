//! Builds that are interrupted: nothing may be left behind.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{
    Engine, Finished, OnTerminal, Pushed, Relay, Running, folder_of, interrupt, solvekit, unique,
};

const THREE: &str = "linux/amd64,linux/arm64,linux/s390x";

#[test]
fn one_platforms_failure_ends_the_others_and_moves_no_tag() {
    let name = format!("{}:latest", Engine::get().name("moved"));
    let good = folder_of(&[("Dockerfile", "FROM alpine\n")]);
    Finished::of(solvekit(["build", "--platform", THREE, "-t", &name, "--push"]).arg(good.path()))
        .succeeded();
    let before = Pushed::fetch(&name).digest;

    let sleep = Sleep::new();
    let script = format!(
        "if [ $(uname -m) = s390x ]; then sleep 3; echo the reason; exit 7; else {sleep}; fi",
        sleep = sleep.command
    );
    let bad = folder_of(&[("Dockerfile", &format!("FROM alpine\n\nRUN {script}\n"))]);
    let run = Finished::of(
        solvekit([
            "build",
            "--progress=plain",
            "--platform",
            THREE,
            "-t",
            &name,
            "--push",
        ])
        .arg(bad.path()),
    )
    .failed_with(
        1,
        &["linux/s390x", "Dockerfile:3", "the reason", "exit code: 7"],
    );
    assert!(run.took < Duration::from_secs(60), "{:?}", run.took);
    sleep.assert_ended();
    assert_eq!(Pushed::fetch(&name).digest, before);
}

#[test]
fn the_first_interrupt_cancels_the_build_on_the_daemon_too() {
    let sleep = Sleep::new();
    let mut run = start(&Engine::get().host, &sleep);
    run.until("it runs");
    sleep.assert_runs_on_all();
    run.interrupt();
    let interrupted = Instant::now();
    run.wait().failed_with(130, &[]);
    assert!(interrupted.elapsed() < Duration::from_secs(15));
    sleep.assert_ended();
}

#[test]
fn an_interrupt_that_is_sent_twice_is_one() {
    for signal in ["INT", "TERM"] {
        let sleep = Sleep::new();
        let mut run = start(&Engine::get().host, &sleep);
        run.until("it runs");
        sleep.assert_runs_on_all();
        // As timeout(1) sends it.
        let twice = format!(
            "kill -{signal} {0}; sleep 0.02; kill -{signal} {0}",
            run.id()
        );
        let sent = Command::new("sh").args(["-c", &twice]).status();
        assert!(sent.expect("there is a shell").success());
        run.wait()
            .failed_with(130, &["ERROR: the build was interrupted"]);
        sleep.assert_ended();
    }
}

#[test]
fn a_connection_that_breaks_in_the_middle_ends_the_build() {
    let relay = Relay::unix();
    let sleep = Sleep::new();
    let mut run = start(relay.address(), &sleep);
    run.until("it runs");
    sleep.assert_runs_on_all();
    relay.cut();
    let cut = Instant::now();
    run.wait()
        .failed_with(1, &["connection to BuildKit was lost"]);
    assert!(cut.elapsed() < Duration::from_secs(15));
    // The daemon has lost its client, and ends its steps.
    sleep.assert_ended();
}

#[test]
fn a_connection_that_comes_back_goes_on_from_the_cache() {
    let relay = Relay::unix();
    let word = unique();
    let dockerfile = format!(
        "FROM alpine\nRUN echo {word}-$((0+1))\nRUN echo {word}-$((1+1)); sleep 4\nRUN echo \
         {word}-$((1+2))\n"
    );
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let mut run = Running::start(
        solvekit(["build", "--addr", relay.address(), "--progress=plain"]).arg(context.path()),
    );
    run.until(&format!("{word}-2"));
    relay.hang_up();
    let finished = run.wait().succeeded();
    assert!(
        finished
            .stderr
            .contains("seconds: building again from its cache"),
        "{}",
        finished.stderr
    );
    assert_eq!(finished.stderr.matches(&format!("{word}-1\n")).count(), 1);
    assert!(finished.stderr.contains(&format!("{word}-3\n")));
}

#[test]
fn a_daemon_that_dies_while_it_reads_the_context_is_one_error() {
    let relay = Relay::tcp();
    let context = folder_of(&[("Dockerfile", "FROM scratch\nCOPY . /\n")]);
    let large = std::fs::File::create(context.path().join("large")).expect("it can be written");
    large.set_len(4 << 30).expect("a sparse file");
    let run = Running::start(
        solvekit(["build", "--addr", relay.address(), "--progress=plain"]).arg(context.path()),
    );
    while relay.carried() < 20 << 20 {
        std::thread::sleep(Duration::from_millis(10));
    }
    relay.cut();
    let cut = Instant::now();
    run.wait()
        .failed_with(1, &["connection to BuildKit was lost"]);
    assert!(cut.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_paused_terminal_stops_neither_the_build_nor_an_interrupt() {
    let (name, word) = (format!("{}:1", Engine::get().name("paused")), unique());
    // More than a pipe holds; then something that the daemon asks this side for.
    let script = format!("i=0; while [ $i -lt 5000 ]; do echo {word} $i; i=$((i+1)); done");
    let asks = "--mount=type=secret,id=word cat /run/secrets/word >/copied";
    let dockerfile = format!("FROM alpine\nRUN {script}\nRUN {asks}\n");
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let mut command = solvekit(["build", "--progress=plain", "-t", &name, "--push"]);
    command
        .args(["--secret", "id=word,env=WORD"])
        .env("WORD", &word);
    let mut paused = Paused::start(command.arg(context.path()));
    let deadline = Instant::now() + Duration::from_secs(60);
    while Pushed::find(&name).is_none() {
        assert!(Instant::now() < deadline, "the build was stopped");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(!paused.has_ended());
    let (code, shown) = paused.read();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains(&format!("{word} 4999")), "{shown}");

    let sleep = Sleep::new();
    let steps = format!("FROM alpine\nRUN {script}\nRUN {}\n", sleep.command);
    let context = folder_of(&[("Dockerfile", &steps)]);
    let mut command = solvekit([
        "build",
        "--no-cache",
        "--progress=plain",
        "--platform",
        THREE,
    ]);
    let mut paused = Paused::start(command.arg(context.path()));
    sleep.assert_runs_on_all();
    interrupt(&paused.0);
    sleep.assert_ended();
    let interrupted = Instant::now();
    while !paused.has_ended() {
        // Nobody reads its last lines, so it gives them up.
        assert!(interrupted.elapsed() < Duration::from_secs(5));
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(paused.read().0, Some(130));
}

#[test]
fn after_ctrl_z_the_display_continues_below_what_the_shell_has_printed() {
    let word = unique();
    let ticks = format!("for i in 1 2 3 4 5 6 7 8 9; do echo {word} $i; sleep 1; done");
    let context = folder_of(&[("Dockerfile", &format!("FROM alpine\nRUN {ticks}\n"))]);
    let build = solvekit(["build", "--progress=tty"]);
    let mut shell = Command::new("bash");
    shell
        .args(["--norc", "--noprofile", "-i"])
        .current_dir(context.path());
    shell.env("BINARY", build.get_program());
    let mut screen = OnTerminal::start(&shell);
    screen.types("$BINARY build --progress=tty .; exit\n");
    screen.until(&format!("{word} 2"));
    screen.types("\x1a");
    screen.until("Stopped");
    screen.types("echo between-$((1+1))\n");
    screen.until("between-2");
    screen.types("fg\n");
    screen.until("FINISHED");
    screen.types("exit\n");
    let (_, screen) = screen.wait();
    let (_, after) = screen.split_once("between-2").expect("it is there");
    let (first, _) = after.split_once("Building").expect("it is drawn again");
    // ESC [ N A would move the cursor up.
    let moves_up = |code: &str| {
        code.trim_start_matches(|it: char| it.is_ascii_digit())
            .starts_with('A')
    };
    assert!(!first.split("\x1b[").skip(1).any(moves_up), "{first:?}");
}

/// A command whose standard error nobody reads.
struct Paused(Child);

impl Paused {
    fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(Stdio::piped()).spawn();
        Self(child.expect("it can be started"))
    }

    fn has_ended(&mut self) -> bool {
        self.0
            .try_wait()
            .expect("a child can be waited for")
            .is_some()
    }

    /// Reads its output to the end, and returns its exit code with it.
    fn read(mut self) -> (Option<i32>, String) {
        let mut text = String::new();
        let mut output = self.0.stderr.take().expect("it is piped");
        output.read_to_string(&mut text).expect("it is text");
        (self.0.wait().expect("it ends").code(), text)
    }
}

fn start(address: &str, sleep: &Sleep) -> Running {
    let script = format!("RUN echo it runs && {}", sleep.command);
    let context = folder_of(&[("Dockerfile", &format!("FROM alpine\n{script}\n"))]);
    let mut command = solvekit(["build", "--addr", address, "--progress=plain"]);
    let run = Running::start(command.args(["--platform", THREE]).arg(context.path()));
    // The Dockerfile has been read when the first step runs; until then the folder must exist.
    std::mem::forget(context);
    run
}

/// A step that takes an hour, with a command that is unique in the machine's process list.
struct Sleep {
    command: String,
}

impl Sleep {
    fn new() -> Self {
        let digits: String = unique()
            .bytes()
            .map(|byte| (b'0' + byte % 10) as char)
            .collect();
        Self {
            command: format!("sleep 3600.{digits}"),
        }
    }

    /// Waits until it runs for all of [`THREE`]: Engine 26 cannot kill some containers that are
    /// just being started.
    fn assert_runs_on_all(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.running() < 3 {
            assert!(Instant::now() < deadline, "`{}` does not run", self.command);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    #[track_caller]
    fn assert_ended(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.running() > 0 {
            assert!(Instant::now() < deadline, "`{}` still runs", self.command);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The number of its processes, without the shells that started them.
    fn running(&self) -> usize {
        let processes = std::fs::read_dir(Path::new("/proc")).expect("/proc");
        let is_one = |line: &Vec<u8>| {
            let line = String::from_utf8_lossy(line).replace('\0', " ");
            line.trim_end().ends_with(&self.command) && !line.contains(" -c ")
        };
        let lines = processes
            .flatten()
            .filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
        lines.filter(is_one).count()
    }
}
