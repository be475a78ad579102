//! `solvekit platforms`, emulators registered through the engine, and builds for platforms that the
//! daemon cannot run.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::{BuilderHome, Engine, Finished, Relay, folder_of, solvekit, unique};

/// A handler that no other test needs and no BuildKit lists; disabled until this is dropped.
struct TurnedOff(&'static str);

impl TurnedOff {
    fn new(handler: &'static str) -> Self {
        fs::write(handler, "0")
            .expect("the emulators of tests/engine are registered, and this is root");
        Self(handler)
    }
}

impl Drop for TurnedOff {
    fn drop(&mut self) {
        let _ = fs::write(self.0, "1");
    }
}

const MIPS: &str = "/proc/sys/fs/binfmt_misc/qemu-mips";

fn run(arguments: &[&str]) -> Finished {
    Finished::of(&mut solvekit(arguments))
}

/// The output about these platforms.
fn printed(platforms: &str) -> Vec<Value> {
    let lines = run(&["platforms", "--format=json", "--platform", platforms]).succeeded();
    let lines = lines.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect()
}

#[test]
fn native_and_emulated_platforms_are_distinguished() {
    let table = run(&["platforms"]).succeeded();
    let line = |platform: &str| {
        let mut lines = table.stdout.lines();
        let line = lines.find(|line| line.split_whitespace().any(|word| word == platform));
        line.unwrap_or_else(|| panic!("{platform} is missing in:\n{}", table.stdout))
    };
    assert!(table.stdout.starts_with("NODE"), "{}", table.stdout);
    assert!(line("linux/amd64").contains("native"), "{}", table.stdout);
    assert!(line("linux/386").contains("native"), "{}", table.stdout);
    for emulated in [
        "linux/arm64",
        "linux/s390x",
        "linux/arm/v5",
        "linux/mips64le",
    ] {
        assert!(line(emulated).contains("emulated"), "{}", table.stdout);
    }
    assert!(
        line("linux/arm64").contains("qemu-aarch64"),
        "{}",
        table.stdout
    );
    assert!(table.stderr.contains("on this machine"), "{}", table.stderr);
    let printed = printed("linux/arm64,windows/amd64");
    assert_eq!(printed[0]["runs"], "emulated");
    let flags = printed[0]["emulator"]["flags"].as_str().expect("flags");
    assert!(flags.contains('F'), "{flags}");
    assert_eq!(printed[1]["runs"], "impossible");
    let short = run(&[
        "platforms",
        "--platform=linux/amd64",
        "--format={{.Platform}} {{.Runs}}",
    ]);
    assert_eq!(short.succeeded().stdout, "linux/amd64 native\n");
}

#[test]
fn a_platform_that_cannot_run_is_reported_before_anything_is_solved() {
    assert_eq!(printed("linux/mips")[0]["runs"], "emulated");
    let _off = TurnedOff::new(MIPS);
    let printed = printed("linux/mips");
    assert_eq!(printed[0]["runs"], "impossible", "{printed:?}");
    let why = printed[0]["why"].as_str().expect("a reason");
    assert!(
        why.contains("qemu-mips") && why.contains("turned off"),
        "{why}"
    );

    let folder = folder_of(&[
        (
            "Dockerfile",
            "FROM scratch AS base\nCOPY file /\n\nFROM base\nRUN [\"/file\"]\n",
        ),
        ("file", "x"),
    ]);
    let path = folder.path().to_str().expect("text");
    let build = |more: &[&str]| {
        let mut arguments = vec!["build", "--progress=plain", "--output=type=cacheonly"];
        arguments.extend(more);
        arguments.push(path);
        run(&arguments)
    };
    let refused = build(&["--platform=linux/mips"]).failed_with(
        1,
        &[
            "Dockerfile:5",
            "this step runs on linux/mips, whose programs the daemon cannot run",
            "solvekit platforms --install=mips",
        ],
    );
    assert!(
        !refused.stderr.contains("COPY file / "),
        "{}",
        refused.stderr
    );

    // With an imported cache it is possible that nothing has to run, so the daemon decides.
    let cache = format!("--cache-from={}", Engine::get().name("none"));
    let tried = build(&["--platform=linux/mips", &cache]);
    tried.failed_with(1, &["Dockerfile:5", "did not complete successfully"]);

    // Nothing runs on that platform, so no emulator is needed.
    build(&["--platform=linux/mips", "--target=base"]).succeeded();
    let crossed = "FROM --platform=$BUILDPLATFORM busybox AS made\nRUN echo x > /y\n\nFROM \
                   scratch\nCOPY --from=made /y /\n";
    fs::write(folder.path().join("Dockerfile"), crossed).expect("it can be written");
    build(&["--platform=linux/mips"]).succeeded();

    let native = "FROM busybox AS amd64\nRUN true\n\nFROM scratch AS mips\nCOPY file /\nRUN \
                  [\"/file\"]\n\nFROM $TARGETARCH\n";
    fs::write(
        folder.path().join("Dockerfile"),
        format!("ARG TARGETARCH\n{native}"),
    )
    .expect("it can be written");
    let kept = build(&["--keep-going", "--platform=linux/amd64,linux/mips"]);
    kept.failed_with(1, &["linux/mips", "cannot run", "linux/amd64  built"]);
}

/// An image whose program registers a handler for files that nobody has, as the real one does for
/// those of foreign machines.
fn image(name: &str) -> String {
    const PROGRAM: &str = "#!/bin/sh
mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc \
/proc/sys/fs/binfmt_misc || exit 9
cd /proc/sys/fs/binfmt_misc
echo \"asked for $1 $2\"
case \"$1\" in
--install) printf '%s' \":$2:M::solvekit-of-$2::/bin/busybox:F\" > register ;;
--uninstall) echo -1 > \"$2\" ;;
esac
";
    let folder = folder_of(&[
        (
            "Dockerfile",
            "FROM busybox\nCOPY --chmod=755 binfmt /\nENTRYPOINT [\"/binfmt\"]\n",
        ),
        ("binfmt", PROGRAM),
    ]);
    let name = format!("{}/{name}", Engine::get().registry);
    Finished::of(solvekit(["build", "--push", "-t", &name]).arg(folder.path())).succeeded();
    name
}

