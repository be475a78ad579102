//! The command line itself: help, global flags, and the behaviour when called as buildx.

use std::os::unix::process::CommandExt as _;

use serde_json::Value;

use crate::support::{Finished, folder_of, solvekit};

/// Runs the command under another name.
fn called(name: &str, arguments: &[&str]) -> Finished {
    Finished::of(solvekit(arguments).arg0(name))
}

#[test]
fn without_a_command_there_is_help_and_success() {
    for (name, arguments) in [
        ("solvekit", &[][..]),
        ("buildx", &[]),
        ("docker-buildx", &["buildx"]),
        ("solvekit", &["imagetools"]),
        ("solvekit", &["history"]),
        ("docker-buildx", &["buildx", "imagetools"]),
    ] {
        let help = called(name, arguments).succeeded();
        assert!(help.stdout.contains("Usage: "), "{name}: {}", help.stdout);
        assert!(help.stdout.contains("Commands:"), "{name}: {}", help.stdout);
        assert_eq!(help.stderr, "");
    }
    let help = called("docker-buildx", &["buildx"]).stdout;
    assert!(help.contains("Usage: docker buildx "), "{help}");
}

#[test]
fn help_tells_about_a_command() {
    let help = called("solvekit", &["help", "build"]).succeeded();
    assert!(help.stdout.contains("--platform"), "{}", help.stdout);
    let help = called("solvekit", &["help", "imagetools", "create"]).succeeded();
    assert!(help.stdout.contains("--append"), "{}", help.stdout);
    called("solvekit", &["help", "biuld"]).failed_with(1, &["biuld"]);
}

