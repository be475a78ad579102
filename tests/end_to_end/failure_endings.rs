//! The end of a failed build on the terminal: the last ten lines contain the essentials.

use crate::support::{Finished, OnTerminal, folder_of, solvekit, unique};

const BOTH: &str = "--platform=linux/amd64,linux/arm64";

/// The last ten lines.
fn last(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(10)..].join("\n")
}

#[track_caller]
fn has(last: &str, words: &[&str]) {
    for word in words {
        assert!(last.contains(word), "{word:?} is missing in:\n{last}");
    }
}

#[test]
fn the_last_ten_lines_of_a_failure_say_it_all() {
    let salt = unique();
    let output = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line $i; done;";
    let long = " \\\n  true;".repeat(20);
    let failing = format!("FROM busybox AS build\nRUN : {salt}; {output}{long} exit 3\n");
    let text = failing + "FROM busybox\nCOPY --from=build /bin/sh /x\n";
    let context = folder_of(&[("Dockerfile", &text)]);
    for progress in ["plain", "none"] {
        let mut command = solvekit(["build", "--progress", progress, "-o", "type=cacheonly"]);
        command
            .args(["--platform", "linux/amd64"])
            .arg(context.path());
        let failed = Finished::of(&mut command).failed_with(1, &[]);
        let lines: Vec<&str> = failed.stderr.lines().collect();
        let last = lines[lines.len() - 10..].join("\n");
        let words = [
            "linux/amd64, stage build, ",
            "Dockerfile:2, exit code 3\n",
            "  RUN : ",
        ];
        for word in words
            .into_iter()
            .chain(["  | line 11\n  | line 12\n", "ERROR: "])
        {
            assert!(last.contains(word), "{word:?} is missing in:\n{last}");
        }
    }
}

#[test]
fn the_last_ten_lines_have_every_platform_that_failed() {
    let text = format!(
        "FROM busybox AS build\nRUN : {}; seq 20; exit 4\n",
        unique()
    );
    let context = folder_of(&[("Dockerfile", &text)]);
    let mut build = solvekit(["build", "--progress=plain", "--keep-going", BOTH]);
    let failed = Finished::of(build.arg(context.path())).failed_with(1, &["2 of 2 platforms"]);
    let last = last(&failed.stderr);
    for platform in ["linux/amd64", "linux/arm64"] {
        let place = format!("{platform}, stage build, Dockerfile:2, exit code 4\n  RUN : ");
        has(&last, &[&place]);
    }
    assert_eq!(last.matches("\n  | 20\n").count(), 2, "{last}");
}

#[test]
fn a_file_that_is_missing_has_its_place_there_too() {
    let context = folder_of(&[("Dockerfile", "FROM busybox AS build\nCOPY missing /x\n")]);
    let mut build = solvekit(["build", "--progress=plain", "--platform=linux/amd64"]);
    let failed = Finished::of(build.arg(context.path())).failed_with(1, &[]);
    let words = [
        ">>> COPY missing /x\n",
        "linux/amd64, stage build, Dockerfile:2\n  COPY missing /x\n",
        "ERROR: ",
        "context ls",
    ];
    has(&last(&failed.stderr), &words);
}

#[test]
fn a_file_that_another_stage_lacks_is_not_looked_for_in_the_context() {
    let text = "FROM busybox AS one\nRUN true\nFROM busybox AS two\nCOPY --from=one /missing /x\n";
    let context = folder_of(&[("Dockerfile", text)]);
    let mut build = solvekit(["build", "--progress=plain", "--platform=linux/amd64"]);
    let failed = Finished::of(build.arg(context.path())).failed_with(1, &[]);
    let words = [
        "linux/amd64, stage two, ",
        "Dockerfile:4\n  COPY --from=one /missing /x\n",
        "ERROR: \"/missing\" is not in one, which --from names: ",
        "--target one -o - . | tar t",
    ];
    has(&last(&failed.stderr), &words);
    assert!(
        !failed.stderr.contains("build context"),
        "{}",
        failed.stderr
    );
}

