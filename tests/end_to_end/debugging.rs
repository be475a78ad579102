//! Debugging builds at a terminal, on the real daemon.

use std::path::Path;
use std::process::Command;

use crate::support::{Engine, Finished, OnTerminal, solvekit, unique};

/// A folder with this Dockerfile and a file.
fn context(dockerfile: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("a file can be written");
    };
    write("Dockerfile", dockerfile);
    write("file", "of the context\n");
    folder
}

fn command(arguments: &[&str], folder: &Path) -> Command {
    let mut command = solvekit(["--addr", &Engine::get().host]);
    command.args(arguments).arg(folder);
    command
}

fn failing(word: &str) -> String {
    format!(
        "FROM busybox\nENV WORD=said-{word}\nCOPY file /data/\nWORKDIR /data\n\
         RUN --mount=type=tmpfs,target=/cache echo half >left; exit 3\n"
    )
}

#[test]
fn a_shell_opens_in_the_step_that_failed() {
    let folder = context(&failing(&unique()));
    let command = command(&["build", "--debug=on-error"], folder.path());
    let mut terminal = OnTerminal::start(&command);
    terminal.until("Ctrl-A C returns to the debugger");
    terminal.until("/data #");
    terminal.types("cat left file; echo $WORD-$((40+2)); stty size\n");
    terminal.until("-42");
    terminal.types("exit 5\n");
    terminal.until("the program ended with exit code 5");
    terminal.until("(solvekit) ");
    terminal.types("ls /data\n");
    terminal.until("15 file");
    terminal.types("cat /data/file\n");
    terminal.until("of the context");
    terminal.types("nonsense\n");
    terminal.until("no such command here: nonsense");
    terminal.types("exec sh -c 'echo again-$((1+1)) $(cat left); exit 4'\n");
    terminal.until("again-2 half");
    terminal.until("the program ended with exit code 4");
    terminal.types("exit\n");
    let (code, screen) = terminal.wait();
    assert_eq!(code, Some(1), "{screen}");
    assert!(
        screen.contains("half") && screen.contains("said-"),
        "{screen}"
    );
    assert!(
        screen.contains("did not complete successfully: exit code: 3"),
        "{screen}"
    );
}

#[test]
fn a_shell_can_be_left_and_returned_to_and_ctrl_c_is_the_shell_s() {
    let folder = context(&failing(&unique()));
    let command = command(&["debug", "build"], folder.path());
    let mut terminal = OnTerminal::start(&command);
    terminal.until("/data #");
    terminal.types("VALUE=kept; echo start-$((1+1)); sleep 1000\n");
    terminal.until("start-2");
    terminal.types("\x03");
    terminal.types("echo back-$((1+1))\n");
    terminal.until("back-2");
    terminal.types("\x01c");
    terminal.until("process 1 goes on; attach 1 returns to it");
    terminal.types("attach\n");
    terminal.types("echo $VALUE-$((2+2))\n");
    terminal.until("kept-4");
    terminal.types("exit 9\n");
    terminal.until("the program ended with exit code 9");
    // Here Ctrl-C ends the build.
    terminal.types("\x03");
    let (code, screen) = terminal.wait();
    assert_eq!(code, Some(130), "{screen}");
}

#[test]
fn processes_that_were_left_are_listed_signalled_and_ended() {
    let folder = context(&failing(&unique()));
    let command = command(&["build", "--debug=on-error"], folder.path());
    let mut terminal = OnTerminal::start(&command);
    terminal.until("/data #");
    terminal.types("trap 'echo got-$((5+2))' USR1; VALUE=first\n");
    terminal.types("\x01c");
    terminal.until("process 1 goes on");
    terminal.types("exec sh -c 'echo second-$((1+1)); sleep 1000'\n");
    terminal.until("second-2");
    terminal.types("\x01c");
    terminal.until("process 2 goes on");
    terminal.types("ps\n");
    terminal.until("PID  CURRENT_SESSION  COMMAND");
    terminal.until("1    false            /bin/sh");
    terminal.until("2    true             sh -c echo second-$((1+1)); sleep 1000");
    terminal.types("kill -NONE 1\n");
    terminal.until("unknown signal -NONE; use one of HUP, INT,");
    terminal.types("kill 7\n");
    terminal.until("no process 7 runs; ps lists them");
    terminal.types("kill -SIGUSR1 1\n");
    terminal.types("kill 2\n");
    terminal.types("attach 2\n");
    terminal.until("no process 2 runs");
    // The shell handles the signal after it has read its next line.
    terminal.types("attach 1\n");
    terminal.types("echo $VALUE-$((4+4))\n");
    terminal.until("got-7");
    terminal.until("first-8");
    terminal.types("echo changed >left\n\x01c");
    terminal.until("process 1 goes on");
    terminal.types("rollback sh -c 'echo rolled-$((3+3)) $(cat left); exit 6'\n");
    terminal.until("rolled-6 half");
    terminal.until("the program ended with exit code 6");
    terminal.types("rollback --init sh -c 'echo before-$((3+4)) $(ls); exit 7'\n");
    terminal.until("before-7 file\r\n");
    terminal.until("the program ended with exit code 7");
    terminal.types("ps\nexit\n");
    let (code, screen) = terminal.wait();
    assert_eq!(code, Some(1), "{screen}");
    let (_, listed) = screen.rsplit_once("COMMAND").expect("two tables");
    assert!(!listed.contains("/bin/sh\r"), "{listed}");
}

