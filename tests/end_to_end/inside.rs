//! solvekit as a frontend inside BuildKit: `# syntax=` with its image, called by docker-buildx.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::shared_cache::assert_all_cached;
use crate::support::{
    Engine, Finished, Pushed, buildx, folder_of, frontend_image, keep_cache, unique,
};

const PLATFORMS: [&str; 2] = ["linux/amd64", "linux/arm64"];

fn with_syntax(text: &str) -> String {
    format!("# syntax={}\n{text}", frontend_image())
}

fn build(arguments: &[&str]) -> Finished {
    Finished::of(&mut buildx(
        ["build", "--progress=plain"].iter().chain(arguments),
    ))
}

#[test]
fn several_platforms_are_built_and_pushed() {
    let word = unique();
    let dockerfile = with_syntax(
        "FROM alpine AS base\nARG TARGETARCH\nARG WORD\nCOPY . /in\n\
         RUN echo $WORD $TARGETARCH $(ls /in) > /out\nFROM base\nLABEL word=$WORD\n",
    );
    let context = folder_of(&[
        ("sub/My.Dockerfile", &dockerfile),
        ("kept", ""),
        ("left.log", ""),
        (".dockerignore", "*.log\nsub\n"),
    ]);
    let name = format!("{}:latest", Engine::get().name("inside"));
    let file = context.path().join("sub/My.Dockerfile");
    let argument = format!("WORD={word}");
    let built = build(&[
        "--push",
        "-t",
        &name,
        "--platform=linux/amd64,linux/arm64",
        "--build-arg",
        &argument,
        "-f",
        file.to_str().expect("UTF-8"),
        context.path().to_str().expect("UTF-8"),
    ])
    .succeeded();
    for step in [
        "[internal] load build definition from My.Dockerfile",
        "[internal] load .dockerignore",
        "[linux/arm64 base 3/3] RUN",
    ] {
        assert!(built.stderr.contains(step), "{step} in {}", built.stderr);
    }
    let pushed = Pushed::fetch(&name);
    for platform in PLATFORMS {
        let architecture = &platform[6..];
        let out = pushed.file(platform, "/out");
        assert_eq!(out, format!("{word} {architecture} kept\n"));
        assert_eq!(pushed.config(platform)["config"]["Labels"]["word"], word);
    }
}

#[test]
fn the_graph_is_that_of_the_daemon_s_own_frontend() {
    let _cache = keep_cache();
    let word = unique();
    let text = format!(
        "FROM alpine AS a\nRUN echo {word} > /a\nFROM alpine\nCOPY --from=a /a /\nCOPY f /\nRUN \
         cat /f\n"
    );
    let context = folder_of(&[("Own", &text), ("Ours", &with_syntax(&text)), ("f", &word)]);
    let path = context.path().to_str().expect("UTF-8");
    let file = |name: &str| context.path().join(name).display().to_string();
    build(&["-f", &file("Own"), path]).succeeded();
    assert_all_cached(&build(&["-f", &file("Ours"), path]).succeeded().stderr);
}

#[test]
fn mistakes_and_failing_steps_are_shown_with_their_lines() {
    for (text, found) in [
        (
            "FROM alpine\nRUNN x\n",
            ["Dockerfile:3", "did you mean RUN?", ">>> RUNN x"],
        ),
        (
            "FROM alpine\nRUN exit 7\n",
            ["Dockerfile:3", "exit code: 7", ">>> RUN exit 7"],
        ),
        (
            "FROM alpine AS one\nFROM oen\n",
            ["Dockerfile:3", "(did you mean one?)", ">>> FROM oen"],
        ),
    ] {
        let context = folder_of(&[("Dockerfile", &with_syntax(text))]);
        build(&[context.path().to_str().expect("UTF-8")]).failed_with(1, &found);
    }
}

