//! "使用 buildx 构建多种系统架构支持的 Docker 镜像": a builder from a mirror, three platforms, the variables of a
//! target.

use crate::document::Reader;
use crate::support::{Finished, Pushed, fixture, folder_of};

const DOCKERFILE: &str = "FROM --platform=$TARGETPLATFORM alpine

RUN uname -a > /os.txt

CMD cat /os.txt
";

#[test]
fn an_image_tells_the_machine_that_it_was_built_on() {
    let reader = Reader::of(
        "使用 buildx 构建多种系统架构支持的 Docker 镜像",
        include_str!("commands/mirrored_builder.txt"),
    );
    reader.installs_emulators("tonistiigi/binfmt:latest");

    let upstream = reader.upstream();
    let builder = reader.own("mybuilder-cn");
    for (image, builder) in [
        ("dockerpracticesig/buildkit:master", builder.clone()),
        (
            "dockerpracticesig/buildkit:master-tencent",
            reader.own("mybuilder-tencent"),
        ),
    ] {
        let name = format!("--name={builder}");
        let option = format!("image={image}");
        let create = [
            "create",
            "--use",
            &name,
            "--driver",
            "docker-container",
            "--driver-opt",
            &option,
            &upstream,
        ];
        assert_eq!(reader.types(&create).stdout, format!("{builder}\n"));
    }
    let plain = reader.own("mybuilder");
    reader.types(&[
        "create",
        "--name",
        &plain,
        "--driver",
        "docker-container",
        &upstream,
    ]);
    reader.types(&["use", &plain]);

    let folder = folder_of(&[("Dockerfile", DOCKERFILE)]);
    let name = reader.image("myusername/hello");
    let three = "linux/arm,linux/arm64,linux/amd64";
    let build = [
        "build",
        "--progress=plain",
        "--platform",
        three,
        "-t",
        &name,
        ".",
        "--push",
    ];
    let built = reader.types_in(folder.path(), &build);
    let printed = "platforms: linux/amd64 native; linux/arm/v7, linux/arm64 emulated";
    assert!(built.stderr.contains(printed), "{}", built.stderr);

    let node = format!("{plain}0");
    let shown = reader.looks(&["platforms"]).stdout;
    for (platform, how) in [("linux/amd64", "native"), ("linux/arm64", "emulated")] {
        let words = [node.as_str(), platform, how];
        let is_there = shown.lines().any(|line| {
            let mut found = line.split_whitespace();
            words.iter().all(|word| found.next() == Some(word))
        });
        assert!(is_there, "{platform}\n{shown}");
    }

    let latest = format!("{name}:latest");
    let shown = reader.types(&["imagetools", "inspect", &name]).stdout;
    let pushed = Pushed::fetch(&latest);
    assert!(
        shown.contains(&format!("Digest:    {}\n", pushed.digest)),
        "{shown}"
    );
    for (platform, machine) in [
        ("linux/arm/v7", "armv7l"),
        ("linux/arm64", "aarch64"),
        ("linux/amd64", "x86_64"),
    ] {
        assert!(shown.contains(&format!("Platform:  {platform}")), "{shown}");
        let printed = reader.runs(&latest, platform);
        assert!(
            printed.starts_with("Linux ") && printed.contains(machine),
            "{platform}: {printed}"
        );
    }

    let dist = reader.image("myusername/dist");
    let two = "linux/amd64,linux/arm/v7";
    let folder = fixture("seeds/dist");
    // The tutorial ends with a Dockerfile, but has no command for it.
    let build = ["build", "--platform", two, "-t", &dist, ".", "--push"];
    Finished::of(reader.command(&build).current_dir(&folder)).succeeded();
    let pushed = Pushed::fetch(&format!("{dist}:latest"));
    assert_eq!(pushed.file("linux/amd64", "/dist"), "for amd64\n");
    assert_eq!(pushed.file("linux/arm/v7", "/dist"), "for arm\n");

    for builder in [builder, plain, reader.own("mybuilder-tencent")] {
        reader.clears(&builder);
    }
    reader.ends();
}