#[test]
fn a_build_is_retried_with_the_files_as_they_are_now() {
    let word = unique();
    let folder = context(&failing(&word));
    let name = Engine::get().name("debugged");
    let command = command(
        &["debug", "--on=error", "build", "--push", "-t", &name],
        folder.path(),
    );
    let mut terminal = OnTerminal::start(&command);
    terminal.until("/data #");
    terminal.types("exit\n");
    terminal.until("(solvekit) ");
    let repaired = failing(&word).replace("exit 3", "true");
    std::fs::write(folder.path().join("Dockerfile"), repaired).expect("a Dockerfile");
    terminal.types("retry\n");
    let (code, screen) = terminal.wait();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("sha256:"), "{screen}");
}

#[test]
fn commands_can_come_from_a_script_and_one_of_several_platforms_is_chosen() {
    let folder = context(&failing(&unique()));
    let arguments = [
        "build",
        "--debug=on-error",
        "--progress=plain",
        "--debug-platform",
        "linux/arm64",
        "--platform",
        "linux/amd64,linux/arm64",
        "--keep-going",
    ];
    let mut command = command(&arguments, folder.path());
    let script = "where\nexec uname -m\nexec cat left\nexit\n";
    let finished = Finished::with_input(&mut command, script);
    let finished = finished.failed_with(1, &["failed (linux/arm64)"]);
    assert!(
        finished.stdout.contains("aarch64\nhalf\n"),
        "{}",
        finished.stdout
    );
    assert!(
        !finished.stderr.contains("failed (linux/amd64)"),
        "{}",
        finished.stderr
    );
}

#[test]
fn each_step_is_a_pause_and_the_result_one_too() {
    let word = unique();
    let text = format!("FROM busybox\nCOPY file /\nRUN echo {word} >/made\n");
    let folder = context(&text);
    let arguments = ["build", "--debug=step", "--progress=plain"];
    let mut stepped = command(&arguments, folder.path());
    let script = "next\nnext\ncat /file\nexec cat /file\nnext\ncat /made\ncontinue\n";
    let finished = Finished::with_input(&mut stepped, script).succeeded();
    let expected = ["of the context", "of the context", &word];
    let lines: Vec<&str> = finished.stdout.lines().collect();
    assert_eq!(
        lines[lines.len() - 3..],
        expected,
        "{}\n{}",
        finished.stdout,
        finished.stderr
    );

    let invoke = "args=[\"cat\",\"/made\"]".replace('"', "\"\"");
    let invoke = format!("\"{invoke}\"");
    let arguments = ["debug", "--invoke", &invoke, "build", "--progress=plain"];
    let finished = Finished::with_input(&mut command(&arguments, folder.path()), "exit\n");
    assert_eq!(finished.succeeded().stdout, format!("{word}\n"));
}

#[test]
fn a_debugger_needs_stdin_and_progress_for_people() {
    let folder = context("FROM scratch\n");
    let mut machine = command(
        &["build", "--debug=step", "--progress=jsonl"],
        folder.path(),
    );
    Finished::of(&mut machine).failed_with(1, &["--progress=plain"]);
    let mut stdin = command(&["build", "--debug=step", "-f", "-"], folder.path());
    Finished::of(&mut stdin).failed_with(1, &["reads stdin"]);
    let mut wrong = command(&["build", "--invoke", "x=y"], folder.path());
    Finished::of(&mut wrong).failed_with(1, &["--invoke does not take \"x=y\""]);
}

#[test]
fn the_prompt_names_the_target_of_several() {
    let folder = context(&failing(&unique()));
    let bake = "target \"one\" {}\ntarget \"two\" { args = { A = \"b\" } }\n";
    std::fs::write(folder.path().join("docker-bake.hcl"), bake).expect("a bake file");
    let mut command = solvekit(["--addr", &Engine::get().host, "bake"]);
    command.args(["--progress=plain", "--debug=on-error", "one", "two"]);
    command.current_dir(folder.path());
    let finished = Finished::with_input(&mut command, "where\nexit\n");
    let finished = finished.failed_with(1, &["exit code: 3"]);
    let named = |name: &str| {
        let stderr = &finished.stderr;
        stderr.contains(&format!("target {name}: failed"))
            && stderr.contains(&format!("(solvekit {name}) "))
    };
    assert!(named("one") || named("two"), "{}", finished.stderr);
}
