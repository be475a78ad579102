//! Where progress is written to: stderr, a file or a descriptor, and a copy of it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write, stderr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use solvekit::files::Destination;
use solvekit::pipeline::BuildOutcome;
use solvekit::progress::{BuildEnd, Mode};
use solvekit_host::files::with_permissions;
use solvekit_host::standard::descriptor;

use crate::cli::args::headings::PROGRESS;
use crate::cli::args::values;
use crate::cli::interrupt::blocking;
use crate::cli::report::Failure;
use crate::cli::report::terminal::warn;
use crate::cli::report::usage::ProgressUsage;

// The flags for the form and the destination of progress.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = PROGRESS)]
pub(crate) struct ProgressArgs {
    /// Show progress on stderr in this way; rawjson and jsonl are for programs
    #[arg(long = "progress", value_name = "MODE", default_value = "auto",
          value_parser = ["auto", "jsonl", "none", "plain", "quiet", "rawjson", "tty"])]
    pub(crate) mode: String,

    /// Write jsonl or rawjson to this file descriptor
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "progress_file",
        value_parser = values::number::<u32>(0..=2_147_483_647, 3)
    )]
    progress_fd: Option<u32>,

    /// Write jsonl or rawjson to this file
    #[arg(long, value_name = "FILE")]
    progress_file: Option<PathBuf>,

    /// Append every update of progress to this file too, as rawjson does
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

impl ProgressArgs {
    /// Opens the writer of the progress.
    pub(crate) fn open(&self, mode: Mode) -> Result<Sink, Failure> {
        let mut sink = self.open_shown(mode)?;
        if let Some(path) = &self.trace {
            let opened = open_trace(path).map_err(|source| ProgressUsage::TraceFile {
                path: path.clone(),
                source,
            })?;
            sink.copy = Some(ProgressFile::new(path.display().to_string(), opened));
        }
        Ok(sink)
    }

    fn open_shown(&self, mode: Mode) -> Result<Sink, Failure> {
        let path = match (self.progress_fd, &self.progress_file) {
            (Some(number), _) => descriptor(number).ok_or(ProgressUsage::NoDescriptors)?,
            (None, Some(path)) => path.clone(),
            (None, None) => return Ok(Sink::new(mode, true, stderr())),
        };
        if !matches!(mode, Mode::RawJson | Mode::JsonLines) {
            return Err(ProgressUsage::ForPeople.into());
        }
        // Replace the file instead of truncating it: it could be a link to somebody else's file.
        let opened = Destination::open(&path).and_then(Destination::publish);
        let place = match self.progress_fd {
            Some(number) => format!("file descriptor {number}"),
            None => path.display().to_string(),
        };
        match opened {
            Ok(opened) => Ok(Sink::new(mode, false, ProgressFile::new(place, opened))),
            Err(source) => Err(ProgressUsage::Place { place, source }.into()),
        }
    }
}

/// The writer of the progress.
#[derive(Clone)]
pub(crate) struct Sink {
    mode: Mode,
    is_stderr: bool,
    writer: Arc<Mutex<dyn Write + Send>>,
    /// Also receives all updates, in the format rawjson.
    copy: Option<ProgressFile>,
}

/// A file that programs read. The build does not fail if it cannot be written, but the user is
/// warned, once: it is incomplete.
#[derive(Clone)]
struct ProgressFile {
    place: String,
    file: Arc<File>,
    has_failed: bool,
}

impl ProgressFile {
    fn new(place: String, file: File) -> Self {
        Self {
            place,
            file: Arc::new(file),
            has_failed: false,
        }
    }
}

impl Write for ProgressFile {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        use io::ErrorKind::{BrokenPipe, Interrupted};
        let written = (&*self.file).write(data);
        if let Err(error) = &written
            && !matches!(error.kind(), BrokenPipe | Interrupted)
            && !std::mem::replace(&mut self.has_failed, true)
        {
            warn(&format!("cannot write to {}: {error}", self.place));
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    /// A writer other than stderr.
    pub(crate) fn to(mode: Mode, writer: impl Write + Send + 'static) -> Self {
        Self::new(mode, false, writer)
    }

    fn new(mode: Mode, is_stderr: bool, writer: impl Write + Send + 'static) -> Self {
        Self {
            mode,
            is_stderr,
            writer: Arc::new(Mutex::new(writer)),
            copy: None,
        }
    }

    /// Writes the last line of jsonl. If it went to stderr, the failure is not printed there again.
    pub(crate) fn end(&mut self, built: Result<BuildOutcome, Failure>) -> Result<(), Failure> {
        let mut end = BuildEnd::default();
        if let Ok(outcome) = &built {
            end.build_ref = Some(outcome.build_ref.clone());
            end.digest = outcome.digest().map(|digest| digest.to_string());
            end.names = outcome.names().into_iter().map(str::to_owned).collect();
        }
        self.end_with(end, built.map(drop))
    }

    /// The same for a command that makes no image, or several.
    pub(crate) fn end_without_image(&mut self, ended: Result<(), Failure>) -> Result<(), Failure> {
        self.end_with(BuildEnd::default(), ended)
    }

    pub(super) fn copy(&self) -> Option<Box<dyn Write + Send>> {
        let file = self.copy.clone()?;
        Some(Box::new(file))
    }

    fn end_with(&mut self, end: BuildEnd, built: Result<(), Failure>) -> Result<(), Failure> {
        if self.mode != Mode::JsonLines {
            return built;
        }
        let end = match &built {
            Ok(()) => end,
            Err(failure) => failure.to_end(),
        };
        // The build does not fail if the reader is gone.
        let (mut sink, line) = (self.clone(), end.to_line());
        let _ = blocking::run(move || sink.write_all(&line));
        match built {
            Err(failure) if self.is_stderr => Err(failure.already_shown()),
            built => built,
        }
    }
}

impl Write for Sink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer.flush()
    }
}

/// A new file is private to its owner, as in buildctl: it contains names and output of steps.
fn open_trace(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    with_permissions(options.append(true).create(true), 0o600).open(path)
}
