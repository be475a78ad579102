//! `--check` and `--call`: questions about a Dockerfile without a build.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use serde_json::Value;

use crate::support::{Finished, folder_of, solvekit};

const FINDINGS: &str =
    "FROM alpine as Base\nARG TOKEN_PASSWORD\nCMD echo hi\nWORKDIR rel\nCOPY secret.txt /\n";

#[test]
fn a_check_shows_every_finding_with_its_lines_reason_and_remedy() {
    let context = folder_of(&[("Dockerfile", FINDINGS), (".dockerignore", "secret.txt\n")]);
    let checked = Finished::of(solvekit(["build", "--check"]).arg(context.path()));
    assert_eq!(checked.code, Some(1), "{}", checked.stderr);
    assert!(
        checked
            .stdout
            .starts_with("Check complete, 6 warnings have been found!\n"),
        "{}",
        checked.stdout
    );
    for text in [
        "WARNING: StageNameCasing - https://docs.docker.com/go/dockerfile/rule/stage-name-casing/",
        "WARNING: FromAsCasing",
        "WARNING: SecretsUsedInArgOrEnv",
        "WARNING: JSONArgsRecommended",
        "WARNING: CopyIgnoredFile",
        "Why: ",
        "Fix: mount it: RUN --mount=type=secret",
        "   3 | >>> CMD echo hi",
    ] {
        assert!(
            checked.stdout.contains(text),
            "{text} in {}",
            checked.stdout
        );
    }
}

#[test]
fn a_clean_dockerfile_says_so_and_one_that_needs_no_base_image_needs_no_daemon() {
    let context = folder_of(&[("Dockerfile", "FROM scratch\nCOPY . /\n")]);
    let checked = Finished::of(
        solvekit(["--addr", "unix:///nonexistent.sock", "build", "--check"]).arg(context.path()),
    )
    .succeeded();
    assert_eq!(checked.stdout, "Check complete, no warnings found.\n");
}

#[test]
fn findings_fail_a_build_that_says_so() {
    let text = "# check=error=true\nFROM alpine as base\n";
    let context = folder_of(&[("Dockerfile", text)]);
    Finished::of(solvekit(["build"]).arg(context.path())).failed_with(1, &["FromAsCasing"]);
    let argument = "BUILDKIT_DOCKERFILE_CHECK=skip=FromAsCasing;error=true";
    Finished::of(solvekit(["build", "--build-arg", argument]).arg(context.path())).succeeded();
}

#[test]
fn a_check_in_json_has_the_findings_and_the_mistake() {
    let context = folder_of(&[("Dockerfile", "FROM scratch as a\nRUNN x\n")]);
    let checked = Finished::of(solvekit(["build", "--call=check,format=json"]).arg(context.path()))
        .failed_with(1, &["Dockerfile:2", "did you mean RUN?"]);
    let json: Value = serde_json::from_str(&checked.stdout).expect("JSON");
    assert_eq!(json["warnings"][0]["ruleName"], "FromAsCasing");
    assert_eq!(
        json["buildError"]["location"]["ranges"][0]["start"]["line"],
        2
    );
    assert_eq!(json["sources"][0]["filename"], "Dockerfile");
}

#[test]
fn outline_and_targets_list_what_there_is() {
    let text = "# VERSION of the base\nARG VERSION=latest\nFROM alpine:$VERSION AS base\nARG \
                WHO=me\n\
                # last is what is shipped\nFROM base AS last\nARG TOKEN\nRUN \
                --mount=type=secret,id=key,required --mount=type=ssh true\n";
    let context = folder_of(&[("Dockerfile", text)]);
    let call = |call: &str| {
        Finished::of(solvekit(["build", call]).arg(context.path()))
            .succeeded()
            .stdout
    };
    assert_eq!(
        call("--call=targets"),
        "TARGET         DESCRIPTION\nbase           \nlast (default) is what is shipped\n"
    );
    let outline = call("--call=outline");
    for text in [
        "TARGET:", "last", "WHO", "TOKEN", "SECRET", "key", "true", "SSH",
    ] {
        assert!(outline.contains(text), "{text} in {outline}");
    }
    let json: Value = serde_json::from_str(&call("--call=targets,format=json")).expect("JSON");
    assert_eq!(json["targets"][1]["name"], "last");
}

#[test]
fn warnings_of_all_rules_end_a_build() {
    let context = folder_of(&[(
        "Dockerfile",
        FINDINGS.replace("COPY secret.txt /\n", "").as_str(),
    )]);
    let built =
        Finished::of(solvekit(["build", "--progress=plain"]).arg(context.path())).succeeded();
    for text in [
        " 5 warnings found (use --debug to expand):\n",
        " - SecretsUsedInArgOrEnv: ",
        " (line 2)\n",
    ] {
        assert!(built.stderr.contains(text), "{text} in {}", built.stderr);
    }
    let debug =
        Finished::of(solvekit(["build", "--progress=plain", "--debug"]).arg(context.path()));
    for text in [
        " 5 warnings found:\n",
        "More info: https://docs",
        "   2 | >>> ARG TOKEN_PASSWORD",
    ] {
        assert!(debug.stderr.contains(text), "{text} in {}", debug.stderr);
    }
}

/// The daemon looks up the base image, and this client logs in to the token server.
#[test]
fn a_question_may_use_a_registry_that_is_allowed_to_be_insecure() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let registry = listener.local_addr().expect("it is bound").to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(
                b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\
                  WWW-Authenticate: Bearer realm=\"http://tokens.invalid/token\"\r\n\r\n",
            );
        }
    });
    let context = folder_of(&[("Dockerfile", &format!("FROM {registry}/base\nRUN true\n"))]);
    // me:secret
    let logins = format!(r#"{{"auths": {{"{registry}": {{"auth": "bWU6c2VjcmV0"}}}}}}"#);
    let ask = |flags: &[&str]| {
        let mut command = solvekit(["build", "--call=outline"]);
        command.env("DOCKER_AUTH_CONFIG", &logins).args(flags);
        Finished::of(command.arg(context.path()))
    };
    let plain = "over plain HTTP, which is not allowed";
    let refused = ask(&[]).failed_with(1, &[plain, "--insecure-registry"]);
    assert!(!refused.stderr.contains("dns"), "{}", refused.stderr);
    // The token server is contacted now, and does not exist.
    let tried = ask(&["--insecure-registry", &registry]).failed_with(1, &["tokens.invalid"]);
    assert!(!tried.stderr.contains(plain), "{}", tried.stderr);
}
