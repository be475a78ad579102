//! A builder whose nodes are a pool: two daemons, and one that hangs.

use std::os::unix::net::UnixListener;
use std::path::Path;

use tempfile::TempDir;

use crate::support::{BuilderHome, Engine, Finished, Relay, folder_of, unique};

/// A builder `pool` with the nodes `a` and `b`.
fn pool(home: &BuilderHome, a: &Relay) {
    let create = ["create", "--name=pool", "--driver=remote"];
    let first = ["--placement=pool", "--node=a", a.address()];
    home.run(&[&create[..], &first].concat()).succeeded();
    let second = ["--append", "--node=b", &Engine::get().second];
    home.run(&[&create[..], &second].concat()).succeeded();
}

fn context() -> TempDir {
    folder_of(&[
        ("Dockerfile", "FROM scratch\nCOPY word /\n"),
        ("word", &unique()),
    ])
}

fn build(home: &BuilderHome, context: &Path) -> Finished {
    let mut build = home.solvekit(&["build", "--progress=plain", "--builder=pool"]);
    build.args(["-o", "type=cacheonly"]).arg(context);
    Finished::of(&mut build).succeeded()
}

/// The node on which a build ran, from its output.
fn node(built: &Finished) -> String {
    let (_, rest) = built
        .stderr
        .split_once("building on the node ")
        .unwrap_or_else(|| panic!("{}", built.stderr));
    rest.split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut git = std::process::Command::new("git");
    let status = git.arg("-C").arg(folder).args(arguments).status();
    assert!(status.is_ok_and(|status| status.success()), "{arguments:?}");
}

#[test]
fn a_context_has_one_node_of_a_pool_wherever_it_is_checked_out() {
    let (home, relay) = (BuilderHome::new(), Relay::unix());
    pool(&home, &relay);
    let inspected = home.run(&["inspect", "pool"]).succeeded();
    assert!(
        inspected.stdout.contains("Placement:"),
        "{}",
        inspected.stdout
    );
    // Each node is the first choice of half of all projects.
    let mut taken = std::collections::BTreeSet::new();
    for project in 0..64 {
        let checkouts = [context(), context()];
        let nodes = checkouts.each_ref().map(|checkout| {
            git(checkout.path(), &["init", "--quiet"]);
            let url = format!("https://git.test/team/project{project}");
            git(checkout.path(), &["remote", "add", "origin", &url]);
            node(&build(&home, checkout.path()))
        });
        assert_eq!(nodes[0], nodes[1], "project {project}");
        taken.extend(nodes);
        if taken.len() == 2 && project >= 3 {
            break;
        }
    }
    assert_eq!(taken.len(), 2, "both nodes have projects");
}

#[test]
fn a_node_of_a_pool_that_hangs_is_passed_over_and_remembered() {
    let (home, relay) = (BuilderHome::new(), Relay::unix());
    pool(&home, &relay);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("hangs.sock");
    // It accepts connections and never answers.
    let _hangs = UnixListener::bind(&socket).expect("a socket");
    let address = format!("unix://{}", socket.display());
    let create = ["create", "--name=pool", "--append", "--node=c", &address];
    home.run(&create).succeeded();

    let (first, second) = (context(), context());
    for context in [&first, &second] {
        let built = build(&home, context.path());
        let printed = "the node c of the builder pool does not answer, and is left out";
        assert!(built.stderr.contains(printed), "{}", built.stderr);
        assert!(
            ["a", "b"].contains(&node(&built).as_str()),
            "{}",
            built.stderr
        );
    }
    let health = home.file("health/pool");
    let text = std::fs::read_to_string(&health).expect("it is remembered");
    // The second build came while the node was avoided, so it does not count.
    assert!(text.starts_with(r#"{"c":{"failures":1,"#), "{text}");

    // Failures to connect are recorded too; removing the builder removes the record.
    relay.set_away(true);
    assert_eq!(left_out(&build(&home, first.path())), ["a", "c"]);
    let text = std::fs::read_to_string(&health).expect("it is remembered");
    assert!(text.starts_with(r#"{"a":{"failures":1,"#), "{text}");
    home.run(&["rm", "pool"]).succeeded();
    assert!(!health.exists());
}

/// The nodes that a build did not use.
fn left_out(built: &Finished) -> Vec<String> {
    let lines = built.stderr.lines();
    let left_out = lines.filter_map(|line| line.split_once("WARNING: the node "));
    let names = left_out.filter_map(|(_, rest)| rest.split_whitespace().next());
    names.map(str::to_owned).collect()
}

#[test]
fn buildx_uses_a_builder_that_is_a_pool() {
    let (home, relay) = (BuilderHome::new(), Relay::unix());
    pool(&home, &relay);
    let seen = home.buildx(&["inspect", "pool"]);
    assert!(seen.stdout.contains(relay.address()), "{}", seen.stdout);
}
