//! Named builders: created, selected, listed, used and removed, by solvekit and by buildx in the
//! same store.

use std::path::Path;

use serde_json::Value;

use crate::support::{BuilderHome, Certificates, Finished, Relay, copy_of};

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("the file is there")).expect("JSON")
}

#[test]
fn a_builder_is_made_chosen_used_and_removed() {
    let relay = Relay::unix();
    let home = BuilderHome::new();
    let create = [
        "create",
        "--use",
        "--name=near",
        "--driver=remote",
        relay.address(),
    ];
    let made = home.run(&create).succeeded();
    assert_eq!(made.stdout, "near\n");

    let listed = home.run(&["ls"]).succeeded().stdout;
    let line = |name: &str| {
        listed
            .lines()
            .find(|line| line.trim_start().starts_with(name))
    };
    assert!(
        line("near*").is_some_and(|line| line.contains("remote")),
        "{listed}"
    );
    assert!(
        line("\\_ near0").is_some_and(|line| line.contains("running")),
        "{listed}"
    );

    let context = copy_of(Path::new("examples/hello"));
    let metadata = context.path().join("metadata.json");
    let mut build = home.solvekit(&["build", "--progress=plain", "-o", "type=cacheonly"]);
    build
        .arg("--metadata-file")
        .arg(&metadata)
        .arg(context.path());
    let built = Finished::of(&mut build).succeeded();
    assert!(
        built
            .stderr
            .contains("#0 building with \"near\" instance using remote driver"),
        "{}",
        built.stderr
    );
    assert!(relay.carried() > 0);
    let reference = json(&metadata)["buildx.build.ref"]
        .as_str()
        .expect("text")
        .to_owned();
    assert!(reference.starts_with("near/near0/"), "{reference}");
    let state = json(&home.file("refs").join(&reference));
    assert_eq!(state["LocalPath"], context.path().to_str().expect("text"));

    let inspected = home.run(&["inspect"]).succeeded().stdout;
    for text in [
        "Name:          near",
        "Driver:        remote",
        "Status:           running",
        "Platforms:",
    ] {
        assert!(
            inspected.contains(text),
            "{text:?} is missing in:\n{inspected}"
        );
    }
    home.run(&["du"]).succeeded();
    let removed = home.run(&["rm", "near"]).succeeded();
    assert_eq!(removed.stderr, "near removed\n");
    assert!(!home.file("instances/near").exists());
    assert!(!home.file("refs/near").exists());
}

#[test]
fn a_builder_made_here_is_buildx_s_too() {
    let relay = Relay::unix();
    let home = BuilderHome::new();
    home.run(&[
        "create",
        "--use",
        "--name",
        "ours",
        "--platform",
        "linux/arm64",
        relay.address(),
    ])
    .succeeded();
    let listed = home.buildx(&["ls"]).stdout;
    assert!(
        listed.lines().any(|line| line.starts_with("ours*")),
        "{listed}"
    );
    let inspected = home.buildx(&["inspect", "ours"]);
    assert!(
        inspected.stdout.contains("linux/arm64*"),
        "{}",
        inspected.stdout
    );
    assert!(inspected.stdout.contains("running"), "{}", inspected.stdout);
    home.buildx(&["rm", "ours"]);
    assert!(!home.file("instances/ours").exists());
}

#[test]
fn a_builder_made_by_buildx_is_ours_too() {
    let relay = Relay::unix();
    let home = BuilderHome::new();
    let create = [
        "create",
        "--use",
        "--name",
        "theirs",
        "--driver",
        "remote",
        relay.address(),
    ];
    home.buildx(&create);
    home.run(&["workers"]).succeeded();
    assert!(relay.carried() > 0);
    home.run(&["inspect", "theirs"]).succeeded();
    home.run(&[
        "create",
        "--append",
        "--name",
        "theirs",
        "tcp://localhost:9",
    ])
    .succeeded();
    let listed = home.buildx(&["ls"]).stdout;
    assert!(listed.contains("theirs1"), "{listed}");
    home.run(&["create", "--leave", "--name", "theirs", "--node", "theirs1"])
        .succeeded();
    home.run(&["rm", "theirs"]).succeeded();
}

#[test]
fn the_builder_of_the_flag_goes_before_that_of_the_environment() {
    let (flag, variable) = (Relay::unix(), Relay::unix());
    let home = BuilderHome::new();
    home.run(&["create", "--name", "one", flag.address()])
        .succeeded();
    home.run(&["create", "--name", "two", variable.address()])
        .succeeded();
    let mut workers = home.solvekit(&["workers"]);
    Finished::of(workers.env("BUILDX_BUILDER", "two")).succeeded();
    assert!(variable.carried() > 0 && flag.carried() == 0);
    let mut workers = home.solvekit(&["--builder", "one", "workers"]);
    Finished::of(workers.env("BUILDX_BUILDER", "two")).succeeded();
    assert!(flag.carried() > 0);
    home.run(&["--builder", flag.address(), "workers"])
        .succeeded();
}

#[test]
fn a_node_that_does_not_answer_is_left_out() {
    let relay = Relay::unix();
    let home = BuilderHome::new();
    home.run(&["create", "--name", "two", "unix:///nowhere/buildkitd.sock"])
        .succeeded();
    home.run(&["create", "--append", "--name", "two", relay.address()])
        .succeeded();
    home.run(&["--builder", "two", "workers"]).succeeded();
    assert!(relay.carried() > 0);
    let context = copy_of(Path::new("examples/hello"));
    let path = context.path().to_str().expect("text");
    home.run(&[
        "--builder",
        "two",
        "build",
        "--platform",
        "plan9/amd64",
        path,
    ])
    .failed_with(1, &["two0", "plan9/amd64", "--append"]);
}

