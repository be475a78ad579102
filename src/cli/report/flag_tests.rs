//! Tests that hints name only existing flags, and only commands that have them.

use std::collections::BTreeSet;
use std::path::Path;

use clap::CommandFactory as _;

use crate::cli::Cli;

/// Flags in hints that belong to other programs: Dockerfile instructions, buildkitd, kubectl,
/// docker, git, pip, python, tar and the test runner.
const OF_OTHERS: &[&str] = &[
    "allow-insecure-entitlement",
    "chown",
    "context",
    "depth",
    "docker",
    "exact",
    "invalidation-mode",
    "mount",
    "namespace",
    "no-compile",
    "nocapture",
    "overwrite",
    "previous",
    "privileged",
    "replicas",
    "rm",
    "sparse",
];

/// The commands with their flags, which are only defined when a command is built.
fn built() -> clap::Command {
    let mut command = Cli::command();
    command.build();
    command
}

fn flags_of(command: &clap::Command) -> BTreeSet<String> {
    let arguments = command.get_arguments();
    let names = arguments.flat_map(|argument| {
        let aliases = argument.get_all_aliases().unwrap_or_default();
        argument.get_long().into_iter().chain(aliases)
    });
    let mut flags: BTreeSet<String> = names.map(str::to_owned).collect();
    flags.extend(command.get_subcommands().flat_map(flags_of));
    flags.extend(["help", "version"].map(str::to_owned));
    flags
}

/// Collects the words after `--` in a file.
fn named_in(path: &Path, found: &mut BTreeSet<String>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            named_in(&entry.unwrap().path(), found);
        }
        return;
    }
    let text = std::fs::read_to_string(path).unwrap();
    for line in text.lines().filter(|line| !line.trim().starts_with("//")) {
        for (place, _) in line.match_indices("--") {
            let is_begin = !line[..place].ends_with(|c: char| c == '-' || c.is_alphanumeric());
            let rest = &line[place + 2..];
            let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '-');
            let name = rest[..end.unwrap_or(rest.len())].trim_end_matches('-');
            if is_begin && name.len() > 1 {
                found.insert(name.to_owned());
            }
        }
    }
}

#[test]
fn advice_names_flags_that_there_are() {
    let known = flags_of(&built());
    let mut named = BTreeSet::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/report");
    named_in(&folder, &mut named);
    assert!(named.contains("insecure-registry"), "{named:?}");
    let unknown = named
        .iter()
        .filter(|name| !known.contains(*name) && !OF_OTHERS.contains(&name.as_str()));
    let unknown: Vec<&String> = unknown.collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn commands_whose_errors_name_insecure_registry_take_it() {
    let all = built();
    for words in [
        "build",
        "bake",
        "debug",
        "solve",
        "lock",
        "push",
        "policy eval",
        "policy test",
        "imagetools create",
        "imagetools inspect",
    ] {
        let command = words.split(' ').fold(&all, |command, word| {
            let found = command.find_subcommand(word);
            found.unwrap_or_else(|| panic!("no command {words}"))
        });
        assert!(flags_of(command).contains("insecure-registry"), "{words}");
    }
}

#[test]
fn flags_leave_the_description_of_their_command() {
    let built = built();
    for described in Cli::command().get_subcommands() {
        let name = described.get_name();
        let found = built.find_subcommand(name).unwrap();
        let about = |command: &clap::Command| command.get_about().map(ToString::to_string);
        assert!(about(described).is_some(), "{name}");
        assert_eq!(about(found), about(described), "{name}");
    }
}
