//! Code shared by the commands that copy images: flags, progress messages, failures.

use std::io::{IsTerminal as _, stderr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use solvekit::files::random_name;
use solvekit::oci::{Descriptor, Platform};
use solvekit::transfer::{Error, Event, How, Options, Plan};
use solvekit_host::files::{make_private_folder, own_folder};
use tokio_util::sync::CancellationToken;

use crate::cli::args::values;
use crate::cli::interrupt::{self, EXIT_INTERRUPTED};
use crate::cli::report::Advised as _;
use crate::cli::report::Failure;
use crate::cli::report::records::size;
use crate::cli::report::terminal::{talk, talk_over};

#[derive(Debug, Clone, clap::Args)]
pub(crate) struct TransferArgs {
    /// Transfer this many blobs at once
    #[arg(
        long,
        value_name = "N",
        default_value_t = 4,
        value_parser = values::number::<u16>(1..=64, 4)
    )]
    jobs: u16,

    /// Print no progress
    #[arg(short, long)]
    quiet: bool,
}

impl TransferArgs {
    /// The options for a transfer of these parts, which shows its progress.
    pub(crate) fn options(&self, plan: &Plan) -> Options {
        let mut options = Options::default();
        options.jobs = self.jobs.into();
        if self.quiet {
            return options;
        }
        let report = Mutex::new(Report::new(plan));
        options.with_observer(move |event| {
            let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
            report.event(event).print();
        })
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }
}

/// The progress of a transfer.
struct Report {
    total: u64,
    done: u64,
    /// The transferred bytes of the blobs that are being copied.
    under_way: std::collections::HashMap<String, u64>,
    terminal: bool,
    shown: Option<u64>,
}

impl Report {
    fn new(plan: &Plan) -> Self {
        Self {
            total: plan.size(),
            done: 0,
            under_way: std::collections::HashMap::new(),
            terminal: stderr().is_terminal(),
            shown: None,
        }
    }

    fn event(&mut self, event: &Event) -> Shown {
        match event {
            Event::Progress { digest, bytes } => {
                self.under_way.insert(digest.to_string(), *bytes);
                self.line()
            }
            Event::Blob { descriptor, how } => {
                self.under_way.remove(descriptor.digest.as_str());
                self.done += descriptor.size;
                let what = match how {
                    How::Existed => "is there",
                    How::Mounted => "mounted",
                    How::Resumed => "copied the rest",
                    How::Copied => "copied",
                };
                self.above(line_of(descriptor, what))
            }
            Event::Manifest {
                descriptor,
                name: Some(name),
            } => self.above(format!("{name} → {}\n", descriptor.digest)),
            _ => Shown::Nothing,
        }
    }

    /// A permanent line above the changing one.
    fn above(&mut self, text: String) -> Shown {
        match self.shown.take() {
            Some(_) => Shown::Over(text),
            None => Shown::Line(text),
        }
    }

    /// The changing line at a terminal, once per percent.
    fn line(&mut self) -> Shown {
        let bytes = self.done + self.under_way.values().sum::<u64>();
        let percent = bytes * 100 / self.total.max(1);
        if !self.terminal || self.shown == Some(percent) {
            return Shown::Nothing;
        }
        self.shown = Some(percent);
        let [bytes, total] = [bytes, self.total].map(|bytes| size(bytes as i64));
        Shown::Over(format!("{percent}% of {total} ({bytes})"))
    }
}

/// The next piece of output.
#[derive(Debug, PartialEq, Eq)]
enum Shown {
    Nothing,
    Line(String),
    /// Replaces the changing line.
    Over(String),
}

impl Shown {
    fn print(&self) {
        match self {
            Self::Nothing => {}
            Self::Line(text) => talk(text),
            Self::Over(text) => talk_over(text),
        }
    }
}

fn line_of(descriptor: &Descriptor, what: &str) -> String {
    let digest = descriptor.digest.as_str();
    let short = digest.get(..19).unwrap_or(digest);
    format!("{short} {:>9} {what}\n", size(descriptor.size as i64))
}

/// Runs a transfer until it ends or the user interrupts it.
pub(crate) async fn until_interrupted(
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let interrupted: CancellationToken = interrupt::token()?;
    tokio::select! {
        done = work => done,
        () = interrupted.cancelled() => {
            Err(Failure::new("interrupted; what was copied stays, and the same command resumes \
                              from there").code(EXIT_INTERRUPTED))
        }
    }
}

/// Parses the platform of a flag.
pub(crate) fn platform(text: &str) -> Result<Platform, String> {
    Platform::parse(text).map_err(|error| error.to_string())
}

/// The failure with a hint.
pub(crate) fn failed(error: &Error) -> Failure {
    Failure::from_error(error)
        .advised(error.advice())
        .of_registry(error.kind())
}

/// A locked folder for the parts of a transfer. It is kept if the transfer fails, so that the next
/// one can resume.
#[derive(Debug)]
pub(crate) struct Staging {
    path: std::path::PathBuf,
    _lock: Arc<std::fs::File>,
}

impl Staging {
    /// Locks the folder, or another one beside it if it is in use.
    pub(crate) fn at(path: &Path) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(format!("cannot use the folder {}: {error}", path.display()))
        };
        if let Some(staging) = Self::take(path).map_err(failed)? {
            return Ok(staging);
        }
        // It is in use, or belongs to somebody else.
        let name = path.file_name().unwrap_or(path.as_os_str());
        let own = random_name(name).map_err(failed)?;
        let taken = Self::take(&path.with_file_name(own)).map_err(failed)?;
        taken.ok_or_else(|| Failure::new(format!("the folder {} is in use", path.display())))
    }

    /// Locks a folder that belongs to this user and that nobody else can write to or is using.
    fn take(path: &Path) -> std::io::Result<Option<Self>> {
        std::fs::create_dir_all(path.parent().unwrap_or(path))?;
        match make_private_folder(path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let Some(lock) = own_folder(path)? else {
            return Ok(None);
        };
        let locked = solvekit::files::lock_until(&lock, std::time::Instant::now());
        if matches!(locked, Ok(false)) {
            return Ok(None);
        }
        Ok(Some(Self {
            path: path.to_owned(),
            _lock: Arc::new(lock),
        }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the folder: the transfer is complete.
    pub(crate) fn remove(self) {
        // Leftover files do no harm.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
