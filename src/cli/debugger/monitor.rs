//! The debugger's prompt.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use solvekit::debug::{self, Action, Debugger, Pause, Program, Reason, Start, Step};
use solvekit::frontend::{Hook, Solving};
use solvekit::gateway::{self, Container, FileInfo, FileKind, Process, Ref};
use solvekit::progress::Hold;
use tokio_util::sync::CancellationToken;

use super::shell::{self, Left};
use super::terminal::{self, Keyboard};
use super::{Settings, When, place, words};
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print_data, print_text, talk};

/// How long the last lines of a step's log may take to come.
const LOGS: Duration = Duration::from_millis(200);
/// How much of a file is read at a time, in bytes.
const PIECE: u64 = 1 << 20;

const HELP: &str = "\
  shell [COMMAND...]  open a shell, or run a command, in a new container of the step
  attach              return to the shell that Ctrl-A C left
  exec COMMAND...     run a command in a new container of the step
  ls [PATH]           list a folder of the files before the step
  cat PATH            show a file of the files before the step
  where               show the step
  next                go to the next step
  continue            go on to the next pause
  retry               build again from the start, with the files as they are now
  exit                leave the debugger; the build goes on, or ends if its step failed
In a shell, Ctrl-A C returns here. Ctrl-C here ends the build.
";

/// Debugs a build at the terminal, one platform at a time.
#[derive(Debug)]
pub(super) struct Monitor {
    settings: Arc<Settings>,
    hold: Hold,
    cancelled: CancellationToken,
    /// True when the user has left the debugger.
    is_left: AtomicBool,
    /// True if the next step is one to pause at.
    is_stepping: AtomicBool,
    wants_retry: AtomicBool,
}

impl Monitor {
    pub(super) fn new(settings: Arc<Settings>, hold: Hold, cancelled: CancellationToken) -> Self {
        Self {
            is_stepping: AtomicBool::new(settings.when == When::Step),
            settings,
            hold,
            cancelled,
            is_left: AtomicBool::new(false),
            wants_retry: AtomicBool::new(false),
        }
    }

    /// True if the user wants to build again.
    pub(super) fn wants_retry(&self) -> bool {
        self.wants_retry.load(Ordering::Relaxed)
    }

    fn leave(&self) {
        self.is_left.store(true, Ordering::Relaxed);
        self.is_stepping.store(false, Ordering::Relaxed);
    }
}

#[tonic::async_trait]
impl Hook for Monitor {
    async fn solve(&self, solving: Solving<'_>) -> Result<Ref, gateway::Error> {
        let is_other = |wanted| solving.platform.is_some_and(|platform| platform != wanted);
        match self.settings.platform.as_ref().is_some_and(is_other) {
            true => solving.solve().await,
            false => debug::run(solving, self).await,
        }
    }
}

#[tonic::async_trait]
impl Debugger for Monitor {
    async fn started(&self, _: &Program) -> Start {
        match self.is_stepping.load(Ordering::Relaxed) {
            true => Start::Entry,
            false => Start::Run,
        }
    }

    fn breaks_at(&self, _: &Step) -> bool {
        self.settings.when == When::Step && !self.is_left.load(Ordering::Relaxed)
    }

    fn pauses_at_end(&self) -> bool {
        self.settings.when == When::Always && !self.is_left.load(Ordering::Relaxed)
    }

    async fn paused(&self, pause: &Pause<'_>) -> Action {
        let mut keyboard = self.settings.keyboard.lock().await;
        // Another platform may have ended the debugging meanwhile.
        if self.is_left.load(Ordering::Relaxed) {
            return Action::Continue;
        }
        tokio::time::sleep(LOGS).await;
        let held = self.hold.stop().await;
        talk(&format!("\n{}", place::describe(pause)));
        let mut prompt = Prompt {
            monitor: self,
            pause,
            keyboard: keyboard.get_or_insert_with(Keyboard::open),
            running: None,
        };
        let action = prompt.run().await;
        prompt.end().await;
        drop(held);
        action
    }
}

