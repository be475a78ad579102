//! Outputs that nobody reads: pipes without a reader, paused pipes. The first interrupt ends the
//! command.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Engine, Finished, Relay, Running, folder_of, interrupt, solvekit, unique};

/// A second after the interrupt, and time for a slow machine.
const PROMPTLY: Duration = Duration::from_secs(10);

#[test]
fn an_interrupt_ends_the_wait_for_the_reader_of_a_result_file() {
    let folder = folder_of(&[
        ("Dockerfile", "FROM alpine\n"),
        ("docker-bake.hcl", "target \"default\" {}\n"),
    ]);
    make_pipe(&folder.path().join("pipe"));
    for arguments in [
        &["build", "--metadata-file=pipe", "."][..],
        &["build", "--iidfile=pipe", "."],
        &["build", "--report=type=md,dest=pipe", "."],
        &["bake", "--metadata-file=pipe"],
        &["bake", "--report=type=json,dest=pipe"],
    ] {
        let mut command = solvekit(arguments);
        command.arg("--progress=plain").current_dir(folder.path());
        let mut run = Running::start(&mut command);
        run.until("load metadata");
        // The build has a cached step at most.
        std::thread::sleep(Duration::from_secs(2));
        run.interrupt();
        let interrupted = Instant::now();
        let ended = run.wait();
        assert!(interrupted.elapsed() < PROMPTLY, "{arguments:?}");
        ended.failed_with(130, &["interrupted: pipe has no reader"]);
    }
}

#[test]
fn a_result_file_can_be_a_pipe_whose_reader_comes_later() {
    let folder = folder_of(&[("Dockerfile", "FROM alpine\n")]);
    let pipe = folder.path().join("pipe");
    make_pipe(&pipe);
    let mut command = solvekit(["build", "--metadata-file"]);
    let run = Running::start(command.arg(&pipe).arg(folder.path()));
    let metadata = std::fs::read_to_string(&pipe).expect("it is text");
    run.wait().succeeded();
    assert!(metadata.contains("buildx.build.ref"), "{metadata}");
}

#[test]
fn an_interrupt_ends_an_archive_that_nobody_reads() {
    // More than a pipe holds.
    let folder = folder_of(&[(
        "Dockerfile",
        "FROM alpine\nRUN head -c 4000000 /dev/urandom > /large\n",
    )]);
    let pipe = folder.path().join("pipe");
    make_pipe(&pipe);
    Finished::of(solvekit(["build"]).arg(folder.path())).succeeded();
    for kind in ["tar", "oci", "docker"] {
        for dest in ["-", pipe.to_str().expect("text")] {
            let output = format!("--output=type={kind},dest={dest}");
            let mut command = solvekit(["build", "--progress=plain", &output]);
            command.arg(folder.path()).stdout(Stdio::piped());
            command.stderr(Stdio::null());
            assert_ends_when_interrupted(&mut command, &output);
        }
    }
}

#[test]
fn the_second_interrupt_names_the_folder_that_stays_incomplete() {
    let relay = Relay::unix();
    let word = unique();
    let files = format!(
        "echo {word} >/w; mkdir /d; for i in $(seq 200); do head -c 300000 /dev/urandom >/d/$i; \
         done"
    );
    let context = folder_of(&[("Dockerfile", &format!("FROM alpine\nRUN {files}\n"))]);
    Finished::of(solvekit(["build", "--addr", &Engine::get().host]).arg(context.path()))
        .succeeded();
    let (folder, out) = (folder_of(&[]), "out");
    let mut command = solvekit([
        "build",
        "--addr",
        relay.address(),
        "--progress=plain",
        "-oout",
    ]);
    command.arg(context.path()).current_dir(folder.path());
    let mut run = Running::start(&mut command);
    let out = folder.path().join(out);
    run.until_true("the first files", |_| out.join("d").exists());
    relay.set_hanging(true);
    run.interrupt();
    // The daemon does not answer.
    std::thread::sleep(Duration::from_millis(200));
    run.interrupt();
    let interrupted = Instant::now();
    let ended = run.wait();
    assert!(interrupted.elapsed() < PROMPTLY);
    ended.failed_with(130, &["interrupted; the folder out is incomplete"]);
}

