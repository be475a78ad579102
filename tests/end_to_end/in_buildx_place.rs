//! The phrases that scripts and programs look for when solvekit is called as buildx, and its own
//! messages otherwise.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{BuilderHome, Finished, folder_of, solvekit, unique};

/// The command under test, called as buildx.
fn buildx(arguments: &[&str]) -> Command {
    let mut command = solvekit(arguments);
    command.arg0("/usr/bin/buildx");
    command
}

fn in_folder(folder: &TempDir, mut command: Command) -> Finished {
    Finished::of(command.current_dir(folder.path()))
}

/// The lines that begin with `ERROR: `, without this prefix.
fn errors(finished: &Finished) -> Vec<&str> {
    let lines = finished.stderr.lines();
    lines
        .filter_map(|line| line.strip_prefix("ERROR: "))
        .collect()
}

#[test]
fn failures_are_in_buildx_s_words() {
    let word = unique();
    let folder = folder_of(&[
        (
            "Dockerfile",
            &format!("FROM busybox\nRUN echo {word} && exit 3\n"),
        ),
        (
            "docker-bake.hcl",
            "target \"default\" { output = [\"type=cacheonly\"] }",
        ),
    ]);
    let process = format!(
        "process \"/bin/sh -c echo {word} && exit 3\" did not complete successfully: exit code: 3"
    );
    let failed = in_folder(&folder, buildx(&["build", "--progress=plain", "."]));
    let expected = format!("failed to build: failed to solve: {process}");
    assert_eq!(errors(&failed), [expected], "{}", failed.stderr);
    assert_eq!(failed.code, Some(1));
    // The report above it has BuildKit's lines, and no others.
    let step = format!("------\n > [2/2] RUN echo {word} && exit 3:\n");
    let excerpt = format!(
        "{word}\n------\nDockerfile:2\n--------------------\n   1 |     FROM busybox\n   2 | >>> \
         RUN echo {word} && exit 3\n   3 |     \n--------------------\nERROR: "
    );
    for part in [step, excerpt] {
        assert!(failed.stderr.contains(&part), "{part}\n{}", failed.stderr);
    }

    // Programs that read rawjson have the log already.
    let raw = in_folder(&folder, buildx(&["build", "--progress=rawjson", "."]));
    let texts = raw.stderr.lines().filter(|line| !line.starts_with('{'));
    assert_eq!(
        texts.map(str::to_owned).next(),
        Some("Dockerfile:2".to_owned())
    );

    let failed = in_folder(&folder, buildx(&["bake", "--progress=plain"]));
    let expected = format!("failed to solve: {process}");
    assert_eq!(errors(&failed), [expected], "{}", failed.stderr);

    // As solvekit it does not repeat the command, which the lines above show.
    let failed = in_folder(&folder, solvekit(["build", "--progress=plain", "."]));
    let expected = "the command did not complete successfully: exit code: 3";
    assert_eq!(errors(&failed), [expected], "{}", failed.stderr);
}

#[test]
fn what_is_missing_is_named_as_buildx_does() {
    let folder = folder_of(&[("Dockerfile", "FROM scratch\n")]);
    for (arguments, expected) in [
        (
            &["build", "-f", "None", "."][..],
            "failed to build: failed to solve: failed to read dockerfile: open None: no such file \
             or directory",
        ),
        (
            &["build", "none"],
            "failed to build: unable to prepare context: path \"none\" not found",
        ),
    ] {
        let failed = in_folder(&folder, buildx(arguments));
        assert_eq!(errors(&failed), [expected], "{}", failed.stderr);
        let own = in_folder(&folder, solvekit(arguments));
        assert!(!own.stderr.contains("failed to build"), "{}", own.stderr);
    }
    let home = BuilderHome::new();
    let mut inspect = home.solvekit(&["inspect", "none"]);
    let failed = Finished::of(inspect.arg0("docker-buildx"));
    assert_eq!(errors(&failed), ["no builder \"none\" found"]);
}

