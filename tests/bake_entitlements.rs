//! The entitlements that `solvekit bake` asks for before anything runs. No engine is needed: no
//! connection is made.

#![allow(clippy::unwrap_used, reason = "a test")]

mod support;

use support::{Finished, OnTerminal, folder_of, solvekit};
use tempfile::TempDir;

const NOWHERE: &str = "unix:///nowhere/buildkitd.sock";
const REFUSED: &str = "the bake file asks for more than is allowed";

fn folder(bake_file: &str) -> TempDir {
    folder_of(&[
        ("work/docker-bake.hcl", bake_file),
        ("work/Dockerfile", "FROM scratch\n"),
        ("other/Dockerfile", "FROM scratch\n"),
    ])
}

fn bake(folder: &TempDir, arguments: &[&str], variable: (&str, &str)) -> Finished {
    let mut command = solvekit(["bake", "--progress=plain", "--addr", NOWHERE]);
    command.args(arguments).env(variable.0, variable.1);
    Finished::of(command.current_dir(folder.path().join("work")))
}

fn refused(folder: &TempDir, arguments: &[&str]) -> String {
    let done = bake(folder, arguments, ("A", "b"));
    assert_eq!(done.code, Some(1));
    assert!(done.stderr.contains(REFUSED), "{}", done.stderr);
    done.stderr
}

/// Runs a command that asks for nothing: it only fails because there is no daemon.
fn allowed(folder: &TempDir, arguments: &[&str], variable: (&str, &str)) {
    let done = bake(folder, arguments, variable);
    assert!(!done.stderr.contains(REFUSED), "{}", done.stderr);
    assert!(
        done.stderr.contains("/nowhere/buildkitd.sock"),
        "{}",
        done.stderr
    );
}

#[test]
fn files_elsewhere_are_refused_with_the_flag_that_allows_them() {
    let folder = folder(
        r#"target "default" {
             context = "../other"
             cache-to = ["type=local,dest=../cache"]
           }"#,
    );
    let output = refused(&folder, &[]);
    assert!(output.contains("  - read ../other\n"), "{output}");
    let flags = "--allow=fs.write=../cache --allow=fs.read=../other";
    assert!(output.contains(flags), "{output}");
    let half = ["--allow=fs.read=../other"];
    assert!(!refused(&folder, &half).contains("read ../other\n"));
    allowed(&folder, &["--allow=fs=.."], ("A", "b"));
    let set = "--set=default.cache-to=type=local,dest=../cache";
    allowed(&folder, &[half[0], set], ("A", "b"));
    allowed(&folder, &[], ("BUILDX_BAKE_ENTITLEMENTS_FS", "0"));
}

#[test]
fn a_link_out_of_the_folder_is_followed() {
    let folder = folder(r#"target "default" { context = "inside" }"#);
    let link = folder.path().join("work/inside");
    std::os::unix::fs::symlink("../other", link).unwrap();
    assert!(refused(&folder, &[]).contains("--allow=fs.read=../other"));
}

#[test]
fn privileges_are_refused_even_if_files_are_not_asked_for() {
    let folder = folder(
        r#"target "default" {
             entitlements = ["security.insecure"]
             network = "host"
             output = ["type=local,dest=out,mode=delete"]
           }"#,
    );
    let flags = "--allow=network.host --allow=security.insecure --allow=buildx.local.delete";
    assert!(refused(&folder, &[]).contains(flags));
    let variable = ("BUILDX_BAKE_ENTITLEMENTS_FS", "0");
    assert!(bake(&folder, &[], variable).stderr.contains(REFUSED));
    let wrong = bake(&folder, &[], ("BUILDX_BAKE_ENTITLEMENTS_FS", "maybe"));
    assert!(
        wrong.stderr.contains("BUILDX_BAKE_ENTITLEMENTS_FS"),
        "{}",
        wrong.stderr
    );
    let flags: Vec<&str> = flags.split(' ').collect();
    allowed(&folder, &flags, ("A", "b"));
    let printed = bake(&folder, &["--print"], ("A", "b"));
    assert_eq!(printed.code, Some(0), "{}", printed.stderr);
}

/// Starts the command at a terminal, where it asks.
fn asked(folder: &TempDir) -> OnTerminal {
    let mut command = solvekit(["bake", "--progress=plain", "--addr", NOWHERE]);
    command.current_dir(folder.path().join("work"));
    let mut terminal = OnTerminal::start(&command);
    terminal.until("Allow it now? [y/N] ");
    terminal
}

#[test]
fn a_terminal_is_asked_and_only_a_yes_builds() {
    let folder = folder(r#"target "default" { context = "../other" }"#);
    let mut yes = asked(&folder);
    yes.types("y\n");
    let (code, screen) = yes.wait();
    assert_eq!(code, Some(1), "{screen}");
    assert!(screen.contains("  - read ../other\r\n"), "{screen}");
    assert!(
        screen.contains("--allow=fs.read=../other allows it"),
        "{screen}"
    );
    assert!(screen.contains("/nowhere/buildkitd.sock"), "{screen}");
    assert!(!screen.contains(REFUSED), "{screen}");
    for no in ["n\n", "\n", "yes please\n", "\x04"] {
        let mut terminal = asked(&folder);
        terminal.types(no);
        let (code, screen) = terminal.wait();
        assert_eq!(code, Some(1), "{no:?}: {screen}");
        assert!(screen.contains(REFUSED), "{no:?}: {screen}");
        assert!(
            !screen.contains("/nowhere/buildkitd.sock: "),
            "{no:?}: {screen}"
        );
    }
}

#[test]
fn ctrl_c_at_the_question_ends_the_command() {
    let folder = folder(r#"target "default" { context = "../other" }"#);
    let mut terminal = asked(&folder);
    terminal.types("\x03");
    let (code, screen) = terminal.wait();
    assert_eq!(code, Some(130), "{screen}");
    assert!(screen.contains("interrupted"), "{screen}");
}
