//! Steps that need an entitlement: rejected before the solve without `--allow`, allowed with it, or
//! rejected by the daemon.

use std::process::Command;

use crate::support::{Finished, folder_of, solvekit, unique};

fn build(dockerfile: &str, flags: &[&str]) -> Finished {
    let context = folder_of(&[("Dockerfile", dockerfile)]);
    Finished::of(solvekit(["build"]).args(flags).arg(context.path()))
}

#[test]
fn a_step_without_leave_is_reported_before_anything_is_run() {
    for (flag, entitlement) in [
        ("--network=host", "network.host"),
        ("--security=insecure", "security.insecure"),
    ] {
        let word = unique();
        let dockerfile = format!("FROM alpine\nRUN echo {word}-a\nRUN {flag} echo {word}-b\n");
        let failed = build(&dockerfile, &["--progress=plain"]).failed_with(
            1,
            &[
                "Dockerfile:3: this step needs the entitlement",
                &format!(">>> RUN {flag}"),
                &format!("--allow {entitlement}\n"),
                &format!("buildkitd --allow-insecure-entitlement {entitlement}"),
                "daemon.json",
            ],
        );
        assert!(!failed.stderr.contains("] RUN"), "{}", failed.stderr);
    }
}

#[test]
fn a_stage_that_is_not_built_needs_no_leave() {
    let dockerfile = "FROM alpine AS other\nRUN --network=host true\nFROM alpine\nRUN true\n";
    build(dockerfile, &[]).succeeded();
}

/// The daemon's configuration decides if this is allowed: an engine allows the host's network by
/// default, a buildkitd does not.
#[test]
fn leave_is_passed_on_to_the_daemon_which_may_refuse_it() {
    for (flag, entitlement) in [
        ("--network=host", "network.host"),
        ("--security=insecure", "security.insecure"),
    ] {
        let word = unique();
        let dockerfile = format!("FROM alpine\nRUN {flag} echo {word}\n");
        let built = build(&dockerfile, &["--allow", entitlement]);
        if built.code != Some(0) {
            built.failed_with(
                1,
                &[&format!(
                    "buildkitd --allow-insecure-entitlement {entitlement}"
                )],
            );
        }
    }
}

#[test]
fn the_network_of_the_build_needs_no_more_words() {
    let dockerfile = format!("FROM alpine\nRUN echo {}\n", unique());
    let built = build(&dockerfile, &["--network=host"]);
    if built.code != Some(0) {
        built.failed_with(1, &["granting entitlement network.host is not allowed"]);
    }
}

#[test]
fn wrong_entitlements_name_the_flag_and_those_that_there_are() {
    build("FROM alpine\n", &["--allow", "network.hots"]).failed_with(
        1,
        &[
            "--allow \"network.hots\"",
            "did you mean \"network.host\"?",
            "security.insecure",
        ],
    );
}

#[test]
fn a_source_policy_denies_and_replaces() {
    let policy = folder_of(&[
        (
            "deny.json",
            r#"{"rules":[{"action":"DENY","selector":{"identifier":"docker-image://docker.io/library/busybox:*"}}]}"#,
        ),
        (
            "convert.json",
            r#"{"rules":[{"action":"CONVERT",
                "selector":{"identifier":"docker-image://docker.io/library/not-there:latest"},
                "updates":{"identifier":"docker-image://docker.io/library/alpine:latest"}}]}"#,
        ),
        ("wrong.json", r#"{"rules":[{"acton":"DENY"}]}"#),
    ]);
    let build = |base: &str, name: &str| {
        let context = folder_of(&[("Dockerfile", &format!("FROM {base}\nRUN true\n"))]);
        let mut command: Command = solvekit(["build"]);
        command.env(
            "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY",
            policy.path().join(name),
        );
        Finished::of(command.arg(context.path()))
    };
    build("busybox", "deny.json").failed_with(1, &["Dockerfile:1", "denied by policy"]);
    build("alpine", "deny.json").succeeded();
    build("not-there", "convert.json").succeeded();
    build("alpine", "wrong.json").failed_with(
        1,
        &[
            "wrong.json",
            "unknown field `acton`",
            "EXPERIMENTAL_BUILDKIT_SOURCE_POLICY",
        ],
    );
    build("alpine", "absent.json").failed_with(1, &["absent.json", "No such file"]);
}

#[test]
fn proxies_of_docker_s_configuration_reach_run() {
    let config = folder_of(&[(
        "config.json",
        r#"{"proxies":{"default":{"httpProxy":"http://proxy.example:3128","noProxy":"intern"}}}"#,
    )]);
    let dockerfile = format!(
        "FROM alpine\nRUN test \"$http_proxy,$HTTP_PROXY,$no_proxy\" = \
         http://proxy.example:3128,http://proxy.example:3128,given && : {}\n",
        unique()
    );
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let mut command = solvekit(["build", "--build-arg", "no_proxy=given"]);
    command.env("DOCKER_CONFIG", config.path());
    Finished::of(command.arg(context.path())).succeeded();
}

#[test]
fn limits_of_steps_are_set_or_refused_where_the_daemon_has_none() {
    let dockerfile = format!("FROM alpine\nRUN echo {}\n", unique());
    for flags in [
        &["--resource", "memory=256m"][..],
        &["-m", "256m", "--cpu-shares=512"],
    ] {
        let built = build(&dockerfile, flags);
        if built.code != Some(0) {
            built.failed_with(1, &["does not know", "Dockerfile"]);
        }
    }
    build(&dockerfile, &["--resource", "memry=1"]).failed_with(
        1,
        &[
            "--resource \"memry=1\"",
            "did you mean \"memory\"?",
            "cpu-quota",
        ],
    );
    build(&dockerfile, &["--cgroup-parent", "solvekit-test"]).succeeded();
}

#[test]
fn switches_take_a_value_as_scripts_give_them() {
    let flags = [
        "--push=false",
        "--load=0",
        "--no-cache=false",
        "--pull=true",
        "--quiet=false",
    ];
    build("FROM alpine\nRUN true\n", &flags).succeeded();
    build("FROM alpine\n", &["--push=maybe"]).failed_with(1, &["--push", "neither true nor false"]);
}

#[test]
fn flags_of_old_have_no_effect_and_one_warning() {
    let dockerfile = format!("FROM alpine\nRUN echo {}\n", unique());
    let flags = [
        "--rm",
        "--squash",
        "--security-opt",
        "x",
        "--isolation=default",
    ];
    let built = build(&dockerfile, &flags).succeeded();
    let warnings = built.stderr.matches("without effect").count();
    assert_eq!(warnings, 1, "{}", built.stderr);
}
