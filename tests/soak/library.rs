//! Builds in one process of the library.

use std::path::Path;
use std::time::{Duration, Instant};

use solvekit::client::{Address, Client, ConnectOptions};
use solvekit::pipeline::{self, BuildRequest, Environment, Folders, Output};
use solvekit::progress::{self, Display, Mode, Options};

use crate::daemon::Daemon;
use crate::support::{Engine, folder_of, unique};
use crate::{alone, count, files_below, row, usage};

/// The most growth of the memory after the first builds, in KiB. A leak of a few KiB per build
/// exceeds it after 1,000 builds.
const GROWTH: usize = 12 << 10;

#[test]
fn builds_in_one_process_leave_nothing_behind() {
    let _turn = alone();
    let builds = count("SOAK_BUILDS", 20);
    let own = std::env::var_os("SOAK_BUILDKITD").map(|_| Daemon::start());
    let address = own
        .as_ref()
        .map_or_else(|| Engine::get().host.clone(), Daemon::address);
    let address = Address::parse(&address).expect("an address");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let context = folder_of(&[("Dockerfile", "FROM scratch\nCOPY word /\n")]);

    let mut warm: Option<Used> = None;
    row(&Used::names());
    for number in 1..=builds {
        let word = format!("{}\n", unique()).repeat(1000);
        std::fs::write(context.path().join("word"), &word).expect("it is ours");
        let output = context.path().join("..").join(format!("out-{}", unique()));
        let building = build(&address, context.path(), number, &output, temporary.path());
        runtime.block_on(building);
        if number % 3 == 0 {
            let written = std::fs::read_to_string(output.join("word")).expect("the file is there");
            assert_eq!(written, word);
            std::fs::remove_dir_all(&output).expect("it is ours");
        }
        if number % (builds / 10).max(1) != 0 {
            continue;
        }
        let used = Used::settled(&runtime, temporary.path(), warm.as_ref());
        used.print(number, own.as_ref());
        match &warm {
            None if number * 5 >= builds => warm = Some(used),
            None => {}
            Some(warm) => {
                assert_eq!(used.tasks, warm.tasks, "after {number} builds");
                assert!(
                    used.descriptors <= warm.descriptors,
                    "after {number} builds"
                );
                assert_eq!(used.files, 0, "after {number} builds");
                let growth = used.memory.saturating_sub(warm.memory);
                assert!(growth < GROWTH, "{growth} KiB more after {number} builds");
            }
        }
    }
}

/// Runs one build. Its number chooses the output: a folder, none, or an archive.
async fn build(address: &Address, context: &Path, number: usize, output: &Path, temporary: &Path) {
    let options = ConnectOptions::new(address.clone());
    let client = Client::connect(&options).await.expect("the daemon answers");
    let mut request = BuildRequest::new(context);
    request.folders = Folders {
        temporary: Some(temporary.to_owned()),
        working: None,
    };
    let output = match number % 3 {
        0 => format!("type=local,dest={}", output.display()),
        1 => "type=cacheonly".to_owned(),
        _ => "type=tar,dest=/dev/null".to_owned(),
    };
    request.outputs = vec![output.parse::<Output>().expect("an output")];
    let (writer, updates) = progress::channel();
    let display = Display::new(Mode::Plain, std::io::sink(), Options::default());
    let shown = tokio::spawn(display.run(updates));
    let mut environment = Environment::default();
    environment.progress = Some(writer);
    let built = pipeline::run(&client, request, environment).await;
    built.expect("it is built");
    shown.await.expect("the display ends");
}

struct Used {
    memory: usize,
    descriptors: usize,
    tasks: usize,
    files: usize,
}

impl Used {
    fn now(runtime: &tokio::runtime::Runtime, temporary: &Path) -> Self {
        let pid = std::process::id();
        Self {
            memory: usage::memory(pid),
            descriptors: usage::descriptors(pid),
            tasks: runtime.metrics().num_alive_tasks(),
            files: files_below(temporary),
        }
    }

    /// Measures the usage after a short wait, because connections are closed in the background.
    fn settled(runtime: &tokio::runtime::Runtime, temporary: &Path, before: Option<&Self>) -> Self {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let used = Self::now(runtime, temporary);
            let is_settled = used.tasks == 0
                && before.is_none_or(|before| used.descriptors <= before.descriptors);
            if is_settled || Instant::now() > deadline {
                return used;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn names() -> Vec<String> {
        let names = ["builds", "MiB", "descriptors", "tasks", "files", "daemon"];
        names.map(str::to_owned).into()
    }

    fn print(&self, builds: usize, own: Option<&Daemon>) {
        let daemon = own.and_then(Daemon::pid).map_or_else(String::new, |pid| {
            let mebibytes = usage::memory(pid) / 1024;
            format!("{mebibytes} MiB, {} descriptors", usage::descriptors(pid))
        });
        row(&[
            builds.to_string(),
            format!("{:.1}", self.memory as f64 / 1024.0),
            self.descriptors.to_string(),
            self.tasks.to_string(),
            self.files.to_string(),
            daemon,
        ]);
    }
}
