//! The Dockerfiles of tutorials, with the tutorials' platforms.

use crate::eight_platforms::{PLATFORMS, all_platforms};
use crate::support::{Engine, Finished, Pushed, fixture, solvekit};

#[test]
fn a_web_server_with_an_unpacked_archive_for_eight_platforms() {
    let pushed = build("nginx", &all_platforms());
    for (_, platform, _) in PLATFORMS {
        assert_eq!(
            pushed.file(platform, "/usr/share/nginx/html/index.html"),
            "<h1>dashboard</h1>\n",
            "{platform}"
        );
        let config = pushed.config(platform);
        assert_eq!(config["author"], "Alan Yeh \"alan@yeh.cn\"");
        assert!(config["config"]["ExposedPorts"]["80/tcp"].is_object());
        assert_eq!(config["config"]["Cmd"][0], "nginx");
    }
}

#[test]
fn a_web_server_for_two_platforms() {
    let pushed = build("nginx", "linux/amd64,linux/arm64");
    assert_eq!(pushed.platforms(), ["linux/amd64", "linux/arm64"]);
}

/// The compiler itself is emulated here.
#[test]
fn a_program_compiled_on_each_platform() {
    let pushed = build("hello-arch", "linux/arm64,linux/arm,linux/amd64");
    let expected = ["linux/arm64", "linux/arm/v7", "linux/amd64"];
    assert_eq!(pushed.platforms(), expected);
    for (platform, machine) in expected.iter().zip(["aarch64", "arm", "x86-64"]) {
        assert_program(&pushed, platform, "/app/hello", machine);
        assert_eq!(pushed.config(platform)["config"]["Cmd"][0], "./hello");
        assert_eq!(pushed.config(platform)["config"]["WorkingDir"], "/app");
    }
}

#[test]
fn a_program_compiled_for_each_platform_on_the_build_platform() {
    let pushed = build("go-cross", "linux/amd64,linux/arm64");
    for (platform, machine) in [("linux/amd64", "x86-64"), ("linux/arm64", "aarch64")] {
        assert_program(&pushed, platform, "/root/main", machine);
        assert_eq!(pushed.config(platform)["config"]["Entrypoint"][0], "./main");
    }
}

#[test]
fn ready_made_programs_chosen_by_the_targets_arguments() {
    let pushed = build("dist", "linux/amd64,linux/arm/v7");
    assert_eq!(pushed.file("linux/amd64", "/dist"), "for amd64\n");
    assert_eq!(pushed.file("linux/arm/v7", "/dist"), "for arm\n");
}

#[track_caller]
fn build(document: &str, platforms: &str) -> Pushed {
    let name = format!("{}:latest", Engine::get().name(document));
    Finished::of(
        solvekit(["build", "--platform", platforms, "-t", &name])
            .arg(fixture("seeds").join(document))
            .arg("--push"),
    )
    .succeeded();
    Pushed::fetch(&name)
}

/// Checks that the file is a program for this machine, by `e_machine` in the ELF header.
#[track_caller]
fn assert_program(pushed: &Pushed, platform: &str, path: &str, machine: &str) {
    let bytes = pushed.bytes(platform, path);
    assert_eq!(bytes[..4], *b"\x7fELF", "{platform}");
    let number = match machine {
        "arm" => 40,
        "x86-64" => 62,
        "aarch64" => 183,
        other => panic!("{other} is not in this table"),
    };
    assert_eq!(u16::from_le_bytes([bytes[18], bytes[19]]), number);
}
