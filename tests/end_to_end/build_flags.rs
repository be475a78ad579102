//! Flags of `build` that take effect in the daemon or in another engine.

use std::fs;

use serde_json::Value;

use crate::support::{BuilderHome, Engine, Finished, Relay, folder_of, solvekit, unique};

/// Runs docker on the engine under test.
fn docker(arguments: &[&str]) -> String {
    let output = std::process::Command::new("docker")
        .args(arguments)
        .output();
    let output = output.expect("docker is there");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The engine's socket, in the form of `DOCKER_HOST`.
fn engine() -> String {
    let socket = Engine::get()
        .host
        .strip_prefix("docker://")
        .expect("an engine");
    format!("unix://{socket}")
}

#[test]
fn a_host_can_be_the_machine_of_the_engine() {
    let context = folder_of(&[(
        "Dockerfile",
        &format!(
            "FROM busybox\nRUN grep machine /etc/hosts; : {}\n",
            unique()
        ),
    )]);
    let flags = [
        "build",
        "--progress=plain",
        "--add-host",
        "machine:host-gateway",
    ];
    let built = Finished::of(solvekit(flags).arg(context.path())).succeeded();
    let line = built
        .stderr
        .lines()
        .find(|line| line.ends_with("\tmachine"));
    let line = line.unwrap_or_else(|| panic!("{}", built.stderr));
    let address = line.split_whitespace().nth(2).expect("an address");
    assert!(address.parse::<std::net::IpAddr>().is_ok(), "{line}");
}

#[test]
fn an_index_annotation_of_one_platform_makes_an_index() {
    let image = Engine::get().name("annotated");
    let context = folder_of(&[("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")]);
    let flags = [
        "build",
        "--push",
        "-t",
        &image,
        "--annotation",
        "index:team=red",
    ];
    Finished::of(solvekit(flags).arg(context.path())).succeeded();
    let raw = Finished::of(&mut solvekit(["imagetools", "inspect", "--raw", &image])).succeeded();
    let raw: Value = serde_json::from_str(&raw.stdout).expect("JSON");
    assert_eq!(raw["annotations"]["team"], "red");
    assert_eq!(raw["manifests"].as_array().map(Vec::len), Some(1));

    let archive = context.path().join("image.tar");
    let output = format!("type=docker,dest={}", archive.display());
    let flags = ["build", "-o", &output, "--annotation", "index:team=red"];
    Finished::of(solvekit(flags).arg(context.path()))
        .failed_with(1, &["annotations of an index", "type=docker", "type=oci"]);
}

#[test]
fn a_result_that_stays_in_the_cache_is_reported() {
    let relay = Relay::unix();
    let context = folder_of(&[("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")]);
    let path = context.path().to_str().expect("text");
    let iid = context.path().join("new/iid");
    fs::create_dir(context.path().join("new")).expect("a folder");
    fs::write(&iid, "sha256:old").expect("a file");
    let build = |more: &[&str]| {
        let mut build = solvekit(["build", "--addr", relay.address()]);
        Finished::of(build.args(more).arg(path))
    };
    let file = iid.to_str().expect("text");
    let built = build(&["--progress=plain", "--iidfile", file]).succeeded();
    for text in [
        "No output specified with remote driver. Build result will only remain in the build cache",
        "new/iid is not written",
    ] {
        assert!(built.stderr.contains(text), "{text:?}: {}", built.stderr);
    }
    assert!(
        !iid.exists(),
        "nobody takes the id of an earlier build for this one's"
    );
    let quiet = build(&["-q"]).succeeded();
    assert!(
        quiet.stderr.contains("No output specified"),
        "{}",
        quiet.stderr
    );
    let asked = build(&["--progress=plain", "-o", "type=cacheonly"]).succeeded();
    assert!(!asked.stderr.contains("No output"), "{}", asked.stderr);
}

#[test]
fn an_engine_gives_the_id_of_an_image_without_a_name() {
    let context = folder_of(&[("Dockerfile", &format!("FROM busybox\nRUN : {}\n", unique()))]);
    let built = Finished::of(solvekit(["build", "-q"]).arg(context.path())).succeeded();
    let id = built.stdout.trim();
    assert!(
        id.starts_with("sha256:"),
        "{}{}",
        built.stdout,
        built.stderr
    );
    let host = engine();
    let inspected = docker(&["-H", &host, "image", "inspect", "--format", "{{.Id}}", id]);
    assert_eq!(inspected.trim(), id);
    docker(&["-H", &host, "image", "rm", id]);
}

#[test]
fn places_of_results_are_made_and_checked_before_the_build() {
    let word = unique();
    let context = folder_of(&[(
        "Dockerfile",
        &format!("FROM busybox\nRUN echo {word} > /a\n"),
    )]);
    let at = |name: &str| context.path().join(name).display().to_string();
    fs::write(at("file"), "").expect("a file");
    let build = |arguments: &[&str]| {
        let mut build = solvekit(["build", "--progress=plain"]);
        Finished::of(build.args(arguments).arg(context.path()))
    };
    for arguments in [
        ["--iidfile", &at("file/iid")],
        ["--iidfile", &at("")],
        ["--metadata-file", &at("file/x/metadata.json")],
        ["--cache-to", &format!("type=local,dest={}", at("file"))],
        ["-o", &format!("type=oci,dest={}", at("file/o.tar"))],
    ] {
        let failed = build(&arguments)
            .failed_with(1, &["cannot write", context.path().to_str().expect("text")]);
        assert!(!failed.stderr.contains("RUN echo"), "{}", failed.stderr);
    }
    let files = ["-o", "type=local,dest=out", "--iidfile", &at("iid")];
    build(&files).failed_with(1, &["--iidfile", "no image ID"]);

    let archive = format!("type=oci,dest={}", at("new/deep/o.tar"));
    let (iid, metadata) = (at("ids/iid"), at("more/metadata.json"));
    build(&[
        "-o",
        &archive,
        "--iidfile",
        &iid,
        "--metadata-file",
        &metadata,
    ])
    .succeeded();
    for made in ["new/deep/o.tar", "ids/iid", "more/metadata.json"] {
        let length = fs::metadata(at(made)).map(|found| found.len());
        assert!(length.is_ok_and(|length| length > 0), "{made}");
    }
}

#[test]
fn an_engine_with_containerd_s_store_loads_what_another_daemon_makes() {
    let relay = Relay::unix();
    let home = BuilderHome::with_engine(&engine());
    home.run(&["create", "--name", "far", relay.address()])
        .succeeded();
    let context = folder_of(&[("Dockerfile", "FROM busybox\nCOPY Dockerfile /\n")]);
    let path = context.path().to_str().expect("text");
    let name = format!("solvekit-test/loaded-{}", unique());
    let load = ["--builder", "far", "build", "--load", "-t", &name];
    let several = [
        "--platform=linux/amd64,linux/arm64",
        "--provenance=true",
        path,
    ];
    home.run(&[&load[..], &several[..]].concat()).succeeded();
    let host = engine();
    for platform in ["linux/amd64", "linux/arm64"] {
        let run = ["-H", &host, "create", "--platform", platform, &name];
        let container = docker(&run);
        docker(&["-H", &host, "rm", container.trim()]);
    }
    let one = home
        .run(&[&load[..], &["--quiet", path]].concat())
        .succeeded();
    let format = ["image", "inspect", "--format", "{{.Id}}"];
    let id = docker(&[&["-H", &host][..], &format, &[&name]].concat());
    assert_eq!(one.stdout.trim(), id.trim());
    docker(&["-H", &host, "image", "rm", &name]);
}

#[test]
fn a_daemon_that_restarts_is_waited_for() {
    let relay = Relay::unix();
    let word = unique();
    let dockerfile = format!("FROM alpine\nRUN echo {word}-$((1+1)); sleep 4\n");
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let start = |reconnect: &str| {
        let mut build = solvekit(["build", "--addr", relay.address(), "--progress=plain"]);
        build.args(["--reconnect", reconnect]).arg(context.path());
        crate::support::Running::start(&mut build)
    };
    let mut never = start("0");
    never.until(&format!("{word}-2"));
    relay.hang_up();
    let never = never
        .wait()
        .failed_with(1, &["connection to BuildKit was lost"]);
    assert!(
        !never.stderr.contains("waiting for the daemon"),
        "{}",
        never.stderr
    );

    let mut waiting = start("8s");
    waiting.until(&format!("{word}-2"));
    relay.cut();
    let cut = std::time::Instant::now();
    waiting.wait().failed_with(
        1,
        &[
            "waiting for the daemon, up to 8 seconds",
            "connection to BuildKit was lost",
        ],
    );
    let took = cut.elapsed().as_secs();
    assert!((7..20).contains(&took), "{took}");
}

#[test]
fn what_takes_time_is_shown_when_it_is_asked_for() {
    let context = folder_of(&[("Dockerfile", "FROM alpine\nCOPY a /\n"), ("a", "x")]);
    let build = |level: &str| {
        let mut command = solvekit(["build", "--build-arg", "TOKEN=hunter2"]);
        command.arg(context.path()).env("SOLVEKIT_LOG", level);
        Finished::of(&mut command).succeeded().stderr
    };
    let shown = build("info");
    for span in [
        "connect{address=",
        "resolve{image=docker.io/library/alpine",
        "translate",
        "solve{platform=linux/",
        "export",
        "time.busy=",
    ] {
        assert!(shown.contains(span), "{span}: {shown}");
    }
    assert!(!shown.contains("hunter2"), "{shown}");
    let silent = build("off");
    assert!(!silent.contains("time.busy"), "{silent}");
}
