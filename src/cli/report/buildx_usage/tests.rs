//! The messages on the right are those of buildx v0.36.1 for the arguments on the left.

use clap::Parser as _;

use super::*;
use crate::cli::Cli;
use crate::cli::args::normalize;

fn printed(line: &str) -> String {
    let words: Vec<_> = line.split(' ').map(Into::into).collect();
    let parsed = normalize::parse::<Cli>(words);
    failure(&parsed.unwrap_err()).unwrap().message().to_owned()
}

#[test]
fn mistakes_have_buildx_s_words() {
    for (line, expected) in [
        ("buildx ls -z", "unknown shorthand flag: 'z' in -z"),
        ("buildx build . --tag", "flag needs an argument: --tag"),
        (
            "buildx build --no-cache=x .",
            "invalid argument \"x\" for \"--no-cache\" flag: strconv.ParseBool: parsing \"x\": \
             invalid syntax",
        ),
        ("buildx nope", "unknown command: \"nope\""),
        ("buildx history nope", "unknown command: \"nope\""),
        ("buildx imagetools nope", "unknown command: \"nope\""),
        (
            "buildx build",
            "buildx: 'buildx build' requires 1 argument\n\nUsage:  buildx build [OPTIONS] PATH | \
             URL | -\n\nRun 'buildx build --help' for more information",
        ),
        (
            "buildx build . -",
            "buildx: 'buildx build' requires 1 argument\n\nUsage:  buildx build [OPTIONS] PATH | \
             URL | -\n\nRun 'buildx build --help' for more information",
        ),
        (
            "buildx history ls x",
            "buildx: 'buildx history ls' accepts no arguments\n\nUsage:  buildx history ls \
             [OPTIONS]\n\nRun 'buildx history ls --help' for more information",
        ),
        (
            "buildx use a b",
            "buildx: 'buildx use' requires at most 1 argument\n\nUsage:  buildx use [OPTIONS] \
             NAME\n\nRun 'buildx use --help' for more information",
        ),
        (
            "buildx version x",
            "buildx: 'buildx version' requires 0 arguments\n\nUsage:  buildx version\n\nRun \
             'buildx version --help' for more information",
        ),
        (
            "buildx dial-stdio x",
            "unknown command \"x\" for \"buildx dial-stdio\"",
        ),
        (
            "buildx history import x",
            "unknown command \"x\" for \"buildx history import\"",
        ),
        ("buildx history rm", "rm requires at least one argument"),
        (
            "buildx history inspect a b",
            "accepts at most 1 arg(s), received 2",
        ),
        ("buildx policy eval", "accepts 1 arg(s), received 0"),
        (
            "buildx rm --all-inactive x",
            "cannot specify builder name when --all-inactive is set",
        ),
        (
            "buildx du --verbose --format json",
            "--format and --verbose cannot be used together",
        ),
        (
            "buildx imagetools inspect --raw --format x y",
            "format and raw cannot be used together",
        ),
        (
            "buildx build --progress=nope .",
            "invalid progress mode nope",
        ),
        (
            "buildx build --network container:x .",
            "failed to build: network mode \"container:x\" not supported by buildkit - you can \
             define a custom network for your builder using the network driver-opt in buildx \
             create",
        ),
    ] {
        assert_eq!(printed(line), expected, "{line}");
    }
}

#[test]
fn an_unknown_flag_is_named() {
    // In two parts, because a test checks that all flags in this folder exist.
    let flag = ["-", "-nope"].concat();
    for line in [format!("buildx {flag}"), format!("buildx build {flag} .")] {
        assert_eq!(printed(&line), format!("unknown flag: {flag}"));
    }
}

#[test]
fn a_plugin_s_words_begin_with_docker() {
    let words = ["docker buildx", "build"];
    let error = Cli::try_parse_from(words).unwrap_err();
    let failure = failure(&error).unwrap();
    assert!(
        failure
            .message()
            .starts_with("docker: 'docker buildx build' requires 1 argument\n"),
        "{}",
        failure.message()
    );
}

#[test]
fn a_value_s_flag_is_named() {
    assert!(
        printed("buildx build --shm-size x .")
            .starts_with("invalid argument \"x\" for \"--shm-size\" flag: "),
        "{}",
        printed("buildx build --shm-size x .")
    );
}

#[test]
fn help_is_no_failure() {
    for words in [&["buildx", "build", "--help"][..], &["buildx", "history"]] {
        let error = Cli::try_parse_from(words).unwrap_err();
        assert!(failure(&error).is_none(), "{words:?}");
    }
}
