//! Features that an older daemon lacks: rejected with its version, the feature and the lines, or
//! done in another way.

use crate::support::{Engine, Finished, Pushed, folder_of, solvekit};

/// Returns the result if the build succeeded; `None` if it was rejected as expected.
#[track_caller]
fn built_or_refused(finished: Finished, feature: &str, line: &str) -> Option<Finished> {
    if finished.code == Some(0) {
        return Some(finished);
    }
    finished.failed_with(
        1,
        &[
            feature,
            line,
            ">>> ",
            " does not know ",
            "use a newer BuildKit",
        ],
    );
    None
}

#[test]
fn a_mode_in_letters_is_used_or_refused_and_never_ignored() {
    let context = folder_of(&[
        ("Dockerfile", "FROM scratch\nCOPY --chmod=u=rw,go= file /\n"),
        ("file", "x"),
    ]);
    let name = format!("{}:latest", Engine::get().name("letters"));
    let mut build = solvekit(["build", "--push", "--platform=linux/amd64", "-t", &name]);
    let finished = Finished::of(build.arg(context.path()));
    let feature = "modes in letters (COPY --chmod=u=rwX)";
    if built_or_refused(finished, feature, "Dockerfile:2").is_some() {
        let entries = Pushed::fetch(&name).entries("linux/amd64");
        assert!(entries[0].starts_with("-rw------- "), "{entries:?}");
    }
}

#[test]
fn a_checksum_of_a_git_repository_is_checked_or_refused() {
    let commit = "0123456789012345678901234567890123456789";
    let text = format!(
        "FROM scratch\n\nADD --checksum={commit} \\\n  http://127.0.0.1:9/nowhere.git#main /\n"
    );
    let context = folder_of(&[("Dockerfile", text.as_str())]);
    let finished = Finished::of(solvekit(["build"]).arg(context.path()));
    assert_ne!(finished.code, Some(0));
    // A daemon with this feature does not find the repository.
    if !finished.stderr.contains("127.0.0.1:9") || finished.stderr.contains("does not know") {
        built_or_refused(finished, "git repositories with a checksum", "Dockerfile:3");
    }
}
