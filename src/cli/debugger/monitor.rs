//! The debugger's prompt.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use solvekit::debug::{self, Action, Debugger, Pause, Program, Reason, Start, Step};
use solvekit::frontend::{Hook, Solving};
use solvekit::gateway::{self, Ref};
use solvekit::progress::Hold;
use tokio_util::sync::CancellationToken;

use super::processes::Processes;
use super::terminal::{self, Keyboard};
use super::{Settings, When, files, place, words};
use crate::cli::report::Failure;
use crate::cli::report::terminal::{print_text, talk};

/// How long to wait for the last lines of a step's log.
const LOGS: Duration = Duration::from_millis(200);

const HELP: &str = "\
  shell [COMMAND...]  open a shell, or run a command, in a new container of the step
  exec COMMAND...     run a command in a new container of the step
  rollback [--init] [COMMAND...]
                      end all processes, then open a shell in the files that the step left, or with
                      --init in those before the step
  ps                  list the processes that Ctrl-A C left
  attach [PID]        return to one of them; the last one without a PID
  kill [-SIGNAL] PID  end one of them, or send it a signal such as INT
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
    /// True if the user has left the debugger.
    is_left: AtomicBool,
    /// True if the next step should pause.
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

    /// True if the user wants to retry the build.
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
        // Another platform may have ended the debugger in the meantime.
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
            processes: Processes::default(),
        };
        let action = prompt.run().await;
        prompt.processes.end_all().await;
        drop(held);
        action
    }
}

/// A pause that has the terminal.
struct Prompt<'a> {
    monitor: &'a Monitor,
    pause: &'a Pause<'a>,
    keyboard: &'a mut Keyboard,
    /// The running and detached processes.
    processes: Processes,
}

/// `(solvekit) `, or `(solvekit web) ` for one of several targets.
fn prompt(program: &str, target: Option<&str>) -> String {
    match target {
        Some(target) => format!("({program} {target}) "),
        None => format!("({program}) "),
    }
}

impl Prompt<'_> {
    /// Opens a shell, then reads commands until one resumes the build.
    async fn run(&mut self) -> Action {
        let invoke = &self.monitor.settings.invoke;
        let opens = terminal::is_interactive() && !matches!(self.pause.reason, Reason::Step);
        if (opens && self.monitor.settings.when != When::Step) || invoke.is_given() {
            let done = self.shell_or_hint().await;
            self.report(done);
        }
        loop {
            talk(&prompt(self.monitor.settings.prompt, self.pause.target));
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

    /// Runs a command. Returns an action if the build should resume.
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
            ("shell", []) => self.shell_or_hint().await,
            ("shell" | "exec", [_, ..]) => self.run_in_container(words, Files::Left).await,
            ("rollback", _) => self.roll_back(words).await,
            ("ps", []) => print_text(&self.processes.list().await),
            ("attach", []) => self.attach(None).await,
            ("attach", [process]) => self.attach(Some(process)).await,
            ("kill", [process]) => self.processes.end(process).await,
            ("kill", [signal, process]) => self.processes.signal(process, signal).await,
            ("ls", []) => files::list(self.pause, "/").await,
            ("ls", [path]) => files::list(self.pause, path).await,
            ("cat", [path]) => files::show(self.pause, path).await,
            ("exec" | "cat" | "kill", []) => {
                Err(Failure::new(format!("{command} needs an argument")))
            }
            _ => {
                let text = format!("there is no such command here: {command}");
                Err(Failure::new(text))
            }
        };
        self.report(done);
        None
    }

    fn report(&self, done: Result<(), Failure>) {
        if let Err(failure) = done {
            talk(&format!(
                "{}; help shows the commands\n",
                failure.into_message()
            ));
        }
    }

    /// Opens the shell, if the step's file system has one.
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
        self.run_in_container(args, Files::Left).await
    }

    /// Ends all processes, then opens a shell or runs a command, as buildx's `rollback` does.
    async fn roll_back(&mut self, mut words: Vec<String>) -> Result<(), Failure> {
        self.processes.end_all().await;
        let files = match words.first().is_some_and(|word| word == "--init") {
            true => {
                words.remove(0);
                Files::Initial
            }
            false => Files::Left,
        };
        if words.is_empty() {
            words = self.monitor.settings.invoke.args();
        }
        self.run_in_container(words, files).await
    }

    /// Runs a command in a container of its own, because a failed process ends its whole container.
    async fn run_in_container(&mut self, args: Vec<String>, files: Files) -> Result<(), Failure> {
        let container = match files {
            Files::Left => self.pause.container().await,
            Files::Initial => self.pause.initial_container().await,
        };
        let Some(container) = container.map_err(failed)? else {
            return Err(Failure::new("this step has no files to run in"));
        };
        let is_terminal = terminal::is_interactive();
        let mut process = self.pause.process(args);
        // The next lines of a script are debugger commands, not input of the process.
        process.input = is_terminal;
        self.monitor
            .settings
            .invoke
            .apply(&mut process, is_terminal);
        if is_terminal {
            talk("Ctrl-A C returns to the debugger\n");
        }
        self.processes.start(container, &process).await?;
        self.attach(None).await
    }

    /// Gives the terminal to a running process.
    async fn attach(&mut self, process: Option<&str>) -> Result<(), Failure> {
        self.processes.attach(process, self.keyboard).await
    }
}

/// The files of a new container.
#[derive(Debug, Clone, Copy)]
enum Files {
    /// After the step.
    Left,
    /// Before the step.
    Initial,
}

pub(super) fn failed(error: gateway::Error) -> Failure {
    match error.failure() {
        Some(failure) => Failure::new(failure.message.clone()),
        None => Failure::from_error(&error),
    }
}
