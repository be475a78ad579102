//! "Docker Buildx": an environment for builds, a login, two tags at once, and the cleanup.

use std::fs;

use crate::clash_dashboard::BUILDKITD;
use crate::document::Reader;
use crate::support::{Engine, Finished, Pushed, folder_of, unique};
use crate::{EIGHT, EIGHT_IN_INDEX};

#[test]
fn a_login_a_build_with_two_tags_a_logout() {
    let reader = Reader::of(
        "Docker Buildx",
        include_str!("commands/buildx_environment.txt"),
    );
    let engine = Engine::get();
    reader.installs_emulators("tonistiigi/binfmt:latest");

    let builder = reader.own("context");
    let name = format!("--name={builder}");
    let upstream = reader.upstream();
    let create = [
        "create",
        "--use",
        &name,
        "--driver",
        "docker-container",
        "--driver-opt",
        "image=moby/buildkit:master",
        "--driver-opt",
        "network=host",
        &upstream,
    ];
    reader.types(&create);

    let login = [
        "login",
        &engine.registry_tls,
        "-u",
        &engine.user,
        "-p",
        &engine.password,
    ];
    let done = reader.types(&login);
    assert_eq!(done.stdout, "Login Succeeded\n");
    assert!(done.stderr.contains("--password-stdin"), "{}", done.stderr);

    let repository = format!("{}/test/image-name-{}", engine.registry_tls, unique());
    let latest = format!("{repository}:latest");
    let version = format!("{repository}:1.0.0");
    let folder = folder_of(&[("Dockerfile", "FROM alpine\nRUN uname -m > /machine\n")]);
    let build = [
        "build",
        "--platform",
        EIGHT,
        "-t",
        &latest,
        "-t",
        &version,
        ".",
        "--push",
    ];
    reader.types_in(folder.path(), &build);
    let pushed = Pushed::fetch(&latest);
    assert_eq!(pushed.platforms(), EIGHT_IN_INDEX);
    assert_eq!(Pushed::fetch(&version).digest, pushed.digest);
    assert_eq!(pushed.file("linux/s390x", "/machine"), "s390x\n");

    reader.types(&["logout", &engine.registry_tls]);
    let config = fs::read_to_string(reader.home.path("config.json")).expect("it is there");
    assert!(!config.contains(&engine.registry_tls), "{config}");
    let refused = Finished::of(&mut reader.command(&["imagetools", "inspect", &latest]));
    refused.failed_with(77, &[&format!("solvekit login {}", engine.registry_tls)]);

    reader.removes(&builder);

    let file = reader.home.path("buildkitd.toml");
    fs::write(&file, BUILDKITD).expect("it can be written");
    let mut create = create.to_vec();
    create.extend(["--config", file.to_str().expect("text")]);
    assert_eq!(reader.types(&create).stdout, format!("{builder}\n"));
    reader.clears(&builder);
    reader.ends();
}