#[test]
fn a_builder_brings_its_certificates() {
    let certificates = Certificates::make();
    let relay = Relay::tls(&certificates);
    let home = BuilderHome::new();
    let options = ["cacert=ca.pem", "cert=cert.pem", "key=key.pem"].map(|option| {
        let (name, file) = option.split_once('=').expect("NAME=FILE");
        format!("{name}={}", certificates.path(file).display())
    });
    let mut create = home.solvekit(&["create", "--name", "far", "--driver", "remote"]);
    create.args([
        "--driver-opt",
        &options.join(","),
        "--driver-opt",
        "servername=localhost",
    ]);
    Finished::of(create.arg(relay.address())).succeeded();
    home.run(&["--builder", "far", "workers"]).succeeded();
    assert!(relay.carried() > 0);
}

#[test]
fn mistakes_are_reported_with_what_there_is() {
    let home = BuilderHome::new();
    home.run(&["create", "--name", "mybuilder", "tcp://localhost:9"])
        .succeeded();
    let refused = |arguments: &[&str], texts: &[&str]| {
        home.run(arguments).failed_with(1, texts);
    };
    refused(
        &["--builder", "mybulder", "workers"],
        &["did you mean mybuilder?"],
    );
    refused(&["inspect", "mybulder"], &["mybuilder"]);
    refused(&["use", "other"], &["other", "mybuilder"]);
    refused(&["create", "--name", "a/b"], &["a/b", "letter"]);
    refused(&["create", "--name", "default"], &["default"]);
    refused(
        &["create", "--name", "mybuilder", "tcp://localhost:8"],
        &["--append"],
    );
    refused(
        &["create", "--driver", "docker"],
        &["docker context create"],
    );
    refused(
        &["create", "--driver", "dokcer-container"],
        &["docker-container"],
    );
    refused(
        &[
            "create",
            "--driver",
            "remote",
            "--driver-opt",
            "cacrt=/x",
            "tcp://h:1",
        ],
        &["cacrt", "did you mean cacert?", "servername"],
    );
    refused(&["ls", "--format", "{{.Nme}}"], &["Nme"]);
    refused(&["rm", "default"], &["docker context rm"]);
    refused(
        &[
            "create",
            "--leave",
            "--name",
            "mybuilder",
            "--node",
            "mybuilder0",
        ],
        &["solvekit rm mybuilder"],
    );
}

#[test]
fn a_broken_file_is_named_and_left_alone() {
    let home = BuilderHome::new();
    home.run(&["create", "--name", "good", "tcp://localhost:9"])
        .succeeded();
    std::fs::write(home.file("instances/bad"), "{").expect("it can be written");
    let listed = home.run(&["ls"]).succeeded();
    assert!(listed.stdout.contains("good"), "{}", listed.stdout);
    assert!(listed.stderr.contains("instances/bad"), "{}", listed.stderr);
    home.run(&["inspect", "bad"])
        .failed_with(1, &["instances/bad", "mv "]);
    assert_eq!(
        std::fs::read(home.file("instances/bad")).expect("it is there"),
        b"{"
    );
}

#[test]
fn two_processes_change_the_store_at_once() {
    let home = BuilderHome::new();
    home.run(&["create", "--name", "many", "tcp://localhost:1"])
        .succeeded();
    std::thread::scope(|scope| {
        for port in 2..8 {
            let home = &home;
            scope.spawn(move || {
                let endpoint = format!("tcp://localhost:{port}");
                home.run(&["create", "--append", "--name", "many", &endpoint])
                    .succeeded();
            });
        }
    });
    let nodes = json(&home.file("instances/many"))["Nodes"]
        .as_array()
        .expect("a list")
        .len();
    assert_eq!(nodes, 7);
}

#[test]
fn a_store_that_cannot_be_written_is_reported() {
    let home = BuilderHome::new();
    std::fs::write(home.path("buildx"), "a file").expect("it can be written");
    home.run(&["create", "--name", "one", "tcp://localhost:9"])
        .failed_with(1, &["buildx", "BUILDX_CONFIG"]);
}

#[test]
fn builders_are_listed_by_a_template_and_as_json() {
    let relay = Relay::unix();
    let home = BuilderHome::new();
    home.run(&["create", "--use", "--name", "near", relay.address()])
        .succeeded();
    let listed = home
        .run(&["ls", "--format", "{{.Name}}={{.Status}}"])
        .succeeded()
        .stdout;
    assert!(listed.contains("near0=running\n"), "{listed}");
    let listed = home.run(&["ls", "--format=json"]).succeeded().stdout;
    let first: Value = serde_json::from_str(listed.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["Name"], "near");
    assert_eq!(first["Current"], true);
    assert_eq!(first["Nodes"][0]["Status"], "running");
}

#[test]
fn a_context_of_the_docker_cli_is_a_builder() {
    let Some(socket) = crate::support::Engine::get().host.strip_prefix("docker://") else {
        return;
    };
    let home = BuilderHome::new();
    // The folder's name is the SHA-256 of "there".
    let id = "e244f187f696561d5fd7e00f618e7ba641dc52e3c137380f6fa23a854b773aac";
    let folder = home.path("contexts/meta").join(id);
    std::fs::create_dir_all(&folder).expect("a folder");
    let meta = format!(
        r#"{{"Name":"there","Metadata":{{}},"Endpoints":{{"docker":{{"Host":"unix://{socket}"}}}}}}"#
    );
    std::fs::write(folder.join("meta.json"), meta).expect("it can be written");
    let listed = home.run(&["ls"]).succeeded().stdout;
    assert!(listed.contains("there"), "{listed}");
    home.run(&["--builder", "there", "workers"]).succeeded();
    home.run(&["use", "there"])
        .failed_with(1, &["docker context use there"]);
}
