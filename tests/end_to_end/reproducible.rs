//! `solvekit verify` and `solvekit image diff`: the differences between two images.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Engine, Finished, Running, folder_of, solvekit, unique};

const REWRITTEN: &str = "--output=type=image,rewrite-timestamp=true";

fn verify(context: &Path, arguments: &[&str]) -> Finished {
    let mut command = solvekit(["verify", "--progress=plain"]);
    command.env("SOURCE_DATE_EPOCH", "1700000000");
    Finished::of(command.args(arguments).arg(context))
}

fn diff(left: &str, right: &str, arguments: &[&str]) -> Finished {
    Finished::of(
        solvekit(["image", "diff"])
            .args(arguments)
            .args([left, right]),
    )
}

fn dockerfile(steps: &str) -> tempfile::TempDir {
    folder_of(&[("Dockerfile", &format!("FROM busybox\n{steps}"))])
}

/// Builds an archive with fixed times.
fn archive(context: &Path, kind: &str, file: &Path) -> String {
    let output = format!(
        "type={kind},dest={},rewrite-timestamp=true,oci-mediatypes=true",
        file.display()
    );
    let mut build = solvekit(["build", "--tag=app:1", "--output", &output]);
    build.env("SOURCE_DATE_EPOCH", "1700000000");
    Finished::of(build.arg(context)).succeeded();
    format!("{kind}-archive:{}", file.display())
}

#[test]
fn a_build_without_times_is_reproducible_on_two_platforms() {
    let context = dockerfile("RUN echo fixed > /fixed\nCOPY Dockerfile /app/\n");
    let both = ["--platform=linux/amd64,linux/386", REWRITTEN];
    let done = verify(context.path(), &both).succeeded();
    let mut lines = done.stdout.lines();
    assert_eq!(
        lines.next(),
        Some("reproducible: two builds without cache made the same image")
    );
    for platform in ["linux/amd64", "linux/386"] {
        let line = lines.next().unwrap_or_default();
        assert!(
            line.starts_with(&format!("{platform}: the same, sha256:")),
            "{line}"
        );
    }
    // Both builds ran the step.
    let ran = done.stderr.matches("echo fixed > /fixed").count();
    assert!(ran >= 4, "{}", done.stderr);
    assert!(!done.stderr.contains("tagging"), "{}", done.stderr);
}