/// Runs the completion script in bash for a line with an incomplete last word.
fn completed(folder: &std::path::Path, line: &str) -> Vec<String> {
    let script = format!(
        "source <({solvekit} completion bash)
         PATH={bin}:$PATH
         COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
         _clap_complete_solvekit solvekit \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        solvekit = env!("CARGO_BIN_EXE_solvekit"),
        bin = std::path::Path::new(env!("CARGO_BIN_EXE_solvekit"))
            .parent()
            .expect("it is in a folder")
            .display(),
    );
    let mut bash = std::process::Command::new("bash");
    bash.args(["-c", &script])
        .current_dir(folder)
        .env("BUILDX_CONFIG", folder.join("buildx"));
    let output = Finished::of(&mut bash).succeeded().stdout;
    output.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_stages_builders_platforms_and_bake_targets() {
    let context = folder_of(&[
        (
            "Dockerfile",
            "FROM scratch AS base\nCOPY . /\nFROM base AS tests\nCOPY . /t\n",
        ),
        ("Other", "FROM scratch AS other\nCOPY . /\n"),
        ("docker-bake.hcl", "target \"app\" {}\ntarget \"db\" {}\n"),
        (
            "buildx/instances/far",
            r#"{"Name":"far","Driver":"remote","Nodes":[{"Name":"far0","Endpoint":"tcp://x:1"}]}"#,
        ),
    ]);
    let completed = |line| completed(context.path(), line);
    assert_eq!(completed("solvekit build --target ''"), ["base", "tests"]);
    assert_eq!(completed("solvekit build -f Other --target ''"), ["other"]);
    assert_eq!(completed("solvekit build --builder fa"), ["far"]);
    assert_eq!(completed("solvekit use fa"), ["far"]);
    assert_eq!(
        completed("solvekit build --platform linux/amd64,linux/s"),
        ["linux/amd64,linux/s390x"]
    );
    assert_eq!(completed("solvekit bake d"), ["db"]);
    assert_eq!(completed("solvekit bui"), ["build"]);
}

#[test]
fn the_docker_cli_gets_candidates_with_their_help() {
    let asked = ["__complete", "solvekit", "build", "--propagate"];
    let answer = called("docker-solvekit", &asked).succeeded().stdout;
    let (candidate, directive) = answer.trim_end().split_once('\n').expect("two lines");
    assert!(candidate.starts_with("--propagate-exit-code\t"), "{answer}");
    assert_eq!(directive, ":4");
}

#[test]
fn manual_pages_are_written_one_for_each_command() {
    let folder = folder_of(&[]);
    let pages = folder.path().join("man1");
    Finished::of(solvekit(["man"]).arg(&pages)).succeeded();
    let page = std::fs::read_to_string(pages.join("solvekit-history-inspect.1")).expect("the page");
    assert!(page.contains(".TH solvekit-history-inspect 1"), "{page}");
    assert!(pages.join("solvekit.1").is_file());
}

#[test]
fn every_command_takes_debug() {
    let run = called("solvekit", &["workers", "-D"]).succeeded();
    assert!(run.stderr.contains("DEBUG: builder "), "{}", run.stderr);
    let run = called("solvekit", &["--debug", "du", "--filter", "id=none"]).succeeded();
    assert!(run.stderr.contains("DEBUG: builder "), "{}", run.stderr);
    let run = called("solvekit", &["workers"]).succeeded();
    assert!(!run.stderr.contains("DEBUG"), "{}", run.stderr);
    called("solvekit", &["version", "-D"]).succeeded();
    called("solvekit", &["history", "ls", "--debug=false"]).succeeded();
}

#[test]
fn features_of_the_driver_are_shown_to_those_who_debug() {
    let home = crate::support::BuilderHome::new();
    let relay = crate::support::Relay::unix();
    home.run(&["create", "--name", "b", relay.address()])
        .succeeded();
    let plain = home.run(&["inspect", "b"]).succeeded().stdout;
    assert!(
        plain.contains("Labels:") && !plain.contains("Features:"),
        "{plain}"
    );
    let mut debug = home.solvekit(&["inspect", "b"]);
    let debug = Finished::of(debug.env("DEBUG", "1")).succeeded().stdout;
    assert!(debug.contains("Features:\n"), "{debug}");
}

#[test]
fn empty_values_count_as_not_given() {
    let context = folder_of(&[("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")]);
    let empty = [
        "build",
        "--secret",
        "",
        "--ssh",
        "",
        "-o",
        "",
        "-f",
        "",
        "--network",
        "",
        "--target=",
        "--iidfile",
        "",
        "--metadata-file=",
        "--builder",
        "",
        "--cache-from",
        "",
        "--cache-to=",
        "--progress",
        "",
        "--call",
        "",
        "--allow=",
        "--annotation",
        "",
        "--attest",
        "",
        "--provenance=",
        "--sbom",
        "",
        "--push=",
        "--add-host",
        "",
        "--build-context",
        "",
        "--no-cache-filter",
        "",
    ];
    Finished::of(solvekit(empty).arg(context.path())).succeeded();
    // Without these a script would build something else, and not notice.
    let refused = [
        ("--tag", "image reference \"\": it is empty"),
        ("--platform", "\"\""),
        ("--shm-size", "\"\" is not a size"),
        ("--ulimit", "\"\""),
    ];
    for (flag, reason) in refused {
        let mut build = solvekit(["build", flag, ""]);
        Finished::of(build.arg(context.path())).failed_with(1, &[reason]);
    }
}

#[test]
fn of_repeated_flags_the_last_one_counts() {
    let context = folder_of(&[(
        "a",
        "FROM scratch AS first\nCOPY a /\nFROM nothing.invalid/x\n",
    )]);
    let twice = [
        "build",
        "--target",
        "second",
        "--target",
        "first",
        "--network=host",
        "--network=none",
        "--pull",
        "--pull=false",
        "-q",
        "-q",
        "--progress=tty",
        "--progress=plain",
        "-f",
        "/nonexistent",
        "-f",
    ];
    let mut build = solvekit(twice);
    Finished::of(build.arg(context.path().join("a")).arg(context.path())).succeeded();
}

#[test]
fn in_buildx_s_place_it_says_which_buildx_it_is() {
    for (name, arguments) in [
        ("buildx", &["version"][..]),
        ("/usr/bin/docker-buildx", &["version"]),
        ("docker-buildx", &["buildx", "version"]),
    ] {
        let version = called(name, arguments).succeeded().stdout;
        let words: Vec<&str> = version.split_whitespace().collect();
        let [package, version, _revision] = words.as_slice() else {
            panic!("{words:?}");
        };
        assert_eq!(*package, "github.com/docker/buildx");
        assert!(version.starts_with("v0.36.1+solvekit"), "{version}");
    }
    let own = called("solvekit", &["version"]).succeeded().stdout;
    assert!(own.starts_with("solvekit v"), "{own}");

    let metadata = called("docker-buildx", &["docker-cli-plugin-metadata"]).succeeded();
    let metadata: Value = serde_json::from_str(&metadata.stdout).expect("JSON");
    let version = metadata["Version"].as_str().expect("a version");
    assert!(version.starts_with("v0.36.1+"), "{version}");

    let both = called("solvekit", &["version", "--format=json"])
        .succeeded()
        .stdout;
    let both: Value = serde_json::from_str(&both).expect("JSON");
    assert_eq!(both["name"], "solvekit");
    assert_eq!(both["buildx"]["version"], version);
}

/// The number of manifests in an archive's index.
fn manifests(name: &str, variable: Option<&str>) -> usize {
    let context = folder_of(&[("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")]);
    let image = crate::support::Engine::get().name("identity");
    let mut build = solvekit(["build", "--push", "-t", &image]);
    build.arg0(name).arg(context.path());
    if let Some(value) = variable {
        build.env("BUILDX_NO_DEFAULT_ATTESTATIONS", value);
    }
    Finished::of(&mut build).succeeded();
    let raw = Finished::of(&mut solvekit(["imagetools", "inspect", "--raw", &image])).succeeded();
    let raw: Value = serde_json::from_str(&raw.stdout).expect("JSON");
    raw["manifests"].as_array().map_or(0, Vec::len)
}

#[test]
fn in_buildx_s_place_provenance_is_attested() {
    assert_eq!(
        manifests("docker-buildx", None),
        2,
        "an index of image and attestation"
    );
    assert_eq!(manifests("docker-buildx", Some("1")), 0, "an image alone");
    assert_eq!(manifests("solvekit", None), 0, "an image alone");
}

#[test]
fn the_default_builder_s_last_activity_is_known() {
    let socket = crate::support::Engine::get()
        .host
        .strip_prefix("docker://")
        .expect("an engine");
    let home = crate::support::BuilderHome::with_engine(&format!("unix://{socket}"));
    let before = home.run(&["inspect", "default"]).succeeded().stdout;
    assert!(
        before.starts_with("Name:   default\nDriver: docker\n"),
        "{before}"
    );
    assert!(!before.contains("Last Activity"), "{before}");
    let context = folder_of(&[("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")]);
    home.run(&["build", context.path().to_str().expect("text")])
        .succeeded();
    let after = home.run(&["inspect", "default"]).succeeded().stdout;
    let activity = after
        .lines()
        .find_map(|line| line.strip_prefix("Last Activity:"));
    assert!(
        activity.is_some_and(|at| at.ends_with(" +0000 UTC")),
        "{after}"
    );
    let listed = home.run(&["ls", "--format", "json"]).succeeded().stdout;
    let listed: Value = serde_json::from_str(listed.lines().next().expect("a line")).expect("JSON");
    let activity = listed["LastActivity"].as_str().expect("text");
    assert!(
        activity.starts_with("20") && listed["Current"] == true,
        "{listed}"
    );
    // python-on-whales uses this format, and expects one builder per line.
    let by_template = home
        .run(&["ls", "--format", "{{json . }}"])
        .succeeded()
        .stdout;
    for line in by_template.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(line, listed);
    }
}

