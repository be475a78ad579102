//! "Docker多平台构建builderx": from an old Docker with experimental features to images that run on each
//! platform.

use std::fs;

use crate::container;
use crate::document::Reader;
use crate::support::{GitDaemon, Pushed, fixture, repository_of};

/// The tutorial's `config.toml`.
const CONFIG: &str = r#"[registry."docker.io"]
    mirrors = ["reg-mirror.qiniu.com"]
    
[registry."192.168.1.118:5000"]
    http = true
    insecure = true
"#;
const THREE: [(&str, &str); 3] = [
    ("linux/arm64", "Hello, arm64!\n"),
    ("linux/arm/v7", "Hello, arm!\n"),
    ("linux/amd64", "Hello, amd64!\n"),
];

#[test]
fn a_program_for_three_platforms_is_built_and_run() {
    let reader = Reader::of(
        "Docker多平台构建builderx",
        include_str!("commands/experimental_features.txt"),
    );
    setting_up(&reader);
    let builder = builders(&reader);
    let listed = reader.types(&["ls"]).stdout;
    assert!(listed.starts_with("NAME/NODE"), "{listed}");
    for line in [
        format!("{builder}*"),
        format!(" \\_ {builder}0"),
        "default".to_owned(),
    ] {
        assert!(listed.contains(&line), "{line:?}\n{listed}");
    }
    reader.logs_in();
    building(&reader);
}

/// The version, the plugin, the emulators.
fn setting_up(reader: &Reader) {
    let experimental =
        "there is nothing to turn on: solvekit has no experimental features of that kind";
    reader.leaves_out(experimental);
    let version = reader.types(&["version"]).stdout;
    assert!(version.starts_with("solvekit v"), "{version}");

    let old = "it turns BuildKit on in an old Docker; solvekit speaks to BuildKit only";
    reader.leaves_out(old);
    let repositories = repository_of(&[
        ("Dockerfile", "FROM scratch\nCOPY buildx /\n"),
        ("buildx", "a program\n"),
    ]);
    let git = GitDaemon::of(repositories.path());
    let here = tempfile::tempdir().expect("a temporary folder");
    let url = git.url("");
    let build = [
        "build",
        "--builder=default",
        "--platform=local",
        "-o",
        ".",
        &url,
    ];
    reader.types_in(here.path(), &build);
    let made = fs::read_to_string(here.path().join("buildx")).expect("it is built");
    assert_eq!(made, "a program\n");
    reader.types(&["install-plugin", "--buildx"]);
    assert!(reader.home.path("cli-plugins/docker-buildx").exists());

    let image = "tonistiigi/binfmt:buildkit-master";
    reader.installs_emulators(image);
    let asked = [
        "platforms",
        "--builder=default",
        "--uninstall",
        "qemu-*",
        "--image",
        image,
    ];
    let done = reader.types(&asked);
    assert!(
        done.stderr.contains("uninstalling: qemu-* OK"),
        "{}",
        done.stderr
    );
    let older = "an image whose program has no arguments; tonistiigi/binfmt is what took its place";
    reader.leaves_out(older);
    let useless = "the document itself says that buildx has no use of it: handlers without the \
                   flag F, which platforms names";
    reader.leaves_out(useless);

    let format = "{{.Platform}} {{.Runs}} {{.Interpreter}} flags: {{.Flags}}";
    let three = "linux/arm64,linux/arm,linux/s390x";
    let asked = [
        "platforms",
        "--builder=default",
        "--platform",
        three,
        "--format",
        format,
    ];
    let printed = reader.types(&asked).stdout;
    assert_eq!(printed.lines().count(), 3, "{printed}");
    let asked = asked.map(|word| if word == three { "linux/arm64" } else { word });
    let printed = reader.types(&asked).stdout;
    let arm64 = printed.lines().next().unwrap_or_default();
    assert!(arm64.starts_with("linux/arm64 emulated /"), "{printed}");
    let flags = arm64.split("flags: ").nth(1).unwrap_or_default();
    assert!(flags.contains('F'), "{printed}");
}