#[test]
fn what_differs_is_reported_with_its_layer_its_line_and_its_lines() {
    let context = dockerfile(
        "RUN echo fixed > /fixed\nRUN cat /proc/sys/kernel/random/uuid > /stamp\n\
         RUN for f in a b c; do touch /$f; uuid=$(cat /proc/sys/kernel/random/uuid); \
         chmod $(printf %o $((0x${uuid%${uuid#???}} & 511))) /$f; done\n",
    );
    let done = verify(context.path(), &["--quiet", REWRITTEN]);
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    for part in [
        "not reproducible: two builds",
        "layer 3 of 4 is the first that differs: 1 file\n",
        "Dockerfile:3 RUN /bin/sh -c cat /proc/sys/kernel/random/uuid",
        "changed  /stamp: content\n",
        "@@ -1 +1 @@",
        "layer 4: ",
        ": mode 0",
        "What usually helps:\n  - content: ",
    ] {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
    assert!(!done.stdout.contains("/fixed:"), "{}", done.stdout);
    let json = verify(context.path(), &["--quiet", REWRITTEN, "--format=json"]);
    let json: Value = serde_json::from_str(&json.stdout).expect("it is JSON");
    assert_eq!(json["reproducible"], false);
    let layer = &json["diff"]["platforms"][0]["layers"][0];
    assert_eq!(
        (&layer["index"], &layer["how"]),
        (&2.into(), &"files".into())
    );
    assert_eq!(layer["files"]["files"][0]["path"], "stamp");
}

#[test]
fn times_alone_differ_without_an_epoch_and_can_be_ignored() {
    // Not cached, and not shared: a step that another build runs at the same time would be. Times
    // of files are in seconds.
    let context = dockerfile(&format!("RUN sleep 1; echo {} > /fixed\n", unique()));
    let run = |arguments: &[&str]| {
        let mut command = solvekit(["verify", "--quiet"]);
        Finished::of(command.args(arguments).arg(context.path()))
    };
    let done = run(&[]);
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    for part in ["only the times of ", "SOURCE_DATE_EPOCH=$("] {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
    let done = run(&["--ignore-times"]).succeeded();
    assert!(
        done.stdout.contains("the same but for times"),
        "{}",
        done.stdout
    );
}

#[test]
fn a_failed_build_and_a_wrong_image_are_no_difference() {
    let context = dockerfile("RUN exit 3\n");
    verify(context.path(), &[]).failed_with(2, &["exit code: 3"]);
    let missing = format!("{}:none", Engine::get().name("missing"));
    verify(context.path(), &["--against", &missing]).failed_with(2, &["none"]);
    verify(context.path(), &["--iidfile=x"]).failed_with(2, &["--iidfile is not for verify"]);
    verify(context.path(), &["--sign"]).failed_with(2, &["--sign is not for verify"]);
    let mounts = ["--cache-mount-to", "id=a,dest=a.tar"];
    verify(context.path(), &mounts).failed_with(2, &["--cache-mount-to is not for verify"]);
    diff("oci:/nowhere", "oci:/nowhere", &[]).failed_with(2, &["/nowhere"]);
    Finished::of(&mut solvekit(["image", "diff", "only-one"])).failed_with(2, &["<B>"]);
    Finished::of(&mut solvekit(["verify", "--nonsense"])).failed_with(2, &["--nonsense"]);
}

#[test]
fn a_build_is_compared_with_what_was_pushed() {
    let context = dockerfile(&format!("RUN echo {} > /fixed\n", unique()));
    let folder = tempfile::tempdir().expect("a folder");
    let made = archive(context.path(), "oci", &folder.path().join("a.tar"));
    let name = format!("{}:1", Engine::get().name("verified"));
    Finished::of(&mut solvekit(["image", "copy", &made, &name])).succeeded();
    let against = ["--quiet", REWRITTEN, "--against", &name];
    let done = verify(context.path(), &against).succeeded();
    assert!(
        done.stdout.contains("the build made the same image as "),
        "{}",
        done.stdout
    );
    diff(&made, &name, &[]).succeeded();
    let other = dockerfile("RUN touch /other\n");
    let done = verify(other.path(), &against);
    assert_eq!(done.code, Some(1), "{}", done.stderr);
    for part in ["removed  /fixed\n", "added    /other\n", "steps differ"] {
        assert!(done.stdout.contains(part), "{part}: {}", done.stdout);
    }
}

#[test]
fn images_of_registries_layouts_and_archives_are_compared() {
    let steps = "RUN echo a > /text && touch /mode /owner /gone && ln -s a /link\n";
    let changed = "RUN echo b > /text && touch /mode /owner && ln -s b /link && chmod 600 /mode && \
                   chown 7:8 /owner\nENV A=1\n";
    let (context, other) = (dockerfile(steps), dockerfile(changed));
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let oci = archive(context.path(), "oci", &at("oci.tar"));
    let docker = archive(context.path(), "docker", &at("docker.tar"));
    let layout = format!("oci-layout://{}:1", at("layout").display());
    let name = format!("{}:1", Engine::get().name("compared"));
    for place in [&layout, &name] {
        Finished::of(&mut solvekit(["image", "copy", &oci, place])).succeeded();
    }
    for place in [&layout, &name] {
        let done = diff(&oci, place, &[]).succeeded();
        assert!(
            done.stdout.starts_with("linux/amd64: the same, sha256:"),
            "{}",
            done.stdout
        );
    }
    let right = archive(other.path(), "oci", &at("other.tar"));
    for left in [&oci, &docker, &layout, &name] {
        let done = diff(left, &right, &[]);
        assert_eq!(done.code, Some(1), "{}", done.stderr);
        for part in [
            "config config.Env[A]: none → \"1\"\n",
            "layer 2 of 2 is the first that differs: 5 files\n",
            "removed  /gone\n",
            "changed  /link: link to a → b\n",
            "changed  /mode: mode 0644 → 0600\n",
            "changed  /owner: owner 0:0 → 7:8\n",
            "changed  /text: content\n",
        ] {
            assert!(done.stdout.contains(part), "{left} {part}: {}", done.stdout);
        }
    }
    let packed = at("zstd.tar");
    let output = format!(
        "type=oci,dest={},rewrite-timestamp=true,compression=zstd,force-compression=true",
        packed.display()
    );
    let mut build = solvekit(["build", "--output", &output]);
    build.env("SOURCE_DATE_EPOCH", "1700000000");
    Finished::of(build.arg(context.path())).succeeded();
    let packed = format!("oci-archive:{}", packed.display());
    let done = diff(&oci, &packed, &["--all", "--format=json"]);
    let json: Value = serde_json::from_str(&done.stdout).expect("it is JSON");
    let layers = json["platforms"][0]["layers"].as_array().expect("a list");
    assert_eq!(layers.len(), 2);
    assert!(
        layers.iter().all(|layer| layer["how"] == "compression"),
        "{json:#}"
    );
}

#[test]
fn a_lock_is_verified_and_its_moved_names_are_reported() {
    let base = format!("{}:latest", Engine::get().name("verified-base"));
    let push = |word: &str| {
        let base_of = dockerfile(&format!("RUN echo {word} > /word\n"));
        let mut build = solvekit(["build", "--progress=none", "--push", "-t", &base]);
        Finished::of(build.arg(base_of.path())).succeeded();
    };
    push("first");
    let context = folder_of(&[("Dockerfile", &format!("FROM {base}\nRUN cp /word /copy\n"))]);
    let lock = context.path().join("solvekit.lock");
    let lock = lock.to_str().expect("it is UTF-8");
    let mut locking = solvekit(["lock", "--output", lock]);
    Finished::of(locking.arg(context.path())).succeeded();
    let flags = [
        "--quiet",
        "--against-lock",
        lock,
        REWRITTEN,
        "--ignore-times",
    ];
    let done = verify(context.path(), &flags).succeeded();
    assert!(
        done.stdout.contains("solvekit.lock made the same image"),
        "{}",
        done.stdout
    );
    assert!(!done.stdout.contains("has moved"), "{}", done.stdout);

    push("second");
    let done = verify(context.path(), &flags).succeeded();
    let moved = format!("the name {base} has moved since it was locked");
    assert!(done.stdout.contains(&moved), "{}", done.stdout);
    let kept = context.path().join("kept");
    let kept = kept.to_str().expect("it is UTF-8");
    let json = [&flags[..], &["--format=json", "--keep", kept]].concat();
    let json: Value = serde_json::from_str(&verify(context.path(), &json).stdout).expect("JSON");
    assert_eq!(json["movedNames"][0]["name"], base.as_str());
    // The build used the lock's digest, not the current one of the name.
    let digest = json["diff"]["left"]["digest"].as_str().expect("a digest");
    let image = format!("oci-layout://{kept}@{digest}");
    let word = Finished::of(&mut solvekit(["image", "cat", &image, "/copy"])).succeeded();
    assert_eq!(word.stdout.trim(), "first");
    verify(
        context.path(),
        &["--against-lock", lock, "--against", &base],
    )
    .failed_with(2, &["--against"]);
}

#[test]
fn an_interruption_leaves_nothing_behind() {
    let context = dockerfile(&format!("RUN echo begun {} && sleep 60\n", unique()));
    let temporary = tempfile::tempdir().expect("a folder");
    let mut command = solvekit(["verify", "--progress=plain"]);
    command.env("TMPDIR", temporary.path()).arg(context.path());
    let mut running = Running::start(&mut command);
    running.until("begun");
    std::thread::sleep(Duration::from_millis(300));
    running.interrupt();
    let done = running.wait();
    assert_eq!(done.code, Some(130), "{}", done.stderr);
    let left = std::fs::read_dir(temporary.path())
        .expect("it is there")
        .count();
    assert_eq!(left, 0);
}