#[test]
fn an_interrupt_ends_the_copy_of_a_cache_mount_that_nobody_reads() {
    for place in ["-", "pipe.tar"] {
        let id = unique();
        let mount = format!("--mount=type=cache,id={id},target=/c");
        // The name of a mount is no part of a step's cache key.
        let run = format!("RUN {mount} head -c 4000000 /dev/urandom > /c/large-{id}");
        let folder = folder_of(&[("Dockerfile", &format!("FROM alpine\n{run}\n"))]);
        make_pipe(&folder.path().join("pipe.tar"));
        Finished::of(solvekit(["build"]).arg(folder.path())).succeeded();
        let mut command = solvekit(["cache-mount", "export", "--id", &id, "--to", place]);
        command.current_dir(folder.path());
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        assert_ends_when_interrupted(&mut command, place);
    }
}

#[test]
fn an_archive_that_cannot_be_written_is_one_error_with_its_path() {
    let folder = folder_of(&[("Dockerfile", "FROM alpine\n")]);
    for kind in ["tar", "oci", "docker"] {
        let output = format!("--output=type={kind},dest=/dev/full");
        let failed = Finished::of(solvekit(["build", "-q", &output]).arg(folder.path()));
        let full =
            "ERROR: cannot receive the result: cannot write /dev/full: No space left on device";
        assert_eq!((failed.code, failed.stderr.trim_end()), (Some(1), full));
    }
}

#[test]
fn progress_that_cannot_be_written_is_one_warning() {
    let folder = folder_of(&[("Dockerfile", "FROM alpine\nRUN echo progress and more\n")]);
    for flags in [
        ["--progress=rawjson", "--progress-file=/dev/full"],
        ["-q", "--trace=/dev/full"],
    ] {
        let built = Finished::of(solvekit(["build"]).args(flags).arg(folder.path()));
        let full = "WARNING: cannot write to /dev/full: No space left on device";
        assert_eq!(
            (built.code, built.stderr.trim_end()),
            (Some(0), full),
            "{flags:?}"
        );
    }
}

#[test]
fn help_that_cannot_be_printed_is_an_error() {
    let full = std::fs::File::options().write(true).open("/dev/full");
    let mut command = solvekit(["build", "--help"]);
    let output = command.stdout(full.expect("Linux has it")).output();
    let output = output.expect("it can be started");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        error,
        "ERROR: cannot write to stdout: No space left on device\n"
    );
    assert_eq!(output.status.code(), Some(1));
}

/// The command blocks until it is interrupted, and then ends.
fn assert_ends_when_interrupted(command: &mut Command, what: &str) {
    let mut stuck = Stuck::start(command);
    std::thread::sleep(Duration::from_secs(3));
    assert!(!stuck.has_ended(), "{what}");
    interrupt(&stuck.0);
    assert_eq!(stuck.promptly(), Some(130), "{what}");
}

/// A command whose outputs nobody reads.
struct Stuck(Child);

impl Stuck {
    fn start(command: &mut Command) -> Self {
        let child = command.stdin(Stdio::null()).spawn();
        Self(child.expect("it can be started"))
    }

    fn has_ended(&mut self) -> bool {
        let ended = self.0.try_wait();
        ended.expect("a child can be waited for").is_some()
    }

    /// Waits for the end and returns the exit code. Nothing is read before.
    fn promptly(mut self) -> Option<i32> {
        let began = Instant::now();
        while !self.has_ended() {
            if began.elapsed() > PROMPTLY {
                let _ = self.0.kill();
                panic!("it hangs");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.0.wait().expect("it has ended").code()
    }
}

fn make_pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.expect("mkfifo is there").success());
}
