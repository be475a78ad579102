//! Builders with the docker-container driver on the real engine, with a stand-in for BuildKit's
//! image.

use std::path::Path;

use crate::support::{
    BuilderHome, Engine, Finished, Relay, Running, copy_of, stand_in_image, unique,
};

/// A builder that is removed with its container, even if the test fails.
struct Made<'a> {
    home: &'a BuilderHome,
    name: String,
    relay: Relay,
}

impl<'a> Made<'a> {
    fn new(home: &'a BuilderHome, more: &[&str]) -> Self {
        let relay = Relay::tcp();
        let name = format!("b{}", unique());
        let upstream = relay.address().replace("localhost", "127.0.0.1");
        let options = format!(
            "image={},network=host,env.UPSTREAM={upstream}",
            stand_in_image()
        );
        let mut create = vec!["create", "--name", &name, "--driver", "docker-container"];
        create.extend(["--driver-opt", &options]);
        create.extend(more);
        let made = home.run(&create).succeeded();
        assert_eq!(made.stdout.trim_end(), name);
        Self { home, name, relay }
    }

    /// The output of a script in the container.
    fn inside(&self, script: &str) -> String {
        let socket = Engine::get()
            .host
            .strip_prefix("docker://")
            .expect("an engine");
        let container = format!("buildx_buildkit_{}", self.node());
        crate::support::in_container(socket, &container, &["sh", "-c", script])
    }

    fn node(&self) -> String {
        format!("{}0", self.name)
    }
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        let _ = self.home.run(&["rm", &self.name]);
    }
}

/// The builders of a Docker engine; `None` for a daemon without containers.
fn home() -> Option<BuilderHome> {
    let socket = Engine::get().host.strip_prefix("docker://")?;
    Some(BuilderHome::with_engine(&format!("unix://{socket}")))
}

#[test]
fn a_container_is_started_used_stopped_and_removed() {
    let Some(home) = home() else { return };
    let made = Made::new(&home, &["--use", "--buildkitd-flags=--debug"]);
    let listed = home.run(&["ls"]).succeeded().stdout;
    let node = format!("\\_ {}", made.node());
    let line = listed
        .lines()
        .find(|line| line.trim_start().starts_with(&node));
    assert!(
        line.is_some_and(|line| line.contains("inactive")),
        "{listed}"
    );

    let context = copy_of(Path::new("examples/hello"));
    let path = context.path().to_str().expect("text");
    let built = home
        .run(&["build", "--progress=plain", "-o", "type=cacheonly", path])
        .succeeded();
    for text in [
        "pulling image",
        &format!("creating container buildx_buildkit_{}", made.node()),
        &format!(
            "building with {:?} instance using docker-container driver",
            made.name
        ),
    ] {
        assert!(
            built.stderr.contains(text),
            "{text:?} is missing in:\n{}",
            built.stderr
        );
    }
    assert!(made.relay.carried() > 0);

    let inspected = home.run(&["inspect"]).succeeded().stdout;
    for text in [
        "docker-container",
        "running",
        "--debug",
        "--allow-insecure-entitlement=network.host",
    ] {
        assert!(
            inspected.contains(text),
            "{text:?} is missing in:\n{inspected}"
        );
    }
    let theirs = home.buildx(&["inspect", &made.name]).stdout;
    assert!(theirs.contains("running"), "{theirs}");

    home.run(&["stop"]).succeeded();
    let inspected = home.run(&["inspect"]).succeeded().stdout;
    assert!(inspected.contains("stopped"), "{inspected}");
    home.run(&["build", "--progress=plain", "-o", "type=cacheonly", path])
        .succeeded();
    home.run(&["rm", &made.name]).succeeded();
    home.run(&["--builder", &made.name, "workers"])
        .failed_with(1, &[&made.name]);
}