/// The tutorial's ways to create a builder; returns the last one, which is used.
fn builders(reader: &Reader) -> String {
    let builder = reader.own("mybuilder");
    let upstream = reader.upstream();
    let config = reader.home.path("buildx/config.toml");
    fs::create_dir_all(config.parent().expect("a folder")).expect("it can be made");
    fs::write(&config, CONFIG).expect("it can be written");
    let config = format!("--config={}", config.display());
    let made = reader.types(&["create", "--use", "--name", &builder, &upstream, &config]);
    assert_eq!(made.stdout, format!("{builder}\n"));
    reader.clears(&builder);
    reader.types(&["create", "--name", &builder, &upstream]);
    reader.types(&["use", &builder]);
    let chinese = reader.own("mybuilder-cn");
    let name = format!("--name={chinese}");
    for image in [
        "dockerpracticesig/buildkit:master",
        "dockerpracticesig/buildkit:master-tencent",
    ] {
        let option = format!("image={image}");
        let driver = [
            "--driver",
            "docker-container",
            "--driver-opt",
            &option,
            &upstream,
        ];
        let mut create = vec!["create", "--use", &name];
        create.extend(driver);
        reader.types(&create);
        let inspected = reader.looks(&["inspect", &chinese]).stdout;
        assert!(inspected.contains(image), "{inspected}");
        reader.clears(&chinese);
    }
    reader.looks(&["use", &builder]);
    let inspected = reader.types(&["inspect", &builder, "--bootstrap"]).stdout;
    for text in [
        "Driver:",
        "docker-container",
        "Status:",
        "running",
        "Platforms:",
        "linux/amd64",
    ] {
        assert!(inspected.contains(text), "{text:?}\n{inspected}");
    }
    builder
}

/// Builds, inspects the pushed image, pulls it and runs it.
fn building(reader: &Reader) {
    let folder = fixture("seeds/hello-arch");
    let name = reader.image("yasewang/hello-arch");
    let platforms = "--platform=linux/arm64,linux/arm,linux/amd64";
    reader.types_in(&folder, &["build", "-t", &name, platforms, ".", "--push"]);
    let latest = format!("{name}:latest");
    let pushed = Pushed::fetch(&latest);
    assert_eq!(pushed.platforms(), THREE.map(|(platform, _)| platform));

    reader.types(&["image", "pull", &name]);
    for architecture in ["arm", "arm64", "amd64"] {
        let platform = format!("--platform=linux/{architecture}");
        let loaded = reader.image("yasewang/hello-arch-loaded");
        let build = ["build", "-t", &loaded, &platform, "-o", "type=docker", "."];
        reader.types_in(&folder, &build);
        let kept = container::architecture(&reader.socket, &loaded);
        assert_eq!(kept, architecture);
    }
    let shown = reader.types(&["imagetools", "inspect", &name]).stdout;
    for text in [
        format!("Name:      {latest}\n"),
        "MediaType: application/vnd.".to_owned(),
        format!("Digest:    {}\n", pushed.digest),
        "Manifests: \n".to_owned(),
    ] {
        assert!(shown.contains(&text), "{text:?}\n{shown}");
    }
    let manifests = pushed.index["manifests"].as_array().expect("manifests");
    for (manifest, (platform, greeting)) in manifests.iter().zip(THREE) {
        let digest = manifest["digest"].as_str().expect("a digest");
        assert!(shown.contains(&format!("{latest}@{digest}\n")), "{shown}");
        let listed = shown
            .lines()
            .any(|line| line.trim() == format!("Platform:  {platform}"));
        assert!(listed, "{platform}\n{shown}");
        let printed = reader.runs(&format!("{name}@{digest}"), platform);
        assert_eq!(printed, greeting);
    }
    let pulled = reader.types(&["image", "pull", "--platform", "arm64", &name]);
    assert_eq!(pulled.stdout, format!("{latest}\n"));
    let kept = container::architecture(&reader.socket, &name);
    assert_eq!(kept, "arm64");
    reader.ends();
}
