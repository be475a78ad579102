//! "构建多指令集镜像": a web server's files for eight platforms, then with registries without TLS.

use std::fs;

use crate::document::Reader;
use crate::support::{Pushed, fixture, in_container};
use crate::{EIGHT, EIGHT_IN_INDEX};

/// `/etc/buildkitd.toml` of two of the documents.
pub(crate) const BUILDKITD: &str = r#"debug = true
# 将 mirror.cluster.k8s 仓库设为 docker.io 加速镜像
# 如果在 mirror.cluster.k8s 仓库里没找到镜像，才会去 docker.io 上找镜像
[registry."docker.io"]
  mirrors = ["mirror.cluster.k8s"]
  http = true
  insecure = true

# 设置为允许不安全访问，也就是使用 http 协议访问 mirror.cluster.k8s
[registry."mirror.cluster.k8s"]
  http = true
  insecure = true
"#;

#[test]
fn a_dashboard_for_eight_platforms() {
    let reader = Reader::of(
        "构建多指令集镜像",
        include_str!("commands/clash_dashboard.txt"),
    );
    reader.installs_emulators("tonistiigi/binfmt");
    reader.logs_in();

    let builder = reader.own("clash-dashboard");
    let name = format!("--name={builder}");
    let upstream = reader.upstream();
    let create = [
        "create",
        "--use",
        &name,
        "--driver",
        "docker-container",
        "--driver-opt",
        "image=moby/buildkit:master",
        "--driver-opt",
        "network=host",
        &upstream,
    ];
    assert_eq!(reader.types(&create).stdout, format!("{builder}\n"));

    let image = format!("{}:latest", reader.image("centralx/clash-dashboard"));
    let folder = fixture("seeds/nginx");
    let build = [
        "build",
        "--progress=plain",
        "--platform",
        EIGHT,
        "-t",
        &image,
        ".",
        "--push",
    ];
    let built = reader.types_in(&folder, &build);
    for text in [
        "pulling image moby/buildkit:master",
        &format!("building with {builder:?} instance using docker-container driver"),
    ] {
        assert!(built.stderr.contains(text), "{text:?}\n{}", built.stderr);
    }
    let pushed = Pushed::fetch(&image);
    assert_eq!(pushed.platforms(), EIGHT_IN_INDEX);
    for platform in EIGHT_IN_INDEX {
        let page = pushed.file(platform, "/usr/share/nginx/html/index.html");
        assert_eq!(page, "<h1>dashboard</h1>\n", "{platform}");
    }
    reader.removes(&builder);

    // The private registry, with the configuration file.
    let file = reader.home.path("buildkitd.toml");
    fs::write(&file, BUILDKITD).expect("it can be written");
    let mut create = create.to_vec();
    create.extend(["--config", file.to_str().expect("text")]);
    reader.types(&create);
    let two = "linux/amd64,linux/arm64";
    reader.types_in(
        &folder,
        &["build", "--platform", two, "-t", &image, ".", "--push"],
    );
    assert_eq!(
        Pushed::fetch(&image).platforms(),
        ["linux/amd64", "linux/arm64"]
    );
    let container = format!("buildx_buildkit_{builder}0");
    let script = "cat /etc/buildkit/buildkitd.toml";
    let inside = in_container(&reader.socket, &container, &["sh", "-c", script]);
    assert!(
        inside.contains("mirrors = [\"mirror.cluster.k8s\"]"),
        "{inside}"
    );
    reader.removes(&builder);
    reader.ends();
}