#[test]
fn emulators_are_registered_and_removed_through_the_engine() {
    let socket = Engine::get().host.strip_prefix("docker://");
    let socket = socket.expect("a Docker Engine, as of `tests/engine up`");
    let home = BuilderHome::with_engine(&format!("unix://{socket}"));
    let image = image(&format!("test/binfmt-{}", unique()));
    let name = format!("t{}", unique());
    let file = format!("/proc/sys/fs/binfmt_misc/{name}");
    let change = |arguments: &[&str]| {
        let mut all = vec![
            "platforms",
            "--builder=default",
            "--platform=linux/amd64",
            "--image",
            &image,
        ];
        all.extend(arguments);
        home.run(&all)
    };
    let done = change(&[&format!("--install={name}")]).succeeded();
    assert!(
        done.stderr.contains(&format!("asked for --install {name}")),
        "{}",
        done.stderr
    );
    assert!(done.stdout.contains("native"), "{}", done.stdout);
    let handler = fs::read_to_string(&file).expect("it is registered");
    assert!(handler.contains("flags: F"), "{handler}");
    // The second time the handler is registered already, and the program reports that.
    change(&[&format!("--install={name}")]).failed_with(1, &["exit code", "asked for"]);
    change(&["--uninstall", &name]).succeeded();
    assert!(!Path::new(&file).exists());

    let missing = format!("{}/test/nothing-{}", Engine::get().registry, unique());
    home.run(&[
        "platforms",
        "--builder=default",
        "--install",
        "--image",
        &missing,
    ])
    .failed_with(1, &["pull the image"]);
    change(&["--install=--mask"]).failed_with(1, &["--install", "list of architectures"]);
}

#[test]
fn without_an_engine_the_distribution_s_package_is_named() {
    let home = BuilderHome::new();
    let relay = Relay::tcp();
    let mut command = home.solvekit(&["platforms", "--install=arm64"]);
    let failed = Finished::of(command.env("BUILDKIT_HOST", relay.address()));
    failed.failed_with(1, &["install"]);
    home.run(&["--addr=tcp://127.0.0.1:1", "platforms"])
        .failed_with(1, &["127.0.0.1:1"]);
    home.run(&["platforms", "--platform=linux/"])
        .failed_with(1, &["linux/"]);
}