#[test]
fn values_that_buildkit_ignores_do_not_stop_a_build() {
    let folder = folder_of(&[("Dockerfile", "FROM scratch\nCOPY Dockerfile /f\n")]);
    for (flag, warning) in [
        ("--output=type=local,dest=out,nope=1", "output type=local"),
        ("--output=type=cacheonly,nope=1", "output type=cacheonly"),
        ("--cache-from=type=nope", "cache to import type=nope"),
    ] {
        for command in [
            buildx(&["build", flag, "."]),
            solvekit(["build", flag, "."]),
        ] {
            let built = in_folder(&folder, command).succeeded();
            let warning = format!("WARNING: {warning}: there is no ");
            assert!(built.stderr.contains(&warning), "{}", built.stderr);
        }
    }
    let secret = [
        "build",
        "--secret=id=a,src=.",
        "--output=type=cacheonly",
        ".",
    ];
    in_folder(&folder, buildx(&secret)).succeeded();
    in_folder(&folder, solvekit(secret)).failed_with(1, &["secret a", "a directory"]);
}

#[test]
fn annotations_of_an_index_are_refused_where_there_is_none() {
    let folder = folder_of(&[("Dockerfile", "FROM scratch\nCOPY Dockerfile /f\n")]);
    for output in ["type=oci,dest=a.tar", "type=docker,dest=a.tar"] {
        let arguments = ["build", "--annotation=index:a=b", "-o", output, "."];
        let failed = buildx(&[&arguments[..], &["--provenance=false"]].concat());
        let failed = in_folder(&folder, failed);
        let expected = "failed to build: failed to solve: index annotations not supported for \
                        single platform export";
        assert_eq!(errors(&failed), [expected], "{output}: {}", failed.stderr);
        assert!(!folder.path().join("a.tar").exists(), "{output}");
    }
    let arguments = [
        "build",
        "--annotation=index:a=b",
        "-o",
        "type=oci,dest=a.tar",
        ".",
    ];
    let attested = buildx(&[&arguments[..], &["--provenance=true"]].concat());
    in_folder(&folder, attested).succeeded();
    in_folder(&folder, solvekit(arguments)).succeeded();
}

#[test]
fn a_folder_as_a_secret_of_bake_fails_the_step_that_reads_it() {
    let word = unique();
    let reading = format!("FROM busybox\nRUN --mount=type=secret,id=s echo {word}\n");
    let folder = folder_of(&[
        ("Dockerfile", &reading),
        ("None", "FROM busybox\nRUN true\n"),
        (
            "docker-bake.hcl",
            "target \"default\" { secret = [\"id=s,src=folder\"] }\n\
             target \"none\" {\ninherits = [\"default\"]\ndockerfile = \"None\"\n}\n",
        ),
        ("folder/f", ""),
    ]);
    let bake = |target| buildx(&["bake", "--set=*.output=type=cacheonly", target]);
    in_folder(&folder, bake("none")).succeeded();
    let failed = in_folder(&folder, bake("default"));
    let expected = "failed to solve: cannot read folder for secret s: Is a directory";
    assert_eq!(errors(&failed), [expected], "{}", failed.stderr);
    assert!(
        failed.stderr.contains("[stage-0 2/2] RUN"),
        "{}",
        failed.stderr
    );
    in_folder(&folder, solvekit(["bake", "none"])).failed_with(1, &["secret s", "a directory"]);
}

/// The names of the steps in a log of `--progress=plain`.
fn steps(log: &str) -> Vec<&str> {
    let named = log
        .lines()
        .filter_map(|line| line.strip_prefix('#')?.split_once(' '));
    named
        .map(|(_, name)| name)
        .filter(|name| name.starts_with('['))
        .collect()
}

#[test]
fn the_steps_have_the_names_that_programs_look_for() {
    let folder = folder_of(&[
        ("App", "FROM busybox\nCOPY --from=other g /\nCOPY f /\n"),
        ("f", "f"),
        (".dockerignore", "x\n"),
        ("other/g", "g"),
    ]);
    let arguments = [
        "build",
        "--progress=plain",
        "--output=type=cacheonly",
        "--build-context=other=other",
        "--file=App",
        ".",
    ];
    let built = in_folder(&folder, buildx(&arguments)).succeeded();
    let shown = steps(&built.stderr);
    for name in [
        "[internal] load build definition from App",
        "[internal] load .dockerignore",
        "[context other] load .dockerignore",
        "[internal] load metadata for docker.io/library/busybox:latest",
        "[internal] load build context",
    ] {
        assert!(shown.contains(&name), "{name} is missing in {shown:?}");
    }
    assert!(
        built.stderr.contains("transferring dockerfile: 44B done"),
        "{}",
        built.stderr
    );

    let own = in_folder(&folder, solvekit(arguments)).succeeded();
    let shown = steps(&own.stderr);
    assert!(
        !shown.iter().any(|name| name.contains("definition")),
        "{shown:?}"
    );
}