#[test]
fn warnings_reach_the_client() {
    let context = folder_of(&[("Dockerfile", &with_syntax("FROM scratch as a\nCOPY . /\n"))]);
    let built = build(&[context.path().to_str().expect("UTF-8")]).succeeded();
    for text in ["1 warning found", "FromAsCasing: ", "(line 2)"] {
        assert!(built.stderr.contains(text), "{text} in {}", built.stderr);
    }
}

/// The flag is `--call` in newer versions of docker-buildx, and `--print` in older ones.
fn ask(question: &str, context: &std::path::Path) -> Finished {
    let help = Finished::of(&mut buildx(["build", "--help"])).stdout;
    let flag = if help.contains("--call") {
        "--call"
    } else {
        "--print"
    };
    Finished::of(
        buildx(["build", &format!("{flag}={question},format=json")])
            .arg(context)
            .env("BUILDX_EXPERIMENTAL", "1"),
    )
}

#[test]
fn questions_are_answered() {
    let text = with_syntax(
        "ARG VERSION=latest\nFROM alpine:$VERSION as base\nARG WHO=me\nRUN \
         --mount=type=secret,id=key true\n",
    );
    let context = folder_of(&[("Dockerfile", &text)]);
    let answer = |question: &str| -> Value {
        let asked = ask(question, context.path()).succeeded();
        serde_json::from_str(&asked.stdout)
            .unwrap_or_else(|error| panic!("{error}: {} {}", asked.stdout, asked.stderr))
    };
    assert_eq!(answer("targets")["targets"][0]["name"], "base");
    let outline = answer("outline");
    let names: Vec<&str> = outline["args"]
        .as_array()
        .expect("arguments")
        .iter()
        .filter_map(|arg| arg["name"].as_str())
        .collect();
    assert_eq!(names, ["VERSION", "WHO"]);
    assert_eq!(outline["secrets"][0]["name"], "key");
    assert_eq!(
        answer("subrequests.describe")[0]["name"],
        "frontend.outline"
    );
    // Some versions of docker-buildx print this JSON with other text.
    let asked = ask("convertllb", context.path()).succeeded();
    let graph = asked.stdout + &asked.stderr;
    for text in ["\"def\"", "[base 2/2] RUN --mount=type=secret,id=key true"] {
        assert!(graph.contains(text), "{text} in {graph}");
    }
    ask("nonsense", context.path()).failed_with(1, &["unsupported request frontend.nonsense"]);
}

#[test]
fn named_contexts_are_folders_and_images() {
    let dockerfile = with_syntax("FROM base\nCOPY --from=more . /more\nRUN ls /more > /out\n");
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let word = unique();
    let more = folder_of(&[
        (&word, ""),
        ("b.log", ""),
        (".dockerignore", "*.log\n.dockerignore\n"),
    ]);
    let name = format!("{}:latest", Engine::get().name("named"));
    build(&[
        "--push",
        "-t",
        &name,
        "--platform=linux/amd64",
        "--build-context=base=docker-image://alpine",
        &format!("--build-context=more={}", more.path().display()),
        context.path().to_str().expect("UTF-8"),
    ])
    .succeeded();
    let out = Pushed::fetch(&name).file("linux/amd64", "/out");
    assert_eq!(out, format!("{word}\n"));
}

#[test]
fn a_target_of_a_bake_file_is_a_context_of_another() {
    let (word, dockerfile) = (unique(), with_syntax("FROM base\nRUN cp /word /$WHO\n"));
    let first = with_syntax(&format!(
        "FROM alpine\nENV WHO=out\nRUN echo {word} > /word\n"
    ));
    let context = folder_of(&[("Dockerfile", &dockerfile), ("First", &first)]);
    let name = format!("{}:latest", Engine::get().name("baked"));
    let file = format!(
        r#"target "first" {{ dockerfile = "First" }}
target "default" {{
  contexts = {{ base = "target:first" }}
  tags = ["{name}"]
  platforms = ["linux/amd64"]
  output = ["type=registry"]
}}
"#
    );
    std::fs::write(context.path().join("docker-bake.hcl"), file).expect("it can be written");
    let mut bake = buildx(["bake", "--progress=plain"]);
    Finished::of(bake.current_dir(context.path())).succeeded();
    assert_eq!(
        Pushed::fetch(&name).file("linux/amd64", "/out"),
        format!("{word}\n")
    );
}

