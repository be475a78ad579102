//! Many runs of the command.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::daemon::Daemon;
use crate::support::{BuilderHome, Engine, folder_of, unique};
use crate::{alone, count, files_below, row, usage};

/// The most growth of a run's peak memory, in KiB.
const GROWTH: usize = 8 << 10;

#[test]
fn runs_of_the_command_leave_nothing_behind() {
    let _turn = alone();
    let runs = count("SOAK_COMMANDS", 10);
    let own = std::env::var_os("SOAK_BUILDKITD").map(|_| Daemon::start());
    let address = own
        .as_ref()
        .map_or_else(|| Engine::get().host.clone(), Daemon::address);
    let (home, temporary) = (BuilderHome::new(), tempfile::tempdir().expect("a folder"));
    let create = ["create", "--name=far", "--driver=remote", &address];
    home.run(&create).succeeded();
    let context = folder_of(&[("Dockerfile", "FROM scratch\nCOPY word /\n")]);

    let mut warm: Option<(usize, Option<usize>)> = None;
    let mut highest = 0;
    let names = [
        "runs",
        "MiB at most",
        "temporary files",
        "files of the store",
        "daemon",
    ];
    row(&names.map(str::to_owned));
    for number in 1..=runs {
        std::fs::write(context.path().join("word"), unique()).expect("it is ours");
        let mut build = home.solvekit(&["build", "--builder=far", "-o", "type=cacheonly"]);
        build.arg(context.path()).env("TMPDIR", temporary.path());
        highest = highest.max(peak_of(&mut build));
        if number % (runs / 10).max(1) != 0 {
            continue;
        }
        let pid = own.as_ref().and_then(Daemon::pid);
        let open = pid.map(usage::descriptors);
        row(&[
            number.to_string(),
            format!("{:.1}", highest as f64 / 1024.0),
            files_below(temporary.path()).to_string(),
            files_below(&home.file("")).to_string(),
            open.map_or_else(String::new, |open| format!("{open} descriptors")),
        ]);
        assert_eq!(files_below(temporary.path()), 0, "after {number} runs");
        match warm {
            None if number * 5 >= runs => warm = Some((highest, open)),
            None => {}
            Some((memory, descriptors)) => {
                assert!(
                    highest < memory + GROWTH,
                    "{highest} KiB after {number} runs"
                );
                // The daemon closes connections a little later.
                assert!(
                    open <= descriptors.map(|count| count + 5),
                    "{open:?} after {number}"
                );
            }
        }
    }
}

/// Runs a command and returns its peak memory in KiB.
fn peak_of(command: &mut Command) -> usize {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = quiet
        .stderr(Stdio::null())
        .spawn()
        .expect("it can be started");
    let mut peak = 0;
    loop {
        peak = peak.max(usage::peak(child.id()));
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            assert!(status.success(), "{status}");
            return peak;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
