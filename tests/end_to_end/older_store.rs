//! An engine with Docker's older image store, with solvekit called as buildx.

use std::fs;
use std::os::unix::process::CommandExt as _;

use crate::support::{
    Engine, Fault, FaultyRegistry, Finished, OwnEngine, Pushed, folder_of, solvekit, unique,
};

#[test]
fn the_older_image_store_builds_and_its_limits_are_reported_as_buildx_does() {
    let engine = OwnEngine::start();
    let home = tempfile::tempdir().expect("a temporary folder");
    let word = unique();
    let (base, archive) = (format!("local-only-{word}:1"), "type=oci,dest=out.tar");
    let context = folder_of(&[(
        "Dockerfile",
        &format!("FROM busybox\nRUN echo {word} >/w\n"),
    )]);
    let uses = folder_of(&[("Dockerfile", &format!("FROM {base}\nRUN grep {word} /w\n"))]);
    let run = |folder: &tempfile::TempDir, arguments: &[&str]| {
        let mut command = solvekit(["build", "--progress=plain"]);
        command
            .arg0("/usr/bin/buildx")
            .env_remove("BUILDKIT_HOST")
            .env(
                "DOCKER_HOST",
                format!("unix://{}", engine.socket().display()),
            )
            .env("BUILDX_CONFIG", home.path())
            .env("DOCKER_CONFIG", home.path())
            .args(arguments)
            .arg(".")
            .current_dir(folder.path());
        Finished::of(&mut command)
    };

    // The default builder is the engine's, without attestations. An image's id is its config's
    // digest.
    let flags = [
        "-q",
        "-t",
        &base,
        "--iidfile=iid",
        "--metadata-file=metadata",
    ];
    let built = run(&context, &flags).succeeded();
    let read = |name: &str| fs::read_to_string(context.path().join(name)).expect("it is written");
    assert_eq!(built.stdout.trim(), read("iid"));
    let metadata: serde_json::Value = serde_json::from_str(&read("metadata")).expect("JSON");
    assert_eq!(metadata["containerimage.config.digest"], read("iid"));
    // An image that is not in any registry.
    run(&uses, &["-t", &format!("uses-{base}")]).succeeded();
    // An engine that builds keeps its image, whatever context is given.
    run(&context, &["-t", &base, "-o", "type=docker,context=other"]).succeeded();

    let switch = "Switch to a different driver, or turn on the containerd image store, and try \
                  again.\nLearn more at https://docs.docker.com/go/";
    let refused = |what: &str, page: &str| {
        format!(
            "failed to build: {what} is not supported for the docker driver.\n{switch}{page}/\n"
        )
    };
    let cases: [(&[&str], String); 8] = [
        (
            &["--platform=linux/amd64,linux/arm64"],
            refused("Multi-platform build", "build-multi-platform"),
        ),
        (
            &["--cache-to=type=local,dest=cache"],
            refused("Cache export", "build-cache-backends"),
        ),
        (
            &["--cache-to=type=inline", "--provenance=true"],
            refused("Attestation", "attestations"),
        ),
        (&["-o", archive], refused("OCI exporter", "build-exporters")),
        (
            &["-o", "type=docker,dest=out.tar"],
            refused("Docker exporter", "build-exporters"),
        ),
        (
            &["--load", "--platform=linux/amd64,linux/arm64"],
            "docker exporter does not currently support exporting manifest lists\n".to_owned(),
        ),
        (
            &[
                "-o",
                "type=image,name=localhost/a,push=true,push-by-digest=true",
            ],
            "push-by-digest is currently not implemented for docker driver".to_owned(),
        ),
        (
            &["--annotation", "index:a=b", "-t", &base],
            "index annotations not supported for single platform export\n".to_owned(),
        ),
    ];
    for (arguments, expected) in cases {
        let failed = run(&context, arguments);
        assert_eq!(failed.code, Some(1), "{arguments:?}: {}", failed.stderr);
        let text = &failed.stderr;
        assert!(text.contains(&expected), "{arguments:?}: {text}");
    }
    assert!(!context.path().join("out.tar").exists());
    assert!(!context.path().join("cache").exists());
}

