//! `--build-arg-file`, `--tag-file` and `--ignorefile`.

use crate::support::{Engine, Finished, folder_of, solvekit, unique};

#[test]
fn arguments_names_and_ignore_rules_come_from_files() {
    let image = Engine::get().name("files");
    let context = folder_of(&[
        (
            "Dockerfile",
            "FROM busybox\nARG A\nARG B\nCOPY . /x\nRUN echo $A/$B; ls /x\n",
        ),
        ("arguments", "A='one two'\nB=${A}!\n"),
        ("tags", &format!("# names\n{image}:1\n\n{image}:2\n")),
        ("rules", "arguments\ntags\nrules\nsecret\n"),
        ("secret", &unique()),
        (".dockerignore", "nothing\n"),
    ]);
    let mut command = solvekit(["build", "--progress=plain", "--push", "--build-arg-file"]);
    command.args(["arguments", "--tag-file", "tags", "--ignorefile", "rules"]);
    command.args([
        "--insecure-registry",
        &Engine::get().registry,
        "--no-cache",
        ".",
    ]);
    let built = Finished::of(command.current_dir(context.path())).succeeded();
    assert!(
        built.stderr.contains("one two/one two!\n"),
        "{}",
        built.stderr
    );
    assert!(!built.stderr.contains(" secret\n"), "{}", built.stderr);
    assert!(
        built
            .stderr
            .contains(&format!("{image}:1, {image}:2 sha256:")),
        "{}",
        built.stderr
    );
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let context = folder_of(&[("Dockerfile", "FROM scratch\n"), ("bad", "A='open\n")]);
    let build = |flag: &str, value: &str, from: &str| {
        let mut command = solvekit(["build", flag, value, from]);
        Finished::of(command.current_dir(context.path()))
    };
    build("--build-arg-file", "none", ".")
        .failed_with(1, &["cannot read none of --build-arg-file"]);
    let open = ["cannot read the arguments of bad: line 1: the quote is not closed"];
    build("--build-arg-file", "bad", ".").failed_with(1, &open);
    build("--tag-file", "none", ".").failed_with(1, &["cannot read none of --tag-file"]);
    build("--ignorefile", "none", ".").failed_with(1, &["cannot read the ignore file none"]);
    let remote = "https://example.invalid/a.git";
    build("--ignorefile", "bad", remote).failed_with(1, &["for a context that is a folder"]);
}

#[test]
fn files_of_windows_pipes_and_folders() {
    let image = Engine::get().name("windows-files");
    let context = folder_of(&[
        (
            "Dockerfile",
            "FROM busybox\nARG A\nRUN echo got:$A; ls /x || true\nCOPY . /x\nRUN ls /x\n",
        ),
        ("arguments", "\u{feff}A='one two'\r\n"),
        ("tags", &format!("\u{feff}{image}:1\r\n")),
        ("rules", "\u{feff}arguments\r\ntags\r\n"),
        ("folder/x", ""),
        ("binary", "A=\0"),
        ("nameless", "=1\n"),
    ]);
    let mut command = solvekit(["build", "--progress=plain", "--no-cache", "--push"]);
    command.args(["--build-arg-file", "arguments", "--tag-file", "tags"]);
    command.args(["--ignorefile", "rules", "."]);
    let built = Finished::of(command.current_dir(context.path())).succeeded();
    assert!(built.stderr.contains("got:one two\n"), "{}", built.stderr);
    assert!(!built.stderr.contains(" arguments\n"), "{}", built.stderr);
    // A pipe, such as bash's <(command), counts as a file.
    let script = format!(
        "echo A=piped | {} build --progress=plain --no-cache --build-arg-file /dev/stdin .",
        env!("CARGO_BIN_EXE_solvekit")
    );
    let mut piped = std::process::Command::new("sh");
    piped.args(["-c", &script]).current_dir(context.path());
    let piped = Finished::of(&mut piped).succeeded();
    assert!(piped.stderr.contains("got:piped\n"), "{}", piped.stderr);
    for (flag, value, words) in [
        (
            "--build-arg-file",
            "folder",
            "cannot read folder of --build-arg-file",
        ),
        ("--build-arg-file", "binary", "NUL bytes"),
        ("--build-arg-file", "nameless", "a line without a name"),
        ("--tag-file", "folder", "cannot read folder of --tag-file"),
        (
            "--ignorefile",
            "folder",
            "cannot read the ignore file folder",
        ),
    ] {
        let mut command = solvekit(["build", flag, value, "."]);
        let built = Finished::of(command.current_dir(context.path()));
        built.failed_with(1, &[words]);
    }
}
