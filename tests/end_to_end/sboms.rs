//! SBOMs: a scanner image runs on each platform's result. The scanner here is a stand-in that lists
//! the files it sees.

use std::sync::OnceLock;

use serde_json::Value;

use crate::support::{Engine, Finished, Pushed, folder_of, frontend_image, solvekit, unique};

const SCANNER: &str = r#"#!/bin/sh
found=$(cd "$BUILDKIT_SCAN_SOURCE" && find . -type f | sort | tr '\n' ' ')
extras=$([ -z "$BUILDKIT_SCAN_SOURCE_EXTRAS" ] || (cd "$BUILDKIT_SCAN_SOURCE_EXTRAS" && find . -type f | sort | tr '\n' ' '))
cat > "$BUILDKIT_SCAN_DESTINATION/sbom.spdx.json" <<END
{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document", "predicate": {
  "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "dataLicense": "CC0-1.0", "documentNamespace": "https://example.com/x",
  "name": "found $found extras $extras hint $BUILDKIT_SCAN_HINT", "creationInfo": {"created": "2024-01-01T00:00:00Z", "creators": ["Tool: x"]}
}}
END
"#;

/// The scanner's image, pushed once per test run.
fn scanner() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        let context = folder_of(&[
            (
                "Dockerfile",
                "FROM busybox\nCOPY scan /scan\nENTRYPOINT [\"sh\", \"/scan\"]\n",
            ),
            ("scan", SCANNER),
        ]);
        let name = format!("{}:1", Engine::get().name("scanner"));
        Finished::of(solvekit(["build", "--push", "-t", &name]).arg(context.path())).succeeded();
        name
    })
}

/// The name in the platform's SPDX document: the files that the scanner saw.
fn seen(pushed: &Pushed, platform: &str) -> String {
    let statements = pushed.attestations(platform);
    let is_spdx = |statement: &&Value| statement["predicateType"] == "https://spdx.dev/Document";
    let [document] = statements.iter().filter(is_spdx).collect::<Vec<_>>()[..] else {
        panic!("{statements:?}");
    };
    document["predicate"]["name"]
        .as_str()
        .expect("text")
        .to_owned()
}

fn pushed(dockerfile: &str, flags: &[&str]) -> Pushed {
    let context = folder_of(&[("Dockerfile", dockerfile), ("of-context", "x")]);
    let name = format!("{}:1", Engine::get().name("scanned"));
    let mut command = solvekit(["build", "--push", "-t", &name]);
    let built = Finished::of(command.args(flags).arg(context.path())).succeeded();
    assert!(
        built.stderr.contains("generating sbom using"),
        "{}",
        built.stderr
    );
    Pushed::fetch(&name)
}

#[test]
fn each_platform_s_result_is_scanned() {
    let word = unique();
    let dockerfile = format!(
        "FROM alpine AS made\nARG TARGETARCH\nRUN echo {word} > /of-$TARGETARCH\nFROM scratch\nARG \
         TARGETARCH\n\
         COPY --from=made /of-$TARGETARCH /\n"
    );
    let sbom = format!("--sbom=generator={},HINT=some words", scanner());
    let flags = [
        "--platform=linux/amd64,linux/arm64",
        &sbom,
        "--provenance=mode=max",
    ];
    let pushed = pushed(&dockerfile, &flags);
    assert_eq!(
        seen(&pushed, "linux/amd64"),
        "found ./of-amd64  extras  hint some words"
    );
    assert_eq!(
        seen(&pushed, "linux/arm64"),
        "found ./of-arm64  extras  hint some words"
    );
    assert_eq!(pushed.attestations("linux/amd64").len(), 2);
}

const WITH_EXTRAS: &str = "ARG BUILDKIT_SBOM_SCAN_CONTEXT=true\nFROM scratch AS one\nARG \
                           BUILDKIT_SBOM_SCAN_STAGE=true\n\
     COPY of-context /of-one\nFROM scratch\nCOPY --from=one /of-one /result\nCOPY of-context /\n";

const SEEN_WITH_EXTRAS: &str =
    "found ./of-context ./result  extras ./sbom-context/of-context ./sbom-one/of-one  hint ";

#[test]
fn stages_and_the_context_are_scanned_where_the_dockerfile_says_so() {
    let pushed = pushed(
        WITH_EXTRAS,
        &["--sbom", &format!("generator={}", scanner())],
    );
    assert_eq!(seen(&pushed, "linux/amd64"), SEEN_WITH_EXTRAS);
}

#[test]
fn the_frontend_inside_buildkit_does_the_same() {
    let dockerfile = format!("# syntax={}\n{WITH_EXTRAS}", frontend_image());
    let pushed = pushed(
        &dockerfile,
        &["--sbom", &format!("generator={}", scanner())],
    );
    assert_eq!(seen(&pushed, "linux/amd64"), SEEN_WITH_EXTRAS);
}

#[test]
fn a_scan_that_fails_is_its_platform_s_failure() {
    let failing = format!("{}:1", Engine::get().name("failing-arm64"));
    let scan = "grep -q arm64 $BUILDKIT_SCAN_SOURCE/of && exit 7; sh /scan";
    let dockerfile = format!(
        "FROM {}\nENTRYPOINT [\"sh\", \"-c\", \"{scan}\"]\n",
        scanner()
    );
    let image = folder_of(&[("Dockerfile", &dockerfile)]);
    Finished::of(solvekit(["build", "--push", "-t", &failing]).arg(image.path())).succeeded();
    let dockerfile = "FROM alpine AS made\nARG TARGETARCH\nRUN echo $TARGETARCH > /of\nFROM \
                      scratch\n\
         COPY --from=made /of /\n";
    let context = folder_of(&[("Dockerfile", dockerfile)]);
    let mut command = solvekit([
        "build",
        "--keep-going",
        "--platform=linux/amd64,linux/arm64",
    ]);
    command.arg(format!("--sbom=generator={failing}"));
    let failed = Finished::of(command.arg(context.path()));
    failed.failed_with(
        1,
        &["linux/amd64  built", "linux/arm64  failed", "exit code: 7"],
    );
}

#[test]
fn a_scanner_that_cannot_be_used_is_reported() {
    let context = folder_of(&[("Dockerfile", "FROM alpine\n")]);
    let build = |generator: &str| {
        let sbom = format!("--sbom=generator={generator}");
        Finished::of(solvekit(["build", &sbom]).arg(context.path()))
    };
    let absent = format!("{}:1", Engine::get().name("absent"));
    build(&absent).failed_with(
        1,
        &[
            "cannot make the SBOM with the image",
            &absent,
            "--sbom generator=",
        ],
    );

    let empty = format!("{}:1", Engine::get().name("no-command"));
    let image = folder_of(&[("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")]);
    Finished::of(solvekit(["build", "--push", "-t", &empty]).arg(image.path())).succeeded();
    build(&empty).failed_with(1, &["neither entrypoint nor command"]);

    let failing = format!("{}:1", Engine::get().name("failing"));
    let image = folder_of(&[(
        "Dockerfile",
        "FROM busybox\nENTRYPOINT [\"sh\", \"-c\", \"exit 7\"]\n",
    )]);
    Finished::of(solvekit(["build", "--push", "-t", &failing]).arg(image.path())).succeeded();
    build(&failing).failed_with(1, &["generating sbom using", "exit code: 7"]);
}
