//! Mistakes: each gives one error that names the mistake, its place and the next step; before the
//! build starts, if possible.

use std::process::Command;

use crate::support::{Engine, Finished, folder_of, solvekit};

/// Builds only this Dockerfile for two platforms.
fn build(dockerfile: &str) -> Finished {
    let context = folder_of(&[("Dockerfile", dockerfile)]);
    Finished::of(
        solvekit([
            "build",
            "--progress=plain",
            "--platform",
            "linux/amd64,linux/arm64",
        ])
        .arg(context.path()),
    )
}

/// Checks that nothing was solved: the output has no step of the build.
#[track_caller]
fn nothing_was_built(run: &Finished) {
    let step = |line: &str| line.starts_with('#') && line.contains("] RUN ");
    assert!(!run.stderr.lines().any(step), "{}", run.stderr);
}

mod daemon {
    use super::*;

    fn address(address: &str) -> Finished {
        let context = folder_of(&[("Dockerfile", "FROM alpine\n")]);
        Finished::of(solvekit(["build", "--addr", address]).arg(context.path()))
    }

    #[test]
    fn a_socket_that_is_not_there() {
        address("unix:///nonexistent/buildkitd.sock").failed_with(
            1,
            &[
                "unix:///nonexistent/buildkitd.sock",
                "no socket",
                "buildkitd",
            ],
        );
    }

    #[test]
    fn a_port_where_nobody_listens() {
        address("tcp://127.0.0.1:1").failed_with(1, &["tcp://127.0.0.1:1", "refused"]);
    }

    #[test]
    fn a_host_that_does_not_exist() {
        address("tcp://buildkitd.invalid:1234").failed_with(1, &["tcp://buildkitd.invalid:1234"]);
    }

    #[test]
    fn an_address_that_is_none() {
        address("localhost:1234").failed_with(1, &["localhost:1234", "tcp://"]);
        address("carrier-pigeon://x").failed_with(1, &["carrier-pigeon://x", "unix://"]);
    }

    #[test]
    fn a_server_that_speaks_no_http_2() {
        let engine = Engine::get();
        address(&format!("tcp://{}", engine.registry)).failed_with(1, &[&engine.registry]);
    }

    /// A server that accepts connections and never answers: `--timeout` ends the command.
    #[test]
    fn a_server_that_says_nothing() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let silent = format!("tcp://{}", listener.local_addr().expect("bound"));
        let run = Finished::of(&mut solvekit([
            "build",
            "--addr",
            &silent,
            "--timeout",
            "2",
            "examples/hello",
        ]))
        .failed_with(1, &[&silent]);
        assert!(run.took.as_secs() < 10, "{:?}", run.took);
    }

    #[test]
    fn no_address_at_all_lists_what_was_tried() {
        let mut command: Command = solvekit(["build", "examples/hello"]);
        command
            .env_remove("BUILDKIT_HOST")
            .env("XDG_RUNTIME_DIR", "/nonexistent");
        command.env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
        Finished::of(&mut command)
            .failed_with(1, &["BUILDKIT_HOST", "/run/buildkit/buildkitd.sock"]);
    }
}

mod dockerfile {
    use super::*;

    #[test]
    fn an_unknown_instruction() {
        build("FROM alpine\nRUNN echo hello\n")
            .failed_with(1, &["Dockerfile:2", "RUNN echo hello", "RUN"]);
    }

    #[test]
    fn an_unknown_flag() {
        build("FROM alpine\nCOPY --form=alpine /a /b\n")
            .failed_with(1, &["Dockerfile:2", "COPY --form=alpine /a /b", "--from"]);
    }

    #[test]
    fn a_json_form_where_only_strings_may_be() {
        build("FROM alpine\nSHELL [\"/bin/sh\", 1]\n").failed_with(1, &["Dockerfile:2", "SHELL"]);
    }

    #[test]
    fn a_heredoc_without_end() {
        build("FROM alpine\nRUN <<EOF\necho hello\n").failed_with(1, &["Dockerfile:2", "EOF"]);
    }

    #[test]
    fn a_stage_that_copies_from_itself() {
        build(
            "FROM alpine AS one\nCOPY --from=two /a /a\nFROM alpine AS two\nCOPY --from=one /a \
               /a\n",
        )
        .failed_with(1, &["Dockerfile:2", "COPY --from=two"]);
    }

    #[test]
    fn a_stage_that_is_nowhere() {
        build("FROM alpine AS builder\nRUN true\nFROM alpine\nCOPY --from=bulider /a /a\n")
            .failed_with(1, &["Dockerfile:4", "bulider", "builder"]);
    }

    #[test]
    fn an_empty_file() {
        build("# nothing\n").failed_with(1, &["Dockerfile", "FROM"]);
    }

    #[test]
    fn a_target_that_is_no_stage() {
        let context = folder_of(&[("Dockerfile", "FROM alpine AS release\n")]);
        Finished::of(solvekit(["build", "--target", "relaese"]).arg(context.path()))
            .failed_with(1, &["relaese", "release"]);
    }
}

mod names {
    use super::*;