#[test]
fn a_workflow_of_github_is_known_to_the_daemon() {
    let Some(home) = home() else { return };
    let event = home.path("event.json");
    std::fs::write(&event, r#"{"after":"abc"}"#).expect("it can be written");
    let boot = |made: &Made<'_>| {
        let mut command = home.solvekit(&["inspect", "--bootstrap", &made.name]);
        command.env("GITHUB_ACTIONS", "true");
        command
            .env("GITHUB_EVENT_NAME", "push")
            .env("GITHUB_EVENT_PATH", &event);
        Finished::of(&mut command).succeeded();
        made.inside("cat /etc/buildkit/provenance.d/github_actions_context.json")
    };
    let made = Made::new(&home, &[]);
    let text = boot(&made);
    assert!(text.contains(r#""github_event_name":"push""#), "{text}");
    let made = Made::new(&home, &["--driver-opt", "provenance-add-gha=false"]);
    let text = boot(&made);
    assert!(!text.contains("github_event_name"), "{text}");
}

#[test]
fn an_option_without_effect_is_reported() {
    let Some(home) = home() else { return };
    let name = format!("b{}", unique());
    let option = "allow-untrusted-image=true";
    let create = [
        "create",
        "--name",
        &name,
        "--driver",
        "docker-container",
        "--driver-opt",
        option,
    ];
    let made = home.run(&create).succeeded();
    assert!(
        made.stderr
            .contains("WARNING: the option allow-untrusted-image"),
        "{}",
        made.stderr
    );
    home.run(&["rm", &name]).succeeded();
}

#[test]
fn a_configuration_is_put_in_place_with_its_certificates() {
    let Some(home) = home() else { return };
    let path = home.path("buildkitd.toml");
    let ca = Engine::get().ca.display();
    let text = format!(
        "debug = true\n[registry.\"docker.io\"]\n  mirrors = [\"mirror.cluster.k8s\"]\n  http = \
         true\n  insecure = true\n\
         [registry.\"{}\"]\n  ca = [\"{ca}\"]\n",
        Engine::get().registry_tls
    );
    std::fs::write(&path, text).expect("it can be written");
    let made = Made::new(
        &home,
        &["--config", path.to_str().expect("text"), "--bootstrap"],
    );
    let inspected = home.run(&["inspect", &made.name]).succeeded().stdout;
    for text in [
        "File#buildkitd.toml:",
        "> debug = true",
        "File#certs/",
        "/etc/buildkit/certs/",
    ] {
        assert!(
            inspected.contains(text),
            "{text:?} is missing in:\n{inspected}"
        );
    }
    // The stand-in has recorded its flags and its files.
    let flags = made.inside("cat /var/lib/buildkit/flags");
    assert!(
        flags.starts_with("--config /etc/buildkit/buildkitd.toml"),
        "{flags}"
    );
    let files = made.inside("find /etc/buildkit -type f");
    assert!(files.contains("/etc/buildkit/buildkitd.toml"), "{files}");
    assert!(
        files.contains("/etc/buildkit/certs/localhost_5443/ca.pem"),
        "{files}"
    );

    std::fs::write(&path, "[registry.\"docker.io\"]\nmirors = [\"x\"]\n").expect("it is ours");
    home.run(&[
        "create",
        "--name",
        "wrong",
        "--config",
        path.to_str().expect("text"),
    ])
    .failed_with(1, &["mirors", "did you mean mirrors?", "buildkitd.toml"]);
}

#[test]
fn a_builder_of_buildx_is_started_here_and_removed_there() {
    let Some(home) = home() else { return };
    let relay = Relay::tcp();
    let name = format!("b{}", unique());
    let upstream = relay.address().replace("localhost", "127.0.0.1");
    let options = format!(
        "image={},network=host,env.UPSTREAM={upstream}",
        stand_in_image()
    );
    let create = [
        "create",
        "--name",
        &name,
        "--driver",
        "docker-container",
        "--driver-opt",
        &options,
    ];
    home.buildx(&create);
    home.run(&["inspect", "--bootstrap", &name]).succeeded();
    home.run(&["--builder", &name, "workers"]).succeeded();
    assert!(relay.carried() > 0);
    home.buildx(&["rm", &name]);
    assert!(!home.file(&format!("instances/{name}")).exists());
}

#[test]
fn an_image_that_is_not_there_is_named() {
    let Some(home) = home() else { return };
    let name = format!("b{}", unique());
    let image = format!("{}/test/none:{}", Engine::get().registry, unique());
    let option = format!("image={image}");
    home.run(&["create", "--name", &name, "--driver-opt", &option])
        .succeeded();
    home.run(&["inspect", "--bootstrap", &name])
        .failed_with(1, &["pull the image", &image]);
    home.run(&["rm", &name]).succeeded();
}

#[test]
fn an_interrupted_start_names_the_container() {
    let Some(home) = home() else { return };
    let name = format!("b{}", unique());
    // Nothing answers there, so the start lasts until it is given up.
    let options = format!(
        "image={},network=host,env.UPSTREAM=127.0.0.1:1",
        stand_in_image()
    );
    let create = ["create", "--bootstrap", "--name", &name, "--driver"];
    let create = create.into_iter().chain(["docker-container"]);
    let create: Vec<&str> = create.chain(["--driver-opt", &options]).collect();
    let mut starting = Running::start(&mut home.solvekit(&create));
    starting.until("starting container");
    std::thread::sleep(std::time::Duration::from_secs(2));
    starting.interrupt();
    let left = format!(
        "interrupted: the builder {name} exists, and the container buildx_buildkit_{name}0 remains"
    );
    let removal = format!("solvekit rm {name} removes it");
    starting.wait().failed_with(130, &[&left, &removal]);
    home.run(&["rm", &name]).succeeded();
}

#[test]
fn mistakes_in_options_are_reported_before_anything_is_made() {
    let Some(home) = home() else { return };
    let refused = |option: &str, texts: &[&str]| {
        home.run(&["create", "--name", "wrong", "--driver-opt", option])
            .failed_with(1, texts);
        assert!(!home.file("instances/wrong").exists());
    };
    refused("imge=x", &["did you mean image?", "cpuset-cpus"]);
    refused("memory=much", &["memory", "much"]);
    refused("restart-policy=sometimes", &["unless-stopped"]);
    let nowhere = BuilderHome::new();
    nowhere
        .run(&["create", "--name", "wrong"])
        .failed_with(1, &["/nowhere/docker.sock"]);
    assert!(!nowhere.file("instances/wrong").exists());
}

#[test]
fn a_question_about_the_cache_starts_no_container_in_buildx_s_place() {
    let Some(home) = home() else { return };
    let made = Made::new(&home, &[]);
    let refused = |arguments: &[&str], expected: &str| {
        let mut command = home.solvekit(arguments);
        std::os::unix::process::CommandExt::arg0(&mut command, "/usr/bin/buildx");
        let asked = Finished::of(command.args(["--builder", &made.name]));
        assert_eq!(asked.code, Some(1), "{}", asked.stderr);
        let error = format!("ERROR: Error response from daemon: {expected}\n");
        assert!(asked.stderr.starts_with(&error), "{}", asked.stderr);
    };
    let container = format!("buildx_buildkit_{}", made.node());
    for arguments in [&["du"][..], &["prune", "-f"]] {
        refused(arguments, &format!("No such container: {container}"));
    }
    home.run(&["inspect", "--bootstrap", &made.name])
        .succeeded();
    home.run(&["stop", &made.name]).succeeded();
    refused(&["du"], &format!("container {container} is not running"));
}
