//! `--annotation` on manifests, indexes and their descriptors, checked in the registry.

use crate::support::{Engine, Finished, Pushed, folder_of, solvekit, unique};

#[test]
fn annotations_are_written_where_they_are_meant() {
    let name = format!("{}:1", Engine::get().name("annotated"));
    let dockerfile = format!("FROM alpine\nRUN echo {}\n", unique());
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let mut command = solvekit([
        "build",
        "--push",
        "--platform",
        "linux/amd64,linux/arm64",
        "-t",
    ]);
    command.arg(&name);
    for annotation in [
        "plain=1",
        "index:of-index=2",
        "manifest[linux/arm64]:of-arm=3",
        "manifest-descriptor:of-descriptor=4",
        "index,manifest:both=5=6",
    ] {
        command.args(["--annotation", annotation]);
    }
    Finished::of(command.arg(context.path())).succeeded();

    let pushed = Pushed::fetch(&name);
    assert_eq!(pushed.index["annotations"]["of-index"], "2");
    assert_eq!(pushed.index["annotations"]["both"], "5=6");
    assert_eq!(
        pushed.index["manifests"][0]["annotations"]["of-descriptor"],
        "4"
    );
    let (amd, arm) = (
        pushed.manifest("linux/amd64"),
        pushed.manifest("linux/arm64"),
    );
    for manifest in [&amd, &arm] {
        assert_eq!(manifest["annotations"]["plain"], "1");
        assert_eq!(manifest["annotations"]["both"], "5=6");
    }
    assert_eq!(arm["annotations"]["of-arm"], "3");
    assert!(amd["annotations"].get("of-arm").is_none());
}

#[test]
fn wrong_annotations_are_reported_before_a_daemon_is_asked() {
    let context = folder_of(&[("Dockerfile", "FROM alpine\n")]);
    for (annotation, part) in [
        ("key", "not key=value"),
        ("manifst:a=b", "did you mean \"manifest\"?"),
        ("index[linux/amd64]:a=b", "of all platforms"),
    ] {
        let mut command = solvekit(["build", "--annotation", annotation]);
        Finished::of(command.arg(context.path())).failed_with(1, &["--annotation", part]);
    }
}