#[test]
fn questions_show_the_inputs_that_a_frontend_reads() {
    let folder = folder_of(&[
        ("Dockerfile", "FROM busybox\nARG A\n"),
        ("Other", "FROM busybox AS other\n"),
        ("Wrong", "FROM busybox\nNOPE\n"),
        (
            "docker-bake.hcl",
            "group \"default\" { targets = [\"a\", \"b\"] }\ntarget \"a\" {}\n\
             target \"b\" { dockerfile = \"Other\" }\n",
        ),
    ]);
    let definition = "[internal] load build definition from Dockerfile";
    let metadata = "[internal] load metadata for docker.io/library/busybox:latest";
    let ignore = "[internal] load .dockerignore";
    for (call, expected) in [
        ("outline", &[definition, metadata, ignore][..]),
        ("check", &[definition, metadata, ignore]),
        ("targets", &[definition]),
        ("subrequests.describe", &[definition]),
    ] {
        let call = format!("--call={call}");
        let asked = buildx(&["build", &call, "--progress=plain", "."]);
        let asked = in_folder(&folder, asked).succeeded();
        assert_eq!(steps(&asked.stderr), expected, "{call}");
        let headline = "#0 building with \"default\" instance using docker driver\n";
        assert!(asked.stderr.starts_with(headline), "{}", asked.stderr);
    }
    let wrong = [
        "build",
        "--call=outline",
        "--progress=plain",
        "-f",
        "Wrong",
        ".",
    ];
    let failed = in_folder(&folder, buildx(&wrong));
    let expected = ["[internal] load build definition from Wrong"];
    assert_eq!(steps(&failed.stderr), expected);
    assert_eq!(errors(&failed).len(), 1, "{}", failed.stderr);

    let missing = ["build", "--check", "--progress=plain", "-f", "None", "."];
    let failed = in_folder(&folder, buildx(&missing));
    let expected = ["[internal] load build definition from None"];
    assert_eq!(steps(&failed.stderr), expected);

    let own = in_folder(&folder, solvekit(["build", "--call=targets", "."])).succeeded();
    assert_eq!(own.stderr, "");

    let asked = buildx(&["bake", "--call=targets", "--progress=plain"]);
    let asked = in_folder(&folder, asked).succeeded();
    let expected = [
        "[internal] load local bake definitions",
        "[a internal] load build definition from Dockerfile",
        "[b internal] load build definition from Other",
    ];
    assert_eq!(steps(&asked.stderr), expected);
}

#[test]
fn the_provenance_of_one_platform_has_no_platform_in_its_key() {
    let folder = folder_of(&[(
        "Dockerfile",
        &format!("FROM busybox\nRUN echo {}\n", unique()),
    )]);
    let name = crate::support::Engine::get().name("one-platform");
    for annotation in ["a=b", "index:a=b"] {
        let built = buildx(&[
            "build",
            "--push",
            "--tag",
            &name,
            "--metadata-file=metadata",
        ]);
        let mut built = built;
        built.args(["--provenance=true", "--annotation", annotation, "."]);
        in_folder(&folder, built).succeeded();
        let metadata = fs::read(folder.path().join("metadata")).expect("it is written");
        let metadata: Value = serde_json::from_slice(&metadata).expect("JSON");
        let provenance = &metadata["buildx.build.provenance"];
        assert!(
            provenance["builder"].is_object(),
            "{annotation}: {metadata:#}"
        );
    }
}

#[test]
fn an_answer_is_in_the_metadata_file_too() {
    let folder = folder_of(&[("Dockerfile", "FROM scratch as a\nFROM scratch AS b\n")]);
    let asked = buildx(&["build", "--call=targets", "--metadata-file=metadata", "."]);
    let asked = in_folder(&folder, asked).succeeded();
    assert!(asked.stdout.starts_with("TARGET"), "{}", asked.stdout);
    let read = || {
        let metadata = fs::read(folder.path().join("metadata")).expect("it is written");
        serde_json::from_slice::<Value>(&metadata).expect("JSON")
    };
    let metadata = read();
    assert_eq!(metadata["result.json"]["targets"][0]["name"], "a");
    assert_eq!(metadata["result.txt"], asked.stdout);
    assert_eq!(metadata["version"], "1.0.0");

    let checked = buildx(&["build", "--check", "--metadata-file=metadata", "."]);
    assert_eq!(in_folder(&folder, checked).code, Some(1));
    let metadata = read();
    assert_eq!(
        metadata["result.json"]["warnings"][0]["ruleName"],
        "FromAsCasing"
    );

    let nowhere = buildx(&["build", "--check", "--metadata-file=Dockerfile/file", "."]);
    in_folder(&folder, nowhere).failed_with(1, &["Dockerfile/file"]);
}

