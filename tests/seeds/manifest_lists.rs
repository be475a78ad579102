//! "docker 打包多架构镜像": images of single platforms that are combined by hand, then both at once with
//! buildx.

use crate::document::Reader;
use crate::support::{Finished, Pushed, fixture, folder_of, solvekit};

#[test]
fn images_are_put_together_by_hand_and_by_buildx() {
    let reader = Reader::of(
        "docker 打包多架构镜像",
        include_str!("commands/manifest_lists.txt"),
    );
    let name = format!("{}:3.5.5", reader.image("lixd96/etcd"));
    let parts = [
        ("amd64", format!("{name}-amd64")),
        ("arm64", format!("{name}-arm64")),
    ];
    // The images that the tutorial's author had pushed before: two images, and their list for the
    // first commands.
    let folder = folder_of(&[("Dockerfile", "FROM alpine\nRUN uname -m > /machine\n")]);
    for (architecture, part) in &parts {
        let platform = format!("--platform=linux/{architecture}");
        let mut build = solvekit(["build", "--push", &platform, "-t", part]);
        Finished::of(build.arg(folder.path())).succeeded();
    }
    let [amd64, arm64] = [&parts[0].1, &parts[1].1];
    Finished::of(&mut solvekit([
        "imagetools",
        "create",
        "-t",
        &name,
        amd64,
        arm64,
    ]))
    .succeeded();

    for architecture in ["arm64", "amd64"] {
        let pulled = reader.types(&["image", "pull", "--platform", architecture, &name]);
        assert_eq!(pulled.stdout, format!("{name}\n"));
    }
    let made = reader.types(&["manifest", "create", &name, amd64, arm64]);
    assert_eq!(made.stdout, format!("Created manifest list {name}\n"));
    let pushed = reader.types(&["manifest", "push", &name]).stdout;
    let list = Pushed::fetch(&name);
    assert_eq!(pushed, format!("{}\n", list.digest));
    assert_eq!(list.platforms(), ["linux/amd64", "linux/arm64"]);
    assert_eq!(list.file("linux/arm64", "/machine"), "aarch64\n");
    reader.types(&["manifest", "rm", &name]);
    // The local list is removed, but it is still in the registry.
    let again = Finished::of(&mut reader.command(&["manifest", "rm", &name]));
    again.failed_with(1, &[&name]);
    reader.installs_emulators("tonistiigi/binfmt");
    reader.logs_in();
    let test = format!("{}:0.0.1", reader.image("lixd96/test"));
    let two = "linux/amd64,linux/arm64";
    let build = [
        "build",
        "--platform",
        two,
        "--push",
        "--file",
        "./Dockerfile",
        "-t",
        &test,
        ".",
    ];
    reader.types_in(&fixture("seeds/go-cross"), &build);
    let pushed = Pushed::fetch(&test);
    assert_eq!(pushed.platforms(), ["linux/amd64", "linux/arm64"]);
    for (platform, machine) in [("linux/amd64", 62), ("linux/arm64", 183)] {
        let program = pushed.bytes(platform, "/root/main");
        assert_eq!(program[18], machine, "{platform}");
    }
    reader.ends();
}