    #[test]
    fn a_platform_that_the_base_image_lacks() {
        let context = folder_of(&[("Dockerfile", "FROM golang:1.19\nRUN echo built\n")]);
        let run = Finished::of(
            solvekit([
                "build",
                "--progress=plain",
                "--platform",
                "linux/amd64,linux/s390x",
            ])
            .arg(context.path()),
        )
        .failed_with(
            1,
            &["golang:1.19 has no image for linux/s390x", "Dockerfile:1"],
        );
        let last = run.stderr.lines().last().expect("an error");
        let known = last.split("it has ").nth(1).expect("those that it has");
        for platform in ["linux/amd64", "linux/arm64", "linux/arm/v7"] {
            assert!(known.contains(platform), "{last}");
        }
        nothing_was_built(&run);
    }

    #[test]
    fn a_base_image_that_is_not_there() {
        let image = format!("{}/no/such:image", Engine::get().registry);
        let run = build(&format!("FROM {image}\nRUN true\n"));
        let advice = format!("solvekit imagetools inspect {image};");
        let run = run.failed_with(1, &[&image, "Dockerfile:1", "not found", &advice]);
        nothing_was_built(&run);
    }

    #[test]
    fn a_platform_that_cannot_be_parsed() {
        for text in ["linux/amd64/v2/x", "linux amd64", "/"] {
            Finished::of(&mut solvekit(["build", "--platform", text, "."]))
                .failed_with(1, &[text, "linux/amd64"]);
        }
    }

    #[test]
    fn a_tag_that_is_no_reference() {
        for (tag, rule) in [
            ("localhost:5000/Demo/hello", "lower-case"),
            ("hello:ver sion", "hello:ver sion"),
            ("hello:", "hello:"),
        ] {
            Finished::of(&mut solvekit(["build", "-t", tag, "."])).failed_with(1, &[tag, rule]);
        }
    }

    #[test]
    fn a_build_argument_that_nothing_takes_is_a_warning() {
        let context = folder_of(&[("Dockerfile", "FROM scratch\nARG VERSION\nCOPY . /\n")]);
        let flags = ["build", "--progress=plain", "--build-arg", "VERSOIN=1"];
        let run = Finished::of(solvekit(flags).arg(context.path())).succeeded();
        let expected = "VERSOIN is not used: no ARG takes it; did you mean VERSION?";
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }

    #[test]
    fn a_build_argument_without_name() {
        Finished::of(&mut solvekit(["build", "--build-arg", "=x", "."])).failed_with(1, &["=x"]);
        Finished::of(&mut solvekit(["build", "--label", "=x", "."])).failed_with(1, &["=x"]);
    }
}

mod files {
    use super::*;

    #[test]
    fn a_context_that_is_not_there() {
        Finished::of(&mut solvekit(["build", "/nonexistent/context"]))
            .failed_with(1, &["/nonexistent/context"]);
    }

    #[test]
    fn a_dockerfile_that_is_not_there() {
        let context = folder_of(&[("dockerfile.txt", "FROM alpine\n")]);
        let path = context.path().join("Dockerfile");
        Finished::of(solvekit(["build"]).arg(context.path()))
            .failed_with(1, &[&path.display().to_string(), "-f"]);
    }

    #[test]
    fn a_source_that_is_not_there() {
        let run = build("FROM alpine\nRUN true\nCOPY missing.txt /\n").failed_with(
            1,
            &[
                "COPY missing.txt /",
                "Dockerfile:3: \"missing.txt\" is not in the context folder",
            ],
        );
        nothing_was_built(&run);
        let hint = build("FROM alpine\nCOPY Dokerfile /\n");
        hint.failed_with(1, &["did you mean Dockerfile?"]);
    }

    #[test]
    fn a_heredoc_with_cr_lf_that_fails_is_reported() {
        let context = folder_of(&[("Dockerfile", "FROM alpine\r\nRUN <<E\r\nset -e\r\nE\r\n")]);
        let run = Finished::of(solvekit(["build"]).arg(context.path()));
        run.failed_with(1, &["save the Dockerfile with LF"]);
    }

    #[test]
    fn what_other_stages_make_is_not_looked_for_in_the_context() {
        build(
            "FROM scratch AS made\nCOPY <<here /made/here\nx\nhere\n\
             FROM scratch AS unused\nCOPY missing.txt /\n\
             FROM scratch\nCOPY --from=made /made/here made/her[e] /\n",
        )
        .succeeded();
    }

    #[test]
    fn a_source_below_a_link_that_leads_nowhere_is_the_daemon_s_to_refuse() {
        let context = folder_of(&[("Dockerfile", "FROM scratch\nCOPY link/a /\n")]);
        std::os::unix::fs::symlink("nowhere", context.path().join("link")).expect("a link");
        let run = Finished::of(solvekit(["build"]).arg(context.path()));
        run.failed_with(
            1,
            &[
                "is not in the context folder",
                "failed to compute cache key",
            ],
        );
    }

    #[test]
    fn a_source_that_is_ignored_names_the_rule() {
        let context = folder_of(&[
            ("Dockerfile", "FROM alpine\nCOPY dist/app /\n"),
            (".dockerignore", "*.log\ndist\n"),
            ("dist/app", "app"),
        ]);
        Finished::of(solvekit(["build"]).arg(context.path()))
            .failed_with(1, &["dist/app", "Dockerfile:2", ".dockerignore", "dist"]);
    }
}