#[test]
fn docker_desktop_is_linked_where_it_is_installed() {
    let folder = folder_of(&[("Dockerfile", "FROM busybox\n"), ("docker/none", "")]);
    let config = folder.path().join("docker");
    let build = || {
        let mut build = buildx(&["build", "--progress=plain", "-o", "type=cacheonly", "."]);
        build.env("DOCKER_CONFIG", &config);
        in_folder(&folder, build).succeeded().stderr
    };
    assert!(!build().contains("docker-desktop://"));
    fs::create_dir(config.join("desktop-build")).expect("it is ours");
    fs::write(config.join("desktop-build/.lastaccess"), "").expect("it is ours");
    let shown = build();
    let link = "\nView build details: docker-desktop://dashboard/build/default/default/";
    assert!(shown.contains(link), "{shown}");
}

#[test]
fn a_bake_begins_with_the_files_that_it_reads() {
    let file = "target \"default\" { output = [\"type=cacheonly\"] }\n";
    let folder = folder_of(&[("Dockerfile", "FROM busybox\n"), ("docker-bake.hcl", file)]);
    let bytes = file.len();
    let reading = format!(
        "#1 [internal] load local bake definitions\n\
         #1 reading docker-bake.hcl {bytes}B / {bytes}B done\n#1 DONE 0."
    );
    let baked = in_folder(&folder, buildx(&["bake", "--progress=plain"])).succeeded();
    let headline = "#0 building with \"default\" instance using docker driver\n\n";
    let begin = format!("{headline}{reading}");
    assert!(baked.stderr.starts_with(&begin), "{}", baked.stderr);

    let mut named = buildx(&["bake", "--print"]);
    named.env("BUILDX_BAKE_FILE", "docker-bake.hcl");
    let named = in_folder(&folder, named).succeeded();
    let expected = "[internal] load local bake definitions from BUILDX_BAKE_FILE env";
    assert_eq!(steps(&named.stderr), [expected]);

    // Programs that show the progress themselves read nothing else.
    let raw = in_folder(&folder, buildx(&["bake", "--progress=rawjson"])).succeeded();
    let first = raw.stderr.lines().next().expect("an update");
    let first: Value = serde_json::from_str(first).expect("JSON");
    let name = "[internal] load local bake definitions";
    assert_eq!(first["vertexes"][0]["name"], name);

    let own = in_folder(&folder, solvekit(["bake", "--print"])).succeeded();
    assert_eq!(own.stderr, "");
}

#[test]
fn a_failed_build_has_its_name_in_the_history() {
    let word = unique();
    let home = BuilderHome::with_engine(&format!(
        "unix://{}",
        crate::support::Engine::get().host.replace("docker://", "")
    ));
    let folder = folder_of(&[
        (
            "app/Dockerfile",
            &format!("FROM busybox\nRUN echo {word} && exit 3\n"),
        ),
        (
            "docker-bake.hcl",
            "target \"default\" { context = \"app\" }\n",
        ),
    ]);
    for arguments in [&["build", "app"][..], &["bake"]] {
        let mut command = home.solvekit(arguments);
        command.arg0("/usr/bin/buildx");
        assert_eq!(in_folder(&folder, command).code, Some(1));
        let refs = fs::read_dir(home.file("refs/default/default")).expect("the builds");
        let states = refs.map(|it| fs::read(it.expect("a build").path()).expect("its state"));
        let states = states.map(|it| serde_json::from_slice::<Value>(&it).expect("JSON"));
        let states: Vec<Value> = states.collect();
        let app = fs::canonicalize(folder.path().join("app")).expect("a folder");
        let is_app = |state: &Value| state["LocalPath"] == app.to_str().expect("text");
        assert!(states.iter().all(is_app), "{states:?}");
        let count = if arguments[0] == "build" { 1 } else { 2 };
        assert_eq!(states.len(), count, "{states:?}");
    }
}