#[test]
fn a_dockerfile_and_an_archive_are_downloaded() {
    let word = unique();
    let lone = with_syntax(&format!("FROM alpine\nRUN echo {word} > /out\n"));
    let in_archive = with_syntax("FROM alpine\nCOPY word /out\n");
    let folder = folder_of(&[
        ("x/Dockerfile", &in_archive),
        ("x/word", &format!("{word}\n")),
    ]);
    let archive = Command::new("tar")
        .args(["-czf", "-", "-C"])
        .arg(folder.path().join("x"))
        .arg(".")
        .output();
    for content in [lone.into_bytes(), archive.expect("tar is there").stdout] {
        let name = format!("{}:latest", Engine::get().name("download"));
        let url = serve(content);
        build(&["--push", "-t", &name, "--platform=linux/amd64", &url]).succeeded();
        assert_eq!(
            Pushed::fetch(&name).file("linux/amd64", "/out"),
            format!("{word}\n")
        );
    }
}

/// The URL of a server that answers every request with this content.
fn serve(content: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound port");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                content.len()
            );
            let _ = stream.write_all(head.as_bytes());
            if !request.starts_with(b"HEAD") {
                let _ = stream.write_all(&content);
            }
        }
    });
    format!("http://{address}/file")
}

#[test]
fn a_git_repository_is_a_context() {
    let word = unique();
    let dockerfile = with_syntax("FROM alpine\nCOPY word /out\n");
    let folder = folder_of(&[
        ("r/sub/Dockerfile", &dockerfile),
        ("r/sub/word", &format!("{word}\n")),
    ]);
    let repository = folder.path().join("r");
    for arguments in [
        "init -q -b main",
        "add .",
        "-c user.name=t -c user.email=t@example.com commit -qm first",
    ] {
        let mut git = Command::new("git");
        let status = git
            .args(arguments.split(' '))
            .current_dir(&repository)
            .status();
        assert!(status.expect("git is there").success());
    }
    let server = GitServer::start(folder.path());
    let name = format!("{}:latest", Engine::get().name("git"));
    let url = format!("git://127.0.0.1:{}/r#main:sub", server.port);
    build(&["--push", "-t", &name, "--platform=linux/amd64", &url]).succeeded();
    assert_eq!(
        Pushed::fetch(&name).file("linux/amd64", "/out"),
        format!("{word}\n")
    );
}

/// `git daemon`, ended when dropped.
struct GitServer {
    child: Child,
    port: u16,
}

impl GitServer {
    fn start(folder: &std::path::Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        // Not started through `git`, which would not pass on the signal to end.
        let folder_of_git = Command::new("git").arg("--exec-path").output();
        let folder_of_git = folder_of_git.expect("git is there").stdout;
        let folder_of_git = String::from_utf8_lossy(&folder_of_git).trim().to_owned();
        let child = Command::new(format!("{folder_of_git}/git-daemon"))
            .args(["--export-all", "--listen=127.0.0.1"])
            .arg(format!("--port={port}"))
            .arg(format!("--base-path={}", folder.display()))
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "safe.directory")
            .env("GIT_CONFIG_VALUE_0", "*")
            .stdin(Stdio::null())
            .spawn()
            .expect("git is there");
        for _ in 0..100 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        Self { child, port }
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_is_not_started_by_hand() {
    Finished::of(&mut crate::support::solvekit(["frontend"]))
        .failed_with(1, &["started by BuildKit", "# syntax="]);
}
