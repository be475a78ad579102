//! The display of progress, depending on the terminal and the environment of this process.

mod sink;

use std::io::{IsTerminal as _, stderr};

use solvekit::oci::Platform;
use solvekit::pipeline::BuildOutcome;
use solvekit::progress::{
    Display, Hold, Mode, ModeError, Options, Palette, Size, Summary, Updates, render_warnings,
};
use solvekit_host::signals::{self, Pauses};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

pub(crate) use self::sink::{ProgressArgs, Sink};
use super::Failure;
use super::terminal::{talk, talk_coloured};
use crate::cli::args::builder::Used;
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::interrupt::blocking;

/// The mode from `--progress`, `BUILDKIT_PROGRESS` and `--quiet`, for this process's stderr.
pub(crate) fn mode(asked: &str, quiet: bool, environment: &Environment) -> Result<Mode, Failure> {
    if quiet {
        return Ok(Mode::Quiet);
    }
    let resolved = asked
        .parse::<Mode>()
        .and_then(|mode| mode.resolve(environment.progress.as_deref(), stderr().is_terminal()));
    resolved.map_err(|error| {
        let words = match &error {
            ModeError::Unknown { name } => Some(format!("invalid progress mode {name}")),
            ModeError::NoTerminal => {
                Some("failed to get console: provided file is not a console".to_owned())
            }
            _ => None,
        };
        let failure = Failure::from_error(&error).in_buildx(words);
        failure.alone_in_buildx(true)
    })
}

/// Shows a step of the start of a builder, before the build begins.
pub(crate) fn boot(mode: Mode, line: &str) {
    if matches!(mode, Mode::Tty | Mode::Plain) {
        talk(&format!("{line}\n"));
    }
}

/// Shows updates until their channel is closed.
pub(crate) fn start(
    mode: Mode,
    sink: Sink,
    platform: Option<String>,
    used: &Used,
    environment: &Environment,
    updates: Updates,
) -> Showing {
    start_with(None, mode, sink, platform, used, environment, updates)
}

/// The same. A debugger's `hold` pauses it while the debugger uses the terminal.
pub(crate) fn start_with(
    hold: Option<Hold>,
    mode: Mode,
    sink: Sink,
    platform: Option<String>,
    used: &Used,
    environment: &Environment,
    updates: Updates,
) -> Showing {
    let is_debugged = hold.is_some();
    let hold = hold.unwrap_or_default();
    let pausing = (mode == Mode::Tty && !is_debugged).then(|| hold.clone());
    let mut options = Options {
        hold,
        description: (environment.identity != Identity::Buildctl).then(|| {
            format!(
                "building with {:?} instance using {} driver",
                used.builder, used.driver
            )
        }),
        title: Some(format!("{}:{}", used.driver, used.builder)),
        wording: environment.identity.wording(),
        palette: palette(environment),
        platform,
        size: Box::new(terminal_size),
        copy: sink.copy(),
        ..Options::default()
    };
    if let Some(lines) = environment
        .tty_log_lines
        .as_ref()
        .and_then(|text| text.parse().ok())
    {
        options.log_lines = lines;
    }
    on_own_thread(Display::new(mode, sink, options), updates, pausing)
}

/// Shows updates of a command without a builder, until their channel is closed.
pub(crate) fn start_alone(
    mode: Mode,
    sink: Sink,
    phase: &str,
    environment: &Environment,
    updates: Updates,
) -> Showing {
    let options = Options {
        phase: phase.to_owned(),
        wording: environment.identity.wording(),
        palette: palette(environment),
        size: Box::new(terminal_size),
        copy: sink.copy(),
        ..Options::default()
    };
    on_own_thread(Display::new(mode, sink, options), updates, None)
}

/// Runs a display on a thread of its own: a terminal that is paused (Ctrl-S), or a pipe that nobody
/// reads, must not stop the build.
fn on_own_thread(display: Display<Sink>, updates: Updates, pausing: Option<Hold>) -> Showing {
    let runtime = Handle::current();
    let shown = tokio::task::spawn_blocking(move || runtime.block_on(display.run(updates)));
    if let Some(hold) = pausing {
        // Until the command ends: Ctrl-Z no longer pauses it by itself.
        tokio::spawn(pause_with(hold));
    }
    Showing(shown)
}

