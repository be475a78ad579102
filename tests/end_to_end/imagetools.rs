//! `solvekit imagetools` against the real registries, beside docker-buildx: the same text, the same bytes.

use std::process::Command;

use crate::support::{Engine, Finished, buildx, folder_of, solvekit};

const BOTH: &str = "linux/amd64,linux/arm64";

fn imagetools(arguments: &[&str]) -> Finished {
    Finished::of(solvekit(["imagetools"]).args(arguments))
}

/// What docker-buildx prints for the same arguments.
#[track_caller]
fn as_buildx(arguments: &[&str]) -> String {
    let output = buildx(["imagetools"]).args(arguments).output();
    let output = output.expect("docker-buildx is there");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// An image for two platforms with provenance.
fn attested() -> String {
    let name = format!("{}:1", Engine::get().name("inspected"));
    let context = folder_of(&[("Dockerfile", "FROM alpine\nENV word=hello\nCMD [\"<a>\"]\n")]);
    Finished::of(
        solvekit([
            "build",
            "--platform",
            BOTH,
            "--provenance=mode=min",
            "--push",
            "-t",
            &name,
        ])
        .arg(context.path()),
    )
    .succeeded();
    name
}

#[test]
fn inspect_prints_what_buildx_prints() {
    let alpine = format!("{}/library/alpine", Engine::get().registry);
    let attested = attested();
    for name in [&alpine, &attested] {
        for more in [
            &[][..],
            &["--raw"],
            &["--format", "{{json .Manifest}}"],
            &["--format", "{{json .Image}}"],
            &["--format", "{{json .}}"],
            &["--format", "{{json .Provenance}}{{json .SBOM}}"],
            &["--format", "{{json (index .Image \"linux/arm64\")}}"],
            &["--format", "{{.Name}} {{.Manifest.Digest}}"],
            &[
                "--format",
                "{{range .Manifest.Manifests}}{{println .Digest .Platform.OS .Platform.Architecture}}{{end}}",
            ],
        ] {
            let arguments = [&["inspect", name.as_str()], more].concat();
            let printed = imagetools(&arguments).succeeded().stdout;
            let text = as_buildx(&arguments);
            // Without a template buildx walks annotations in no order.
            let sorted = |text: &str| {
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                if more.is_empty() {
                    lines.sort();
                }
                lines
            };
            assert_eq!(sorted(&printed), sorted(&text), "{arguments:?}");
        }
    }
}

#[test]
fn inspect_of_one_platform_has_its_config_at_hand() {
    let alpine = format!("{}/library/alpine", Engine::get().registry);
    let format = "{{range .Manifest.Manifests}}{{if eq .Platform.Architecture \"arm64\"}}{{.Digest}}{{end}}{{end}}";
    let digest = imagetools(&["inspect", &alpine, "--format", format])
        .succeeded()
        .stdout;
    let one = format!("{alpine}@{digest}");
    let found = imagetools(&[
        "inspect",
        &one,
        "--format",
        "{{.Image.Architecture}} {{.Provenance}}",
    ]);
    assert_eq!(found.succeeded().stdout, "arm64 {<no value>}");
}

#[test]
fn mistakes_of_inspect_say_what_there_is() {
    let engine = Engine::get();
    let alpine = format!("{}/library/alpine", engine.registry);
    for (arguments, texts) in [
        (
            &["inspect", &alpine, "--format", "{{.Manfest}}"][..],
            &["did you mean Manifest?", "Provenance"][..],
        ),
        (
            &["inspect", &alpine, "--format", "{{jsn .}}"],
            &["jsn", "did you mean json?"],
        ),
        (
            &["inspect", &alpine, "--format", "{{.Image.Config}}"],
            &[".Image", "linux/arm64"],
        ),
        (
            &["inspect", &format!("{alpine}:none")],
            &["404", "none", "has the tags", "latest"],
        ),
        (&["inspect", "Upper"], &["lower-case"]),
        (&["inspect", "127.0.0.1:1/a"], &["127.0.0.1:1", "refused"]),
        (
            &["inspect", &format!("{}/private/x:1", engine.registry_tls)],
            &[&engine.registry_tls, "UnknownIssuer", "certs.d"],
        ),
    ] {
        imagetools(arguments).failed_with(1, texts);
    }
}

#[test]
fn the_authority_of_a_registry_is_found_in_certs_d() {
    let engine = Engine::get();
    let name = format!("{}/private/x:1", engine.registry_tls);
    let home = folder_of(&[]);
    let folder = home
        .path()
        .join("docker/certs.d")
        .join(&engine.registry_tls);
    std::fs::create_dir_all(&folder).expect("it can be made");
    std::fs::copy(&engine.ca, folder.join("ca.crt")).expect("it can be copied");
    let run = |command: &mut Command| Finished::of(command.args(["imagetools", "inspect", &name]));
    run(solvekit::<&str>([]).env("XDG_CONFIG_HOME", home.path()))
        .failed_with(1, &["401", "repository:private/x:pull", "log in"]);
    let unchecked = Finished::of(&mut solvekit([
        "imagetools",
        "inspect",
        "--insecure-registry",
        &engine.registry_tls,
        &name,
    ]));
    unchecked.failed_with(1, &["is not checked", "401"]);
}