/// A pause with the terminal.
struct Prompt<'a> {
    monitor: &'a Monitor,
    pause: &'a Pause<'a>,
    keyboard: &'a mut Keyboard,
    /// The shell that was left.
    running: Option<(Container, Process)>,
}

impl Prompt<'_> {
    /// Opens a shell, then takes commands until one lets the build go on.
    async fn run(&mut self) -> Action {
        let invoke = &self.monitor.settings.invoke;
        let opens = terminal::is_interactive() && !matches!(self.pause.reason, Reason::Step);
        if (opens && self.monitor.settings.when != When::Step) || invoke.is_given() {
            let done = self.shell_or_hint().await;
            self.told(done);
        }
        loop {
            talk(self.monitor.settings.prompt);
            let Some(line) = self.keyboard.line().await else {
                talk("\n");
                self.monitor.leave();
                return Action::Continue;
            };
            let Some(words) = words::split(&line) else {
                talk("a quote is not closed\n");
                continue;
            };
            let mut words = words.into_iter();
            let Some(command) = words.next() else {
                continue;
            };
            if let Some(action) = self.command(&command, words.collect()).await {
                return action;
            }
        }
    }

    /// Runs a command. Returns how the build goes on, if it does.
    async fn command(&mut self, command: &str, words: Vec<String>) -> Option<Action> {
        let done = match (command, words.as_slice()) {
            ("exit" | "quit", []) => {
                self.monitor.leave();
                return Some(Action::Continue);
            }
            ("continue" | "c", []) => return Some(Action::Continue),
            ("next" | "n", []) => return Some(Action::StepIn),
            ("retry" | "reload", []) => {
                self.monitor.leave();
                self.monitor.wants_retry.store(true, Ordering::Relaxed);
                if !matches!(self.pause.reason, Reason::Failure(_)) {
                    self.monitor.cancelled.cancel();
                }
                return Some(Action::Continue);
            }
            ("help", _) => {
                talk(HELP);
                Ok(())
            }
            ("where", []) => {
                talk(&place::describe(self.pause));
                Ok(())
            }
            ("shell" | "rollback", []) => self.shell_or_hint().await,
            ("attach", []) => self.attach().await,
            ("shell" | "exec", [_, ..]) => self.run_in_container(words).await,
            ("ls", []) => self.list("/").await,
            ("ls", [path]) => self.list(path).await,
            ("cat", [path]) => self.show(path).await,
            ("exec" | "cat", []) => Err(Failure::new(format!("{command} needs an argument"))),
            _ => {
                let text = format!("there is no such command here: {command}");
                Err(Failure::new(text))
            }
        };
        self.told(done);
        None
    }

    fn told(&self, done: Result<(), Failure>) {
        if let Err(failure) = done {
            talk(&format!(
                "{}; help shows the commands\n",
                failure.into_message()
            ));
        }
    }

    /// Opens the shell, if the step's files have one.
    async fn shell_or_hint(&mut self) -> Result<(), Failure> {
        let args = self.monitor.settings.invoke.args();
        let program = args.first().map(String::as_str).unwrap_or_default();
        let root = self.pause.files.iter().find(|files| files.name == "/");
        if let (Some(root), true) = (root, program.starts_with('/')) {
            let found = self.pause.bridge().stat_file(&root.result, program).await;
            if let Err(error) = found {
                let known = error.failure().map(|failure| failure.message.clone());
                let known = known.unwrap_or_else(|| error.to_string());
                let text = format!("cannot open {program} in this step: {known}");
                return Err(Failure::new(text));
            }
        }
        self.run_in_container(args).await
    }

    /// Runs a command in a container of its own: a failed process ends all of its container.
    async fn run_in_container(&mut self, args: Vec<String>) -> Result<(), Failure> {
        self.release().await;
        let container = self.pause.container().await.map_err(failed)?;
        let Some(container) = container else {
            return Err(Failure::new("this step has no files to run in"));
        };
        let is_terminal = terminal::is_interactive();
        let mut process = self.pause.process(args);
        // A script's next lines are commands of the debugger.
        process.input = is_terminal;
        self.monitor
            .settings
            .invoke
            .apply(&mut process, is_terminal);
        if is_terminal {
            talk("Ctrl-A C returns to the debugger\n");
        }
        match container.start(&process).await {
            Ok(process) => {
                self.running = Some((container, process));
                self.attach().await
            }
            Err(error) => {
                let _ = container.release().await;
                Err(failed(error))
            }
        }
    }

    /// Gives the terminal to the process that runs.
    async fn attach(&mut self) -> Result<(), Failure> {
        let Some((_, process)) = &mut self.running else {
            return Err(Failure::new("no shell is running"));
        };
        let is_terminal = terminal::is_interactive();
        let left = shell::attach(process, self.keyboard, is_terminal).await;
        match left {
            Ok(Left::Detached) => {
                talk("\nthe shell goes on; attach returns to it\n");
                return Ok(());
            }
            Ok(Left::Exited(Some(exit))) if exit.is_not_started() => {
                let why = exit.failure.map(|failure| failure.message);
                talk(&format!(
                    "the program did not start: {}\n",
                    why.unwrap_or_default()
                ));
            }
            Ok(Left::Exited(Some(exit))) if exit.code != 0 => {
                talk(&format!("the program ended with exit code {}\n", exit.code));
            }
            Ok(Left::Exited(_)) => {}
            Err(error) => {
                self.release().await;
                return Err(failed(error));
            }
        }
        self.release().await;
        Ok(())
    }

    async fn release(&mut self) {
        if let Some((container, process)) = self.running.take() {
            drop(process);
            // What is lost with the build needs no release.
            let _ = container.release().await;
        }
    }

    async fn end(mut self) {
        self.release().await;
    }

    /// The file system that has a path, and the path in it.
    fn place<'p>(&self, path: &'p str) -> Result<(&Ref, &'p str), Failure> {
        let has = |name: &str| {
            let rest = path.strip_prefix(name)?;
            (rest.is_empty() || rest.starts_with('/') || name == "/").then_some(rest)
        };
        let files = self.pause.files.iter();
        let found = files.filter_map(|files| Some((files, has(&files.name)?)));
        let best = found.max_by_key(|(files, _)| files.name.len());
        match best.or(self.pause.files.first().map(|files| (files, path))) {
            Some((files, "")) => Ok((&files.result, "/")),
            Some((files, path)) => Ok((&files.result, path)),
            None => Err(Failure::new("the files of this step are not known")),
        }
    }

    async fn list(&self, path: &str) -> Result<(), Failure> {
        let (result, inner) = self.place(path)?;
        if result.is_scratch() {
            return Ok(());
        }
        let entries = self.pause.bridge().read_dir(result, inner, "").await;
        let mut text: String = entries.map_err(failed)?.iter().map(entry_line).collect();
        if path == "/" {
            let mounts = self.pause.files.iter().filter(|files| files.name != "/");
            mounts.for_each(|files| text.push_str(&format!("{} (another mount)\n", files.name)));
        }
        print_text(&text)
    }

    async fn show(&self, path: &str) -> Result<(), Failure> {
        let (result, inner) = self.place(path)?;
        let mut at = 0;
        loop {
            let range = Some(at..at + PIECE);
            let bytes = self.pause.bridge().read_file(result, inner, range).await;
            let bytes = bytes.map_err(failed)?;
            print_data(&bytes)?;
            at += bytes.len() as u64;
            if (bytes.len() as u64) < PIECE {
                return Ok(());
            }
        }
    }
}

fn failed(error: gateway::Error) -> Failure {
    match error.failure() {
        Some(failure) => Failure::new(failure.message.clone()),
        None => Failure::from_error(&error),
    }
}

fn entry_line(entry: &FileInfo) -> String {
    let (kind, end) = match entry.kind {
        FileKind::Directory => ('d', "/".to_owned()),
        FileKind::Symlink => ('l', format!(" -> {}", entry.link_target)),
        FileKind::File => ('-', String::new()),
        _ => ('?', String::new()),
    };
    let (mode, owner) = (entry.mode, format!("{}:{}", entry.uid, entry.gid));
    format!(
        "{kind}{mode:04o} {owner:>9} {:>12} {}{end}\n",
        entry.size, entry.path
    )
}
