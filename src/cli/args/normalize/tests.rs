use clap::{CommandFactory as _, Parser as _};

use super::*;
use crate::cli::Cli;

fn of(arguments: &[&str]) -> Vec<String> {
    let words = try_of(arguments).unwrap().into_iter();
    words.map(|word| word.into_string().unwrap()).collect()
}

fn try_of(arguments: &[&str]) -> Result<Vec<OsString>, clap::Error> {
    let arguments = arguments.iter().map(OsString::from).collect();
    normalized(&Cli::command(), arguments)
}

#[test]
fn an_empty_value_counts_as_not_given() {
    for (given, left) in [
        (
            &["x", "build", "--secret", "", "."][..],
            &["x", "build", "."][..],
        ),
        (
            &["x", "build", "-o=", "-f", "", "-t", "a", "."],
            &["x", "build", "-t", "a", "."],
        ),
        (&["x", "--builder=", "build", "."], &["x", "build", "."]),
        (
            &["x", "build", "--builder", "b", "--builder", "", "."],
            &["x", "build", "."],
        ),
        (&["x", "build", "-qf", "", "."], &["x", "build", "-q", "."]),
        (&["x", "build", "--push=", "."], &["x", "build", "."]),
        (
            &["x", "history", "ls", "--filter", ""],
            &["x", "history", "ls"],
        ),
        (
            &["x", "build", "-f", "a", "-f", "", "."],
            &["x", "build", "."],
        ),
        (
            &["x", "build", "--secret", "a", "--secret", "", "."],
            &["x", "build", "--secret", "a", "."],
        ),
        (&["x", "prune", "--keep-storage", ""], &["x", "prune"]),
        (
            &["x", "--builder", "build", "b", "-f", "", "."],
            &["x", "--builder", "build", "b", "."],
        ),
    ] {
        assert_eq!(of(given), left, "{given:?}");
    }
}

#[test]
fn an_empty_tag_or_platform_is_an_error_as_in_buildx() {
    for flag in ["-t", "--tag", "--platform", "--ulimit", "--shm-size"] {
        let given = ["x", "build", flag, "", "."];
        assert_eq!(of(&given), given);
    }
}

#[test]
fn everything_else_stays_as_it_is() {
    for given in [
        &["x", "build", "--build-arg", "A=", "-fD", "--label=a=", "."][..],
        &["x", "build", "--unknown", "", "-Z", "", ""],
        &["x", "build", "--", "-f", ""],
        &["x", "__complete", "build", "--secret", ""],
        &["x", "build", "-f"],
        &["x", "bake", "--set", "", "--allow=", "--policy", ""],
        &["x"],
        &[],
    ] {
        assert_eq!(of(given), given);
    }
}

#[test]
fn switches_take_true_and_false() {
    assert_eq!(
        of(&["x", "prune", "--all=true", "-f=1"]),
        ["x", "prune", "--all", "-f"]
    );
    assert_eq!(
        of(&["x", "prune", "-a", "--force", "--all=0"]),
        ["x", "prune", "--force"]
    );
    assert_eq!(of(&["x", "prune", "-af=false"]), ["x", "prune", "-a"]);
    let error = try_of(&["x", "prune", "--all=maybe"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
    assert!(
        error
            .to_string()
            .contains(r#"'--all': "maybe" is neither true nor false"#)
    );
}

/// Gives each single-value flag of each command twice: that is not an error.
#[test]
fn of_repeated_flags_the_last_one_counts() {
    fn check(path: &[&str], command: &Command, failures: &mut Vec<String>) {
        for flag in command.get_arguments() {
            let Some(name) = flag.get_long() else {
                continue;
            };
            if matches!(flag.get_action(), ArgAction::Help | ArgAction::Version) {
                continue;
            }
            let given = match flag.get_action() {
                ArgAction::SetTrue => format!("--{name}"),
                _ => format!("--{name}=1"),
            };
            let arguments = path.iter().map(|word| (*word).to_owned());
            let arguments = arguments.chain([given.clone(), given]);
            let parsed = Cli::try_parse_from(arguments);
            if let Err(error) = parsed
                && error.kind() == clap::error::ErrorKind::ArgumentConflict
                && error.to_string().contains("multiple times")
            {
                failures.push(format!("{path:?} --{name}"));
            }
        }
        for subcommand in command.get_subcommands() {
            let path: Vec<&str> = path
                .iter()
                .copied()
                .chain([subcommand.get_name()])
                .collect();
            check(&path, subcommand, failures);
        }
    }
    let mut command = Cli::command();
    command.build();
    let mut failures = Vec::new();
    check(&["x"], &command, &mut failures);
    assert!(failures.is_empty(), "{failures:?}");
}
