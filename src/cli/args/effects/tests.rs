use clap::CommandFactory as _;

use super::*;
use crate::cli::Cli;

/// The warnings about a command line, in solvekit's words.
fn warnings(line: &str) -> Vec<String> {
    of(line).into_iter().map(|warning| warning.text).collect()
}

fn of(line: &str) -> Vec<Warning> {
    let mut command = Cli::command();
    let words = line.split(' ');
    let matches = command.try_get_matches_from_mut(words).unwrap();
    Ignored::of(&command, &matches).warnings
}

#[test]
fn flags_without_effect_are_named_with_the_reason() {
    for (line, expected) in [
        (
            "x build --dry-run --report a.md --iidfile id --push -t a .",
            "--iidfile and --report have no effect beside --dry-run, which builds nothing",
        ),
        (
            "x b --check --push --metadata-file m .",
            "--push has no effect beside --check, which builds nothing",
        ),
        (
            "x debug build --call=outline -o out .",
            "--output has no effect beside --call, which builds nothing",
        ),
        (
            "x build --debug-platform linux/arm64 .",
            "--debug-platform has no effect without --debug-build or --invoke",
        ),
        (
            "x bake --print --metadata-file m --set a.tags=b",
            "--metadata-file has no effect beside --print, which builds nothing",
        ),
        (
            "x bake --list=targets --set a.tags=b",
            "--set has no effect beside --list, which lists what the files define",
        ),
        (
            "x bake --graph --check --keep-going",
            "--check and --keep-going have no effect beside --graph, which builds nothing",
        ),
        (
            "x dap build --progress=plain",
            "--progress has no effect here: the editor controls the build and shows its progress",
        ),
        (
            "x platforms --image=a",
            "--image has no effect without --install or --uninstall",
        ),
        (
            "x policy eval --fields=a docker-image://b",
            "--fields has no effect without --print",
        ),
        (
            "x solve --opt=a=b graph",
            "--opt has no effect without --frontend",
        ),
        (
            "x create --leave --name a --node b --use",
            "--use has no effect beside --leave, which removes a node",
        ),
        (
            "x imagetools create --dry-run --metadata-file m a",
            "--metadata-file has no effect beside --dry-run, which pushes nothing",
        ),
    ] {
        let found = warnings(line);
        assert!(found.iter().any(|it| it == expected), "{line}: {found:?}");
    }
}

#[test]
fn flags_that_have_an_effect_or_their_default_are_not_named() {
    for line in [
        "x build --dry-run --platform linux/arm64 --push -t a --build-arg A=b --cache-from c .",
        "x build --call=build --push --report a.md .",
        "x build --dry-run --push-from=daemon .",
        "x build --debug-build=always --debug-platform linux/arm64 .",
        "x --builder b --debug build --check .",
        "x bake --print --set a.tags=b --push --progress=plain",
        "x platforms --install --image=a",
    ] {
        let found = warnings(line);
        assert!(found.is_empty(), "{line}: {found:?}");
    }
}

#[test]
fn buildx_is_silent_about_its_own_flags_only() {
    let is_for_buildx = |line: &str| of(line).iter().any(|warning| warning.is_for_buildx);
    assert!(!is_for_buildx("x build --check --push ."));
    assert!(is_for_buildx("x build --dry-run --report a.md ."));
}

#[test]
fn every_name_in_the_table_is_a_flag_of_its_commands() {
    let mut root = Cli::command();
    root.build();
    for rule in rules::ALL {
        let names = match (rule.rest, rule.when) {
            (Rest::These(list), _) => list.to_vec(),
            (Rest::AllBut(lists), _) => lists.concat(),
        };
        let when = match rule.when {
            When::Beside(flag) => vec![flag],
            When::Without(flags) => flags.to_vec(),
            When::Always => Vec::new(),
        };
        for path in rule.commands {
            let mut command = &root;
            for word in path.split(' ') {
                command = command.find_subcommand(word).unwrap();
            }
            // `quiet` is in a list that several commands share.
            let shared = ["quiet"];
            for name in names.iter().chain(&when).filter(|it| !shared.contains(it)) {
                let mut flags = command.get_arguments();
                let is_known = flags.any(|flag| flag.get_long() == Some(name));
                assert!(is_known, "{path} has no --{name}");
            }
        }
    }
}
