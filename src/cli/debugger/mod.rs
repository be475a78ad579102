//! Debugs builds at the terminal: `--debug`, `--debug-platform`, `--invoke`, and the prompt where
//! the build is paused.

mod files;
mod invoke;
mod monitor;
mod place;
mod processes;
mod shell;
pub(crate) mod terminal;
mod words;

use std::sync::Arc;

use solvekit::frontend::Hook;
use solvekit::oci::Platform;
use solvekit::progress::{Hold, Mode};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::args::headings::BUILD;
use super::environment::Environment;
use super::identity::Identity;
use super::interrupt;
use super::report::Failure;
use super::report::usage::DebugUsage;
pub(crate) use invoke::Invoke;
use monitor::Monitor;
use terminal::Keyboard;
pub(crate) use words::split as split_words;

/// The events at which a build is paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum When {
    /// A step failed
    #[value(name = "on-error", alias = "error")]
    OnError,
    /// A step failed, or everything is built
    Always,
    /// Before each step
    Step,
}

// The debugging flags of `build` and `bake`.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = BUILD)]
pub(crate) struct DebugFlags {
    /// Pause the build and open a shell in the step's container; also written --debug=WHEN
    #[arg(long = "debug-build", value_name = "WHEN")]
    when: Option<When>,

    /// Debug only this one of several platforms
    #[arg(long, value_name = "PLATFORM")]
    debug_platform: Option<String>,

    /// Run this where the build is paused, instead of /bin/sh: a program, or
    /// args=,entrypoint=,env=,user=,cwd=,tty=
    #[arg(long, value_name = "COMMAND")]
    invoke: Option<String>,
}

impl DebugFlags {
    /// Adds the flags of `debug`, which come before `build`.
    pub(crate) fn or(self, on: Option<When>, invoke: Option<String>) -> Self {
        let invoke = self.invoke.or(invoke);
        let otherwise = match &invoke {
            Some(_) => When::Always,
            None => When::OnError,
        };
        Self {
            when: Some(self.when.or(on).unwrap_or(otherwise)),
            invoke,
            ..self
        }
    }

    pub(crate) fn is_asked_for(&self) -> bool {
        self.when.is_some() || self.invoke.is_some()
    }

    /// Fails if they request a debugger, for a command that builds nothing.
    pub(crate) fn refuse_dry_run(&self) -> Result<(), DebugUsage> {
        match self.is_asked_for() {
            true => Err(DebugUsage::DryRun),
            false => Ok(()),
        }
    }

    /// The debugger, if these flags request it.
    pub(crate) fn debugging(
        &self,
        mode: Mode,
        reads_stdin: bool,
        environment: &Environment,
    ) -> Result<Option<Debugging>, Failure> {
        let Some(when) = self.when.or(self.invoke.as_ref().map(|_| When::Always)) else {
            return Ok(None);
        };
        if matches!(mode, Mode::RawJson | Mode::JsonLines) {
            return Err(DebugUsage::Progress.into());
        }
        if reads_stdin {
            return Err(DebugUsage::Stdin.into());
        }
        let platform = self.debug_platform.as_deref().map(Platform::parse);
        let platform = platform.transpose();
        let platform = platform.map_err(|error| Failure::from_error(&error))?;
        let invoke = self.invoke.as_deref().map(Invoke::parse).transpose()?;
        let settings = Settings {
            when,
            platform: platform.map(|platform| platform.normalized()),
            invoke: invoke.unwrap_or_default(),
            prompt: match environment.identity {
                Identity::Buildx => "buildx",
                _ => "solvekit",
            },
            keyboard: Mutex::default(),
        };
        Ok(Some(Debugging {
            settings: Arc::new(settings),
            interrupted: interrupt::token()?,
        }))
    }
}

/// The settings from the flags.
#[derive(Debug)]
struct Settings {
    when: When,
    platform: Option<Platform>,
    invoke: Invoke,
    /// The program's name in the prompt.
    prompt: &'static str,
    /// Opened at the first pause. One platform uses it at a time; it keeps input that was typed
    /// ahead.
    keyboard: Mutex<Option<Keyboard>>,
}

/// Builds that are debugged, one after another.
pub(crate) struct Debugging {
    settings: Arc<Settings>,
    interrupted: CancellationToken,
}

/// The connection between one build and the debugger.
#[derive(Clone)]
pub(crate) struct Debugged {
    /// Pauses the build at its steps.
    pub(crate) hook: Arc<dyn Hook>,
    /// Cancels the build.
    pub(crate) cancelled: CancellationToken,
    /// Pauses the display of the progress.
    pub(crate) hold: Hold,
}

impl Debugging {
    /// Repeats the build until the user stops retrying.
    pub(crate) async fn repeat<T>(
        &self,
        build: impl AsyncFn(&Debugged) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        loop {
            let (cancelled, hold) = (self.interrupted.child_token(), Hold::default());
            let settings = Arc::clone(&self.settings);
            let monitor = Arc::new(Monitor::new(settings, hold.clone(), cancelled.clone()));
            let debugged = Debugged {
                hook: Arc::clone(&monitor) as Arc<dyn Hook>,
                cancelled,
                hold,
            };
            let built = build(&debugged).await;
            if !monitor.wants_retry() || self.interrupted.is_cancelled() {
                return built;
            }
        }
    }
}
