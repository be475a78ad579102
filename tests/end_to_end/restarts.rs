//! A daemon that restarts or hangs in the middle of a build.

use std::time::Duration;

use crate::support::{
    BuilderHome, Fault, FaultyRegistry, Finished, OwnEngine, Relay, Running, folder_of, solvekit,
    unique,
};

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
fn a_daemon_is_awaited_until_the_time_limit() {
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

/// The time limit for a silent daemon is a minute.
#[test]
fn a_build_resumes_when_its_daemon_hung_and_answers_again() {
    let relay = Relay::unix();
    let word = unique();
    let dockerfile = format!(
        "FROM alpine\nRUN --network=none echo {word}-$((0+1))\n\
         RUN --network=none echo {word}-$((1+1)); sleep 10\n"
    );
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let start = |reconnect: &str| {
        let mut build = solvekit(["build", "--progress=plain", "--reconnect", reconnect]);
        build.args(["-o", "type=cacheonly", "--addr", relay.address()]);
        Running::start(build.arg(context.path()))
    };
    let (mut patient, mut never) = (start("120s"), start("0"));
    patient.until(&format!("{word}-2"));
    never.until(&format!("{word}-2"));
    relay.set_hanging(true);
    let silent = format!(
        "{} sent nothing for 60 seconds, although it was asked",
        relay.address()
    );
    let noticed = "sent nothing for 30 seconds, although it was asked: after 60 seconds it counts";
    never.wait().failed_with(1, &[noticed, "was lost", &silent]);
    patient.until("waiting for the daemon, up to 120 seconds");
    relay.set_hanging(false);
    let built = patient.wait().succeeded();
    let text = "building again from its cache";
    assert!(built.stderr.contains(text), "{}", built.stderr);
}

#[test]
fn the_user_says_how_long_a_daemon_may_be_silent() {
    let engine = OwnEngine::start();
    let word = unique();
    let dockerfile = format!("FROM alpine\nRUN --network=none echo {word}-$((0+1)); sleep 10\n");
    let context = folder_of(&[("Dockerfile", &dockerfile)]);
    let start = |limit: &str| {
        let mut build = solvekit(["build", "--progress=plain", "--reconnect=0"]);
        build.args(["--daemon-timeout", limit, "--addr", &engine.address()]);
        Running::start(build.arg(context.path()))
    };
    let (mut hasty, mut patient) = (start("4s"), start("0"));
    hasty.until(&format!("{word}-1"));
    patient.until(&format!("{word}-1"));
    engine.freeze();
    let lost = format!(
        "{} sent nothing for 4 seconds, although it was asked",
        engine.address()
    );
    let advice = "--daemon-timeout 10m waits longer";
    let failed = hasty.wait().failed_with(1, &["was lost", &lost, advice]);
    let noticed = "has sent nothing for 30 seconds, although it was asked";
    assert!(!failed.stderr.contains(noticed), "{}", failed.stderr);
    // Without a limit the build waits, says so, and needs no second attempt.
    patient.until(&format!("{noticed}: the build waits until it answers"));
    engine.thaw();
    let built = patient.wait().succeeded();
    for text in ["was lost", "building again"] {
        assert!(!built.stderr.contains(text), "{text}: {}", built.stderr);
    }
}

#[test]
fn a_push_that_may_be_complete_is_named_when_the_daemon_is_lost() {
    let down = Fault::Status("503 Service Unavailable", "");
    let registry = FaultyRegistry::failing(down, &["PUT", "/manifests/"], 1000);
    let relay = Relay::unix();
    let context = small_context();
    let name = registry.name(&format!("lost/{}:1", unique()));
    let mut build = solvekit(["build", "--progress=plain", "--reconnect=0", "--push", "-t"]);
    build.args([&name, "--addr", relay.address()]);
    let mut build = Running::start(build.arg(context.path()));
    build.until_true("a push of the manifest", |_| {
        !registry.requests(&["PUT", "/manifests/"]).is_empty()
    });
    relay.cut();
    let note = format!("lost after its push began: the registry may have {name} now");
    build.wait().failed_with(1, &["was lost", &note]);
}

/// A context with one file, which needs no image.
fn small_context() -> tempfile::TempDir {
    let word = unique();
    let bake = "target \"default\" {}\n";
    folder_of(&[
        ("Dockerfile", "FROM scratch\nCOPY word /\n"),
        ("word", &word),
        ("docker-bake.hcl", bake),
    ])
}

#[test]
fn build_and_bake_wait_for_an_engine_that_is_started_later() {
    let mut engine = OwnEngine::start();
    engine.stop();
    let context = small_context();
    let start = |verb: &str, reconnect: Option<&str>| {
        let mut command = solvekit([verb, "--progress=plain", "--addr", &engine.address()]);
        command.current_dir(context.path());
        if let Some(time) = reconnect {
            command.args(["--reconnect", time]);
        }
        if verb == "build" {
            command.args(["-o", "type=cacheonly", "."]);
        }
        Running::start(&mut command)
    };
    let hasty = start("build", None).wait();
    assert_eq!(hasty.code, Some(1), "{}", hasty.stderr);
    assert!(hasty.took < Duration::from_secs(4), "{:?}", hasty.took);
    assert!(!hasty.stderr.contains("waiting"), "{}", hasty.stderr);

    let mut waiting: Vec<Running> = ["build", "bake", "build"]
        .map(|verb| start(verb, Some("60s")))
        .into();
    for command in &mut waiting {
        command.until("waiting for the daemon, up to 60 seconds: cannot connect to BuildKit at");
    }
    // Ctrl-C ends the wait at once.
    let interrupted = waiting.pop().expect("three commands");
    let began = std::time::Instant::now();
    interrupted.interrupt();
    interrupted.wait().failed_with(130, &[]);
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );

    std::thread::sleep(Duration::from_secs(3));
    engine.start_again();
    for command in waiting {
        let built = command.wait().succeeded();
        assert!(
            built.stderr.contains("the daemon answers after"),
            "{}",
            built.stderr
        );
    }
}

