//! Kills daemons at random times during builds.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::daemon::Daemon;
use crate::support::{Engine, Finished, Pushed, Running, folder_of, solvekit, unique};
use crate::{alone, count, row};

/// The number of files in an image.
const FILES: usize = 12;
/// The time in which a command must end after its daemon was killed.
const LIMIT: Duration = Duration::from_secs(10);

/// The files of a build. Each repeats one line, so that an incomplete file is recognized.
struct Content {
    context: TempDir,
    files: BTreeMap<String, String>,
}

impl Content {
    fn new() -> Self {
        let word = unique();
        let file = |number| {
            let text = format!("{word} {number}\n").repeat(16000);
            (format!("file{number:02}"), text)
        };
        let files: BTreeMap<String, String> = (0..FILES).map(file).collect();
        let context = folder_of(&[("Dockerfile", "FROM scratch\nCOPY file* /\n")]);
        for (name, text) in &files {
            std::fs::write(context.path().join(name), text).expect("it is ours");
        }
        Self { context, files }
    }

    fn build(&self, daemon: &Daemon, arguments: &[&str]) -> Running {
        let mut build = solvekit(["build", "--progress=plain", "--provenance=false"]);
        build.args(["--addr", &daemon.address()]).args(arguments);
        Running::start(build.arg(self.context.path()))
    }

    /// True if the image has all of this content.
    fn is_in(&self, name: &str) -> bool {
        let pushed = Pushed::fetch(name);
        self.files
            .iter()
            .all(|(file, text)| pushed.bytes("", &format!("/{file}")) == text.as_bytes())
    }

    /// Returns the number of files in the folder. Fails if one is incomplete.
    fn written_to(&self, folder: &Path) -> usize {
        let Ok(entries) = std::fs::read_dir(folder) else {
            return 0;
        };
        let names = entries.map(|it| it.expect("an entry").file_name());
        let names: Vec<String> = names.map(|it| it.to_string_lossy().into_owned()).collect();
        for name in &names {
            let text = std::fs::read_to_string(folder.join(name)).expect("a file");
            let expected = self.files.get(name);
            assert!(
                expected == Some(&text),
                "{name} is half a file: {} bytes",
                text.len()
            );
        }
        names.len()
    }
}

/// The results of the builds.
#[derive(Default)]
struct Ends {
    failed: usize,
    succeeded: usize,
    tags_moved_by_failures: usize,
    folders_begun: usize,
    slowest: Duration,
}

#[test]
fn a_killed_daemon_leaves_no_half_file_and_moves_no_tag() {
    let _turn = alone();
    let kills = count("SOAK_KILLS", 2);
    let mut daemon = Daemon::start();
    let tag = format!("{}:latest", Engine::get().name("killed"));
    let old = Content::new();
    let began = Instant::now();
    old.build(&daemon, &["-t", &tag, "--push"])
        .wait()
        .succeeded();
    let usual = began.elapsed();

    let mut ends = Ends::default();
    let mut random = 42;
    let mut current = old;
    for number in 1..=kills {
        random = next(random);
        let content = Content::new();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let target = folder.path().join("out");
        let output = format!("type=local,dest={}", target.display());
        let is_push = number % 2 == 1;
        let mut arguments = vec!["--reconnect=0"];
        match is_push {
            true => arguments.extend(["-t", tag.as_str(), "--push"]),
            false => arguments.extend(["-o", output.as_str()]),
        }
        let build = content.build(&daemon, &arguments);
        std::thread::sleep(usual.mul_f64((random >> 11) as f64 / (1_u64 << 53) as f64));
        daemon.kill();
        let killed = Instant::now();
        let ended = build.wait();
        let took = killed.elapsed();
        assert!(
            took < LIMIT,
            "{took:?} after the kill {number}: {}",
            ended.stderr
        );
        ends.slowest = ends.slowest.max(took);
        let is_built = succeeded(&ended, number);
        match is_built {
            true => ends.succeeded += 1,
            false => ends.failed += 1,
        }
        match is_push {
            // The daemon can be killed after it has moved the tag but before it reports this.
            true if content.is_in(&tag) => {
                ends.tags_moved_by_failures += usize::from(!is_built);
                current = content;
            }
            true => {
                assert!(!is_built, "kill {number}");
                assert!(
                    current.is_in(&tag),
                    "the tag names half an image: kill {number}"
                );
            }
            false => {
                let written = content.written_to(&target);
                assert!(
                    !is_built || written == FILES,
                    "{written} files: kill {number}"
                );
                ends.folders_begun += usize::from(!is_built && written > 0);
            }
        }
        daemon.start_again();
        daemon.wait_for();
        if number % (kills / 10).max(1) == 0 {
            ends.print(number);
        }
    }
}

/// True if the build succeeded. A failed one must print an error.
fn succeeded(ended: &Finished, number: usize) -> bool {
    match ended.code {
        Some(0) => true,
        Some(1) => {
            assert!(
                ended.stderr.contains("ERROR: "),
                "kill {number}: {}",
                ended.stderr
            );
            false
        }
        code => panic!("{code:?} after the kill {number}: {}", ended.stderr),
    }
}

#[test]
fn a_killed_daemon_that_comes_back_is_waited_for() {
    let _turn = alone();
    let kills = count("SOAK_KILLS", 2).div_ceil(5);
    let mut daemon = Daemon::start();
    let tag = format!("{}:latest", Engine::get().name("resumed"));
    let began = Instant::now();
    Content::new()
        .build(&daemon, &["-o", "type=cacheonly"])
        .wait()
        .succeeded();
    let usual = began.elapsed();
    let (mut random, mut resumed) = (7, 0);
    for number in 1..=kills {
        random = next(random);
        let content = Content::new();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let target = folder.path().join("out");
        let output = format!("type=local,dest={}", target.display());
        let is_push = number % 2 == 1;
        let mut arguments = vec!["--reconnect=60s"];
        match is_push {
            true => arguments.extend(["-t", tag.as_str(), "--push"]),
            false => arguments.extend(["-o", output.as_str()]),
        }
        let build = content.build(&daemon, &arguments);
        std::thread::sleep(usual.mul_f64((random >> 11) as f64 / (1_u64 << 53) as f64));
        daemon.kill();
        // This exceeds the time between two attempts to connect.
        std::thread::sleep(Duration::from_secs(1 + random % 5));
        daemon.start_again();
        let built = build.wait().succeeded();
        resumed += usize::from(built.stderr.contains("the daemon answers after"));
        match is_push {
            true => assert!(content.is_in(&tag), "kill {number}"),
            false => assert_eq!(content.written_to(&target), FILES, "kill {number}"),
        }
        daemon.wait_for();
    }
    println!("{kills} builds succeeded, {resumed} of them after they had waited");
}

impl Ends {
    fn print(&self, kills: usize) {
        row(&[
            format!("{kills} kills"),
            format!("{} builds failed", self.failed),
            format!("{} had succeeded", self.succeeded),
            format!("slowest error after {:.1} s", self.slowest.as_secs_f64()),
            format!("{} folders begun", self.folders_begun),
            format!(
                "{} tags moved before the error",
                self.tags_moved_by_failures
            ),
        ]);
    }
}

/// The next random number: xorshift64.
fn next(mut random: u64) -> u64 {
    random ^= random << 13;
    random ^= random >> 7;
    random ^ (random << 17)
}
