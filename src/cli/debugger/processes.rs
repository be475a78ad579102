//! The processes started at the debugger's prompt, each in a container of its own.

use std::time::Duration;

use solvekit::gateway::{Container, Process, ProcessOutput, ProcessRequest};

use super::monitor::failed;
use super::shell::{self, Left};
use super::terminal::{self, Keyboard};
use crate::cli::report::Failure;
use crate::cli::report::columns::align;
use crate::cli::report::terminal::talk;

/// How long to wait for the output or the end of a detached process.
const SOON: Duration = Duration::from_millis(20);
/// The most bytes of a detached process's output that are kept. A process that writes more has to
/// wait.
const KEPT: usize = 256 << 10;
/// The signals that can be sent to a process.
const SIGNALS: [&str; 12] = [
    "HUP", "INT", "QUIT", "ABRT", "KILL", "USR1", "USR2", "PIPE", "ALRM", "TERM", "CONT", "STOP",
];

/// The started processes, in order.
#[derive(Debug, Default)]
pub(super) struct Processes {
    running: Vec<Running>,
    /// The number of the newest process.
    last: u32,
    /// The number of the process that had the terminal last.
    current: u32,
}

#[derive(Debug)]
struct Running {
    number: u32,
    command: String,
    container: Container,
    process: Process,
    /// Output from the time when it was detached.
    kept: Vec<ProcessOutput>,
    has_ended: bool,
}

impl Processes {
    /// Starts a process. It gets the terminal once it is [attached](Processes::attach).
    pub(super) async fn start(
        &mut self,
        container: Container,
        request: &ProcessRequest,
    ) -> Result<(), Failure> {
        let process = match container.start(request).await {
            Ok(process) => process,
            Err(error) => {
                let _ = container.release().await;
                return Err(failed(error));
            }
        };
        self.last += 1;
        self.current = self.last;
        self.running.push(Running {
            number: self.last,
            command: request.args.join(" "),
            container,
            process,
            kept: Vec::new(),
            has_ended: false,
        });
        Ok(())
    }

    /// Gives the terminal to this process, or to the last one that had it.
    pub(super) async fn attach(
        &mut self,
        number: Option<&str>,
        keyboard: &mut Keyboard,
    ) -> Result<(), Failure> {
        let at = match number {
            Some(number) => self.find(number)?,
            None => self
                .current()
                .ok_or_else(|| Failure::new("no process runs"))?,
        };
        let running = &mut self.running[at];
        self.current = running.number;
        let is_terminal = terminal::is_interactive();
        let kept = std::mem::take(&mut running.kept);
        kept.iter()
            .for_each(|output| shell::print(output, is_terminal));
        let left = shell::attach(&mut running.process, keyboard, is_terminal).await;
        let exit = match left {
            Ok(Left::Detached) => {
                let number = running.number;
                talk(&format!(
                    "\nprocess {number} goes on; attach {number} returns to it\n"
                ));
                return Ok(());
            }
            Ok(Left::Exited(exit)) => exit,
            Err(error) => {
                self.remove(at).await;
                return Err(failed(error));
            }
        };
        match exit {
            Some(exit) if exit.is_not_started() => {
                let why = exit
                    .failure
                    .map(|failure| failure.message)
                    .unwrap_or_default();
                talk(&format!("the program did not start: {why}\n"));
            }
            Some(exit) if exit.code != 0 => {
                talk(&format!("the program ended with exit code {}\n", exit.code));
            }
            _ => {}
        }
        self.remove(at).await;
        Ok(())
    }

    /// The table of processes, with buildx's columns. It also lists an ended process whose output
    /// was not shown yet.
    pub(super) async fn list(&mut self) -> String {
        self.look().await;
        let current = self.current().map(|at| self.running[at].number);
        let mut table = "PID\tCURRENT_SESSION\tCOMMAND\n".to_owned();
        for running in &self.running {
            let is_current = current == Some(running.number);
            let ended = if running.has_ended { " (ended)" } else { "" };
            let (number, command) = (running.number, &running.command);
            table.push_str(&format!("{number}\t{is_current}\t{command}{ended}\n"));
        }
        align(&table, 0, 2)
    }

    /// Ends a process.
    pub(super) async fn end(&mut self, number: &str) -> Result<(), Failure> {
        let at = self.find(number)?;
        self.remove(at).await;
        Ok(())
    }

    /// Sends a process a signal, written `-INT` or `-SIGINT`.
    pub(super) async fn signal(&mut self, number: &str, signal: &str) -> Result<(), Failure> {
        let name = signal.strip_prefix('-').unwrap_or(signal).to_uppercase();
        let name = name.strip_prefix("SIG").unwrap_or(&name);
        if !SIGNALS.contains(&name) {
            let known = SIGNALS.join(", ");
            return Err(Failure::new(format!(
                "unknown signal {signal}; use one of {known}"
            )));
        }
        let at = self.find(number)?;
        let input = self.running[at].process.input();
        input.signal(name).await.map_err(failed)
    }

    /// Ends all processes.
    pub(super) async fn end_all(&mut self) {
        while !self.running.is_empty() {
            self.remove(0).await;
        }
    }

    /// Finds out which processes have ended, and removes those without unread output.
    async fn look(&mut self) {
        for running in &mut self.running {
            running.look().await;
        }
        let is_done = |running: &Running| running.has_ended && running.kept.is_empty();
        while let Some(at) = self.running.iter().position(is_done) {
            self.remove(at).await;
        }
    }

    async fn remove(&mut self, at: usize) {
        let running = self.running.remove(at);
        drop(running.process);
        // If the connection is lost, the container is gone anyway.
        let _ = running.container.release().await;
    }

    /// The process that had the terminal last, or the newest one.
    fn current(&self) -> Option<usize> {
        let is_current = |running: &Running| running.number == self.current;
        let current = self.running.iter().position(is_current);
        current.or(self.running.len().checked_sub(1))
    }

    fn find(&self, number: &str) -> Result<usize, Failure> {
        let is_meant = |running: &Running| number.parse() == Ok(running.number);
        let found = self.running.iter().position(is_meant);
        found.ok_or_else(|| Failure::new(format!("no process {number} runs; ps lists them")))
    }
}

impl Running {
    /// Reads the output that the process has written in the meantime.
    async fn look(&mut self) {
        let mut size: usize = self.kept.iter().map(|output| output.data.len()).sum();
        while !self.has_ended && size < KEPT {
            match tokio::time::timeout(SOON, self.process.next()).await {
                Err(_) => return,
                Ok(Ok(Some(output))) => {
                    size += output.data.len();
                    self.kept.push(output);
                }
                Ok(Ok(None) | Err(_)) => self.has_ended = true,
            }
        }
    }
}