#[test]
fn the_last_ten_lines_have_every_target_that_failed() {
    let word = unique();
    let target = |name: &str, code: u8| {
        format!(
            "target \"{name}\" {{\n  dockerfile-inline = \"FROM busybox\\nRUN : {word}; seq 20; \
             exit {code}\"\n}}\n"
        )
    };
    let bake = target("a", 4) + &target("b", 5) + &target("c", 0);
    let folder = folder_of(&[("docker-bake.hcl", &bake)]);
    let mut command = solvekit(["bake", "--progress=plain", "--keep-going", "a", "b", "c"]);
    let failed = Finished::of(command.current_dir(folder.path())).failed_with(1, &[]);
    let end = last(&failed.stderr);
    for (target, code) in [("a", 4), ("b", 5)] {
        let place =
            format!("target {target}, linux/amd64, dockerfile-inline:2, exit code {code}\n");
        has(&end, &[&place]);
    }
    let mut command = solvekit(["bake", "--progress=plain", "a"]);
    let failed = Finished::of(command.current_dir(folder.path())).failed_with(1, &[]);
    has(
        &last(&failed.stderr),
        &["target a, linux/amd64, ", "\n  | 19\n  | 20\n"],
    );
}

#[test]
fn a_terminal_shows_the_command_that_opens_a_shell() {
    let text = format!("FROM busybox\nRUN : {}; exit 6\n", unique());
    let context = folder_of(&[("Dockerfile", &text)]);
    let mut command = solvekit(["build", "--build-arg", "A=it's $HOME", BOTH]);
    command.arg(context.path()).env("TERM", "xterm");
    let (code, screen) = OnTerminal::start(&command).wait();
    assert_eq!(code, Some(1), "{screen}");
    let again = r"build --debug=on-error --build-arg 'A=it'\''s $HOME' --platform=";
    has(
        &last(&screen),
        &["For a shell where it failed: ", again, "exit code 6"],
    );

    let folder = folder_of(&[("Dockerfile", "FROM busybox\nCOPY missing /x\n")]);
    let mut command = solvekit(["build", "--platform=linux/amd64"]);
    command.arg(folder.path()).env("TERM", "xterm");
    let (_, screen) = OnTerminal::start(&command).wait();
    assert!(!screen.contains("For a shell"), "{screen}");
}

#[test]
fn instructions_that_are_refused_have_their_place_too() {
    let salt = unique();
    for (text, place) in [
        (
            "FROM busybox AS one\nCOPY --from=nothere/at:all /a /b\n",
            "linux/amd64, stage one, Dockerfile:2\n",
        ),
        (
            "FROM busybox AS one\nRUN --security=insecure true SALT\n",
            "linux/amd64, stage one, Dockerfile:2\n  RUN --security=insecure true",
        ),
        (
            "FROM busybox AS one\nCOPY --from=0 /a /b\n",
            "linux/amd64, stage one, Dockerfile:2\n  COPY --from=0 /a /b\n",
        ),
    ] {
        let context = folder_of(&[("Dockerfile", &text.replace("SALT", &salt))]);
        let mut build = solvekit(["build", "--progress=plain", "--platform=linux/amd64"]);
        let failed = Finished::of(build.arg(context.path())).failed_with(1, &["ERROR: "]);
        has(&last(&failed.stderr), &[place]);
    }
}

#[test]
fn a_bake_at_a_terminal_ends_with_the_command_for_a_shell() {
    let word = unique();
    let bake = format!(
        "target \"a\" {{\n  dockerfile-inline = \"FROM busybox\\nRUN : {word}; seq 20; exit \
         4\"\n}}\n"
    );
    let folder = folder_of(&[("docker-bake.hcl", &bake)]);
    let mut command = solvekit(["bake", "--set", "a.args.A=it's", "a"]);
    command.current_dir(folder.path()).env("TERM", "xterm");
    let (code, screen) = OnTerminal::start(&command).wait();
    assert_eq!(code, Some(1), "{screen}");
    let words = [
        "target a, linux/amd64, dockerfile-inline:2, exit code 4",
        "  | 20",
        "For a shell where it failed: ",
        r"bake --debug=on-error --set 'a.args.A=it'\''s' a",
    ];
    has(&last(&screen), &words);

    // The command does what it says: commands at its prompt run where the step failed.
    let mut command = solvekit(["bake", "--progress=plain", "--debug=on-error", "a"]);
    command.current_dir(folder.path());
    let paused = Finished::with_input(&mut command, b"exec echo in the container\nexit\n".to_vec());
    let paused = paused.failed_with(1, &["failed (linux/amd64): "]);
    let all = format!("{}{}", paused.stdout, paused.stderr);
    assert!(all.contains("in the container"), "{all}");
}
