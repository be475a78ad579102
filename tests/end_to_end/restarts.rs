//! A daemon that restarts in the middle of a build.

use std::time::Duration;

use crate::support::{OwnEngine, Relay, Running, folder_of, solvekit, unique};

#[test]
fn a_build_resumes_when_its_engine_is_restarted_in_an_orderly_way() {
    let mut engine = OwnEngine::start();
    let word = unique();
    let dockerfile = format!(
        "FROM alpine\nRUN --network=none echo {word}-$((0+1))\n\
         RUN --network=none echo {word}-$((1+1)); sleep 6\n\
         RUN --network=none echo {word}-$((1+2))\n"
    );
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let start = |reconnect: &str| {
        let mut build = solvekit(["build", "--progress=plain", "--reconnect", reconnect]);
        build
            .args(["--addr", &engine.address()])
            .arg(context.path());
        Running::start(&mut build)
    };
    let mut build = start("60s");
    let mut never = start("0");
    build.until(&format!("{word}-2"));
    never.until(&format!("{word}-2"));
    engine.restart();
    let built = build.wait().succeeded();
    for text in [
        "waiting for the daemon, up to 60 seconds",
        "building again from its cache",
    ] {
        assert!(built.stderr.contains(text), "{text}: {}", built.stderr);
    }
    // The finished steps are not run again.
    let first = format!("{word}-1\n");
    assert_eq!(built.stderr.matches(&first).count(), 1, "{}", built.stderr);
    assert!(
        built.stderr.contains(&format!("{word}-3\n")),
        "{}",
        built.stderr
    );

    let never = never.wait();
    assert_eq!(never.code, Some(1), "{}", never.stderr);
    assert!(
        !never.stderr.contains("waiting for the daemon"),
        "{}",
        never.stderr
    );
}

#[test]
fn a_daemon_is_waited_for_as_long_as_it_is_said() {
    let relay = Relay::unix();
    let word = unique();
    let dockerfile = format!("FROM alpine\nRUN --network=none echo {word}-$((0+1)); sleep 15\n");
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let start = |reconnect: &str| {
        let mut build = solvekit(["build", "--progress=plain", "--reconnect", reconnect]);
        build.args(["-o", "type=cacheonly", "--addr", relay.address()]);
        Running::start(build.arg(context.path()))
    };
    let (mut patient, mut hasty) = (start("60s"), start("3s"));
    patient.until(&format!("{word}-1"));
    hasty.until(&format!("{word}-1"));
    relay.set_away(true);
    // Longer than the default time limit for a lost daemon.
    std::thread::sleep(Duration::from_secs(12));
    relay.set_away(false);
    let built = patient.wait().succeeded();
    assert!(
        built.stderr.contains("building again from its cache"),
        "{}",
        built.stderr
    );
    hasty.wait().failed_with(1, &["was lost"]);
}