#[test]
fn the_commit_of_the_context_is_in_the_history_and_the_labels() {
    let files = [("app/Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")];
    let repository = crate::support::working_tree_of(&files);
    let commit = crate::support::head_of(repository.path());
    let image = crate::support::Engine::get().name("commit");
    let app = repository.path().join("app");
    let output = tempfile::tempdir().expect("a temporary folder");
    let metadata = output.path().join("metadata");
    // The record of the build, and the labels of the image.
    let build = |name: &str, variables: &[(&str, &str)]| {
        let mut build = solvekit(["build", "--push", "-t", &image, "--metadata-file"]);
        build
            .arg0(name)
            .arg(&metadata)
            .arg(&app)
            .envs(variables.iter().copied());
        build.env("BUILDX_NO_DEFAULT_ATTESTATIONS", "1");
        Finished::of(&mut build).succeeded();
        let metadata: Value =
            serde_json::from_slice(&std::fs::read(&metadata).expect("a file")).expect("JSON");
        let reference = metadata["buildx.build.ref"].as_str().expect("a reference");
        let inspect = ["history", "inspect", "--format", "json", reference];
        let record = Finished::of(&mut solvekit(inspect)).succeeded().stdout;
        let looked = [
            "imagetools",
            "inspect",
            &image,
            "--format",
            "{{json .Image.Config}}",
        ];
        let config = Finished::of(&mut solvekit(looked)).succeeded().stdout;
        let json = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
        (json(&record), json(&config)["Labels"].clone())
    };
    let (record, labels) = build("docker-buildx", &[]);
    assert_eq!(record["VCSRevision"], commit, "{record}");
    assert!(
        labels["org.opencontainers.image.revision"].is_null(),
        "{labels}"
    );
    std::fs::write(app.join("new"), "").expect("a file");
    let variables = [
        ("BUILDX_GIT_LABELS", "1"),
        ("BUILDX_GIT_INFO", "0"),
        ("BUILDX_GIT_CHECK_DIRTY", "1"),
    ];
    let (record, labels) = build("docker-buildx", &variables);
    assert_eq!(
        labels["org.opencontainers.image.revision"],
        format!("{commit}-dirty")
    );
    assert_eq!(
        labels["com.docker.image.source.entrypoint"],
        "app/Dockerfile"
    );
    assert!(!record.to_string().contains("VCSRevision"), "{record}");
    let (record, _) = build("solvekit", &[]);
    assert!(!record.to_string().contains(&commit), "{record}");
}