/// Pauses the process after Ctrl-Z. The display then continues below what the shell has printed,
/// instead of over it.
async fn pause_with(hold: Hold) {
    let mut pauses = Pauses::watch();
    loop {
        pauses.next().await;
        let held = hold.stop().await;
        // If it cannot be paused, it continues.
        let _ = signals::pause();
        drop(held);
    }
}

/// Progress that is being shown.
pub(crate) struct Showing(JoinHandle<Summary>);

impl Showing {
    /// Waits until everything is shown; after an interrupt not longer than a second. The channel of
    /// the updates must be closed.
    pub(crate) async fn end(self) -> Summary {
        let shown = blocking::wait(self.0).await;
        shown.and_then(Result::ok).unwrap_or_default()
    }
}

/// Shows the warnings at the end of a build.
pub(crate) fn warnings(summary: &Summary, mode: Mode, environment: &Environment) {
    if matches!(mode, Mode::Tty | Mode::Plain) {
        talk_coloured(&render_warnings(
            &summary.warnings,
            (!environment.debug).then(|| environment.identity.expanding()),
            &palette(environment),
        ));
    }
}

/// Shows the image in one line: its names, digest and platforms. buildx has no such line.
pub(crate) fn result(outcome: &BuildOutcome, environment: &Environment) {
    if environment.identity == Identity::Buildx {
        return;
    }
    let platforms: Vec<String> = outcome.built.iter().map(Platform::to_string).collect();
    if let Some(digest) = outcome.digest() {
        let line = result_line(&outcome.names(), digest.as_str(), &platforms);
        talk(&format!("\n {line}\n"));
    }
}

/// Shows links to the builds in Docker Desktop, by target, if it is installed.
pub(crate) fn details(builds: &[(&str, String)], mode: Mode, environment: &Environment) {
    let desktop = environment.docker_config.as_ref();
    let desktop = desktop.map(|folder| folder.join("desktop-build/.lastaccess"));
    let is_there = desktop.is_some_and(|mark| mark.exists());
    if is_there && !builds.is_empty() && matches!(mode, Mode::Tty | Mode::Plain) {
        talk(&format!("\nView build details: {}\n", links(builds)));
    }
}

fn links(builds: &[(&str, String)]) -> String {
    match builds {
        [(_, full_ref)] => desktop_url(full_ref),
        several => {
            let lines = several.iter();
            let lines = lines.map(|(target, it)| format!("\n  {target}: {}", desktop_url(it)));
            lines.collect()
        }
    }
}

/// The link to a build in Docker Desktop.
pub(crate) fn desktop_url(full_ref: &str) -> String {
    format!("docker-desktop://dashboard/build/{full_ref}")
}

fn result_line(names: &[&str], digest: &str, platforms: &[String]) -> String {
    let mut line = names.join(", ");
    if !line.is_empty() {
        line.push(' ');
    }
    line.push_str(digest);
    if platforms.len() > 1 {
        line.push_str(&format!(" ({})", platforms.join(", ")));
    }
    line
}

fn palette(environment: &Environment) -> Palette {
    let colours = stderr().is_terminal() && !environment.no_color;
    match &environment.colors {
        _ if !colours => Palette::none(),
        Some(colors) => Palette::parse(colors).0,
        None => Palette::default(),
    }
}

fn terminal_size() -> Option<Size> {
    let (columns, rows) = solvekit_host::terminal::error_size()?;
    Some(Size { columns, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_one_line_with_its_platforms() {
        let platforms = ["linux/amd64".to_owned(), "linux/arm64".to_owned()];
        assert_eq!(
            result_line(&["r/a:1", "r/a:2"], "sha256:abc", &platforms),
            "r/a:1, r/a:2 sha256:abc (linux/amd64, linux/arm64)"
        );
        assert_eq!(
            result_line(&[], "sha256:abc", &platforms[..1]),
            "sha256:abc"
        );
    }

    #[test]
    fn builds_are_linked_as_buildx_does() {
        let [a, b] = [("a", "x/y/1".to_owned()), ("b", "x/y/2".to_owned())];
        assert_eq!(
            links(std::slice::from_ref(&a)),
            "docker-desktop://dashboard/build/x/y/1"
        );
        assert_eq!(
            links(&[a, b]),
            "\n  a: docker-desktop://dashboard/build/x/y/1\n  b: \
             docker-desktop://dashboard/build/x/y/2"
        );
    }
}