#[test]
fn the_wait_ends_when_its_time_is_over() {
    let relay = Relay::unix();
    relay.set_away(true);
    let context = small_context();
    let mut build = solvekit(["build", "--reconnect=2s", "--addr", relay.address()]);
    let failed = Finished::of(build.args(["-o", "type=cacheonly"]).arg(context.path()));
    let failed = failed.failed_with(1, &["waiting for the daemon, up to 2 seconds"]);
    let seconds = failed.took.as_secs_f64();
    assert!((1.9..5.0).contains(&seconds), "{seconds}");
    // A malformed address fails at once.
    let mut build = solvekit(["build", "--reconnect=60s", "--addr", "tcp://"]);
    let failed = Finished::of(build.arg(context.path()));
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert!(failed.took < Duration::from_secs(5), "{:?}", failed.took);
}

#[test]
fn a_build_on_several_nodes_waits_until_one_is_there() {
    let home = BuilderHome::new();
    let relays = [Relay::unix(), Relay::unix()];
    for (place, relay) in relays.iter().enumerate() {
        let node = format!("node{place}");
        let mut create = vec![
            "create",
            "--name=several",
            "--driver=remote",
            "--node",
            &node,
        ];
        if place > 0 {
            create.push("--append");
        }
        create.push(relay.address());
        home.run(&create).succeeded();
        relay.set_away(true);
    }
    let context = small_context();
    let mut build = home.solvekit(&["build", "--progress=plain", "--reconnect=60s"]);
    build.args(["--builder=several", "-o", "type=cacheonly"]);
    let mut build = Running::start(build.arg(context.path()));
    build.until("waiting for the daemon, up to 60 seconds");
    std::thread::sleep(Duration::from_secs(2));
    relays[1].set_away(false);
    let built = build.wait().succeeded();
    for text in [
        "the daemon answers after",
        "the node node0 of the builder several does not answer",
    ] {
        assert!(built.stderr.contains(text), "{text}: {}", built.stderr);
    }
}
