//! `docker compose build` with solvekit as the buildx plugin. Debian's compose passes its services
//! to `buildx bake`.

use std::process::Command;

use tempfile::TempDir;

use crate::support::{Engine, Finished, Pushed, folder_of, unique};

/// Compose with a configuration folder in which solvekit is the plugin `docker-buildx`.
struct Compose {
    program: String,
    configuration: TempDir,
}

impl Compose {
    fn new() -> Self {
        let program = std::env::var("COMPOSE").unwrap_or_else(|_| {
            panic!(
                "COMPOSE is not set: run `export $(tests/engine up compose)` first, or `make test`"
            )
        });
        let configuration = tempfile::tempdir().expect("a temporary folder");
        let plugins = configuration.path().join("cli-plugins");
        std::fs::create_dir(&plugins).expect("a folder can be made");
        let plugin = plugins.join("docker-buildx");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_solvekit"), plugin).expect("a link");
        Self {
            program,
            configuration,
        }
    }

    fn command(&self, folder: &TempDir, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(folder.path());
        command.env("DOCKER_CONFIG", self.configuration.path());
        let socket = Engine::get().host.trim_start_matches("docker://");
        command.env("DOCKER_HOST", format!("unix://{socket}"));
        command.env("NO_COLOR", "1");
        for name in [
            "BUILDKIT_HOST",
            "BUILDX_BUILDER",
            "BUILDX_CONFIG",
            "COMPOSE_FILE",
        ] {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, folder: &TempDir, arguments: &[&str]) -> Finished {
        Finished::of(&mut self.command(folder, arguments))
    }
}

/// `base`, and `app` for two platforms, which is based on it.
fn project(name: &str, word: &str) -> TempDir {
    folder_of(&[
        (
            "compose.yaml",
            &format!(
                r#"
name: {project}
services:
  base:
    build:
      context: base
      secrets: [hidden]
  app:
    image: {name}
    network_mode: none
    command: cat /word
    build:
      context: .
      args: {{ ITEM: one }}
      platforms: [linux/amd64, linux/386]
      additional_contexts:
        base: service:base
      labels: [made=here]
  linted:
    profiles: [lint]
    build:
      dockerfile_inline: |
        FROM alpine as x
        RUN echo {word} > /x
secrets:
  hidden: {{ environment: HIDDEN }}
"#,
                project = project_of(word),
            ),
        ),
        (
            "base/Dockerfile",
            &format!(
                "FROM alpine\nRUN --mount=type=secret,id=hidden,required echo {word} $(cat \
                 /run/secrets/hidden) > /base\n"
            ),
        ),
        (
            "Dockerfile",
            "FROM base\nARG ITEM\nRUN echo $ITEM $(cat /base) > /word\n",
        ),
    ])
}

fn project_of(word: &str) -> String {
    format!("solvekit-{word}")
}

#[test]
fn services_are_pushed_for_all_platforms_with_what_they_are_made_of() {
    let compose = Compose::new();
    let word = unique();
    let name = format!("{}:latest", Engine::get().name("compose"));
    let folder = project(&name, &word);
    let mut build = compose.command(&folder, &["build", "--push", "app"]);
    let done = Finished::of(build.env("HIDDEN", "hush")).succeeded();
    assert!(
        done.stderr.contains(&format!("{name}  Built")),
        "{}",
        done.stderr
    );
    assert!(!(done.stdout + &done.stderr).contains("hush"));
    let pushed = Pushed::fetch(&name);
    for platform in ["linux/amd64", "linux/386"] {
        assert_eq!(pushed.file(platform, "/word"), format!("one {word} hush\n"));
        let labels = pushed.config(platform)["config"]["Labels"].clone();
        assert_eq!(labels["made"], "here");
        assert_eq!(labels["com.docker.compose.service"], "app");
    }
}

#[test]
fn services_are_loaded_into_the_engine_and_run() {
    let compose = Compose::new();
    let word = unique();
    let name = format!("{}:latest", Engine::get().name("compose-run"));
    let folder = project(&name, &word);
    let mut build = compose.command(&folder, &["build", "--quiet"]);
    Finished::of(build.env("HIDDEN", "hush")).succeeded();
    let ran = compose.run(&folder, &["run", "--rm", "--no-deps", "-T", "app"]);
    // Compose itself rebuilds services that use this service as a context.
    let ran = ran.succeeded();
    assert!(
        ran.stdout.ends_with(&format!("\none {word} hush\n")),
        "{}",
        ran.stdout
    );
    // Without a change everything is cached, and compose finds the same image.
    let mut again = compose.command(&folder, &["up", "--build", "--no-start", "app"]);
    Finished::of(again.env("HIDDEN", "hush")).succeeded();
    compose.run(&folder, &["down", "--rmi=all"]).succeeded();
}

#[test]
fn a_check_builds_nothing_and_a_failure_is_reported() {
    let compose = Compose::new();
    let word = unique();
    let name = format!("{}:latest", Engine::get().name("compose-check"));
    let folder = project(&name, &word);
    let checked = compose.run(&folder, &["--profile=lint", "build", "--check", "linted"]);
    assert_eq!(
        checked.code,
        Some(1),
        "{}{}",
        checked.stdout,
        checked.stderr
    );
    let output = checked.stdout + &checked.stderr;
    assert!(output.contains("FromAsCasing"), "{output}");
    assert!(!output.contains("exporting"), "{output}");

    let printed = compose
        .run(&folder, &["build", "--print", "app"])
        .succeeded();
    let target =
        &serde_json::from_str::<serde_json::Value>(&printed.stdout).expect("JSON")["target"];
    assert_eq!(target["app"]["contexts"]["base"], "target:base");

    let broken = "FROM base\nRUN echo it fails; exit 7\n";
    std::fs::write(folder.path().join("Dockerfile"), broken).expect("it can be written");
    let mut build = compose.command(&folder, &["build", "app"]);
    let failed = Finished::of(build.env("HIDDEN", "hush"));
    let failed = failed.failed_with(1, &["exit code: 7"]);
    assert!(failed.stdout.contains("[app "), "{}", failed.stdout);
    let unknown = compose.run(&folder, &["build", "--builder=nowhere", "app"]);
    unknown.failed_with(1, &["no builder \"nowhere\" found"]);
}
