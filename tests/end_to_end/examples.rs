//! The library's examples, run as in its documentation.

use std::process::Command;

use crate::support::{Engine, Finished, Pushed};

/// Runs an example that was built along with the tests (`cargo test`, or `cargo build --examples`).
fn example(name: &str, arguments: &[&str]) -> Finished {
    let test = std::env::current_exe().expect("the tests have a file");
    let built = test.ancestors().nth(2).expect("it is in deps");
    let mut command = Command::new(built.join("examples").join(name));
    Finished::of(
        command
            .args(arguments)
            .current_dir(env!("CARGO_MANIFEST_DIR")),
    )
}

#[test]
fn an_image_is_built_and_then_copied_and_a_builder_is_added() {
    let engine = Engine::get();
    let [built, copied] = [engine.name("from-rust"), engine.name("copied-by-rust")];
    let digest = example("build", &[&built]).succeeded().stdout;
    assert!(digest.starts_with("sha256:"), "{digest}");

    let printed = example("registry", &[&built, &copied]).succeeded().stdout;
    let digest = digest.trim();
    assert!(printed.starts_with(digest), "{printed}");
    for line in [" linux/amd64", " linux/arm64"] {
        assert!(
            printed.lines().any(|printed| printed.ends_with(line)),
            "{printed}"
        );
    }
    assert!(
        printed.ends_with(&format!("{copied}:latest@{digest}\n")),
        "{printed}"
    );

    let out = tempfile::tempdir().expect("a temporary folder");
    let folder = out.path().to_str().expect("text");
    let solved = example("llb", &[folder]).succeeded().stdout;
    assert!(solved.contains("built "), "{solved}");
    let made_by = std::fs::read_to_string(out.path().join("app/made-by"));
    assert_eq!(made_by.expect("the file"), "solvekit\n");

    let store = tempfile::tempdir().expect("a temporary folder");
    let folder = store.path().to_str().expect("text");
    let listed = example("builders", &[folder, "mine", &engine.host])
        .succeeded()
        .stdout;
    assert!(
        listed.starts_with("mine mine0 running linux/amd64"),
        "{listed}"
    );
}

#[test]
fn a_program_brings_its_own_context_secrets_events_and_hook() {
    let printed = example("extend", &[]).succeeded().stdout;
    for text in [
        "linux/amd64 has ",
        "done: [stage-0 2/4] RUN --mount=type=secret,id=token",
        "the step left: left behind",
        "did not complete successfully: exit code: 1",
    ] {
        assert!(printed.contains(text), "{text:?} is missing in {printed}");
    }
}

#[test]
fn the_targets_of_a_bake_file_are_built_together() {
    let names = ["hello", "shout"].map(|item| Engine::get().name(item));
    let set = |target: &str, name: &str| format!("{target}.tags={name}");
    let arguments = [
        "examples/hello/docker-bake.hcl",
        &set("hello", &names[0]),
        &set("shout", &names[1]),
        "*.push=true",
    ];
    let printed = example("bake", &arguments).succeeded().stdout;
    let mut lines = printed.lines();
    for (target, name) in ["hello", "shout"].iter().zip(&names) {
        let pushed = Pushed::fetch(&format!("{name}:latest"));
        assert_eq!(
            lines.next(),
            Some(format!("{target} {}", pushed.digest).as_str()),
            "{printed}"
        );
        assert_eq!(pushed.platforms().len(), 2);
    }
    let shout = Pushed::fetch(&format!("{}:latest", names[1]));
    let (os, shouted) = ["/os.txt", "/shout.txt"]
        .map(|path| shout.file("linux/arm64", path))
        .into();
    assert_eq!(os.to_uppercase(), shouted);
    example(
        "bake",
        &["examples/hello/docker-bake.hcl", "nowhere.push=true"],
    )
    .failed_with(1, &["nowhere"]);
}