#[test]
fn the_older_image_store_pushes_what_is_to_be_pushed() {
    let (engine, registries) = (OwnEngine::start(), Engine::get());
    let home = tempfile::tempdir().expect("a temporary folder");
    let word = unique();
    let context = folder_of(&[
        (
            "Dockerfile",
            &format!("FROM busybox\nRUN echo {word} >/w\n"),
        ),
        ("docker-bake.hcl", "target \"default\" {}\n"),
    ]);
    let run = |arguments: &[&str]| {
        let mut command = solvekit(arguments);
        command
            .env("DOCKER_CONFIG", home.path())
            .env("BUILDKIT_HOST", engine.address())
            .current_dir(context.path());
        Finished::of(&mut command)
    };
    let login = |password: &str| {
        let auths = serde_json::json!({
            "auths": {&registries.registry_tls: {"username": registries.user, "password": password}}
        });
        let path = home.path().join("config.json");
        fs::write(path, auths.to_string()).expect("it can be written");
    };

    let names = ["1", "2"].map(|tag| format!("{}/older/{word}:{tag}", registries.registry));
    let file = "--metadata-file=metadata";
    let flags = [
        "build", "--push", "-t", &names[0], "-t", &names[1], file, ".",
    ];
    let log = run(&flags).succeeded().stderr;
    assert!(
        log.contains(&format!("pushing {} with docker", names[1])),
        "{log}"
    );
    let pushed = names.each_ref().map(|name| Pushed::fetch(name));
    let metadata = fs::read_to_string(context.path().join("metadata")).expect("it is written");
    let metadata: serde_json::Value = serde_json::from_str(&metadata).expect("JSON");
    for pushed in &pushed {
        assert_eq!(
            metadata["containerimage.digest"], *pushed.digest,
            "{metadata}"
        );
        let config = &pushed.index["config"]["digest"];
        assert_eq!(
            metadata["containerimage.config.digest"], *config,
            "{metadata}"
        );
    }

    // The password is sent to the registry that it is for; without one the push is refused.
    let private = format!("{}/older/{word}:1", registries.registry_tls);
    login("wrong");
    let refused = run(&["build", "--push", "-t", &private, "."]);
    assert_eq!(refused.code, Some(77), "{}", refused.stderr);
    assert!(refused.stderr.contains(&private), "{}", refused.stderr);
    assert!(!refused.stderr.contains("wrong"), "{}", refused.stderr);
    login(&registries.password);
    let name = format!("--set=*.tags={private}");
    run(&["bake", "--push", &name]).succeeded();
    let mut look = solvekit(["image", "digest", &private]);
    look.env("DOCKER_CONFIG", home.path())
        .env("SSL_CERT_FILE", &registries.ca);
    let found = Finished::of(&mut look).succeeded().stdout;
    assert!(found.starts_with("sha256:"), "{found}");
}

#[test]
fn a_push_by_the_older_image_store_is_repeated_if_the_registry_was_down() {
    let engine = OwnEngine::start();
    let word = unique();
    let context = folder_of(&[(
        "Dockerfile",
        &format!("FROM busybox\nRUN echo {word} >/w\n"),
    )]);
    let build = |name: &str, retries: &str| {
        let mut command = solvekit(["build", "--progress=plain", "--push", "-t", name]);
        command.arg(format!("--push-retries={retries}"));
        command.env("BUILDKIT_HOST", engine.address());
        Finished::of(command.arg(context.path()))
    };
    let path = format!("older/{word}:1");
    let down = Fault::Status("503 Service Unavailable", "");
    let registry = FaultyRegistry::failing(down, &["PUT", "/manifests/"], 1);
    let built = build(&registry.name(&path), "2").succeeded();
    let log = &built.stderr;
    assert!(log.contains("the push failed, and is repeated in"), "{log}");
    assert!(log.contains("(1 of 2)"), "{log}");
    assert!(Pushed::find(&registry.behind(&path)).is_some());

    let path = format!("older/{word}:2");
    let registry = FaultyRegistry::failing(down, &["PUT", "/manifests/"], 1000);
    let built = build(&registry.name(&path), "0");
    assert!(!built.stderr.contains("is repeated"), "{}", built.stderr);
    built.failed_with(75, &["503"]);
    assert!(Pushed::find(&registry.behind(&path)).is_none());
}
