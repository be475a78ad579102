//! How progress is shown for this process: its terminal, its environment.

use std::io::{IsTerminal as _, Write as _, stderr};

use solvekit::build::BuildOutcome;
use solvekit::progress::{
    Display, Mode, Options, Palette, Size, Summary, Updates, render_warnings,
};
use tokio::task::JoinHandle;

use super::Failure;
use super::connection::Builder;
use super::environment::Environment;

/// The mode of `--progress`, `BUILDKIT_PROGRESS` and `--quiet`, for this stderr.
pub(super) fn mode(asked: &str, quiet: bool, environment: &Environment) -> Result<Mode, Failure> {
    if quiet {
        return Ok(Mode::Quiet);
    }
    let resolved = asked
        .parse::<Mode>()
        .and_then(|mode| mode.resolve(environment.progress.as_deref(), stderr().is_terminal()));
    resolved.map_err(|error| Failure::from_error(&error))
}

/// Shows updates on stderr until their channel closes.
pub(super) fn start(
    mode: Mode,
    builder: &Builder,
    environment: &Environment,
    updates: Updates,
) -> JoinHandle<Summary> {
    let mut options = Options {
        description: Some(format!(
            "building with {:?} instance using {} driver",
            builder.name, builder.driver
        )),
        title: Some(format!("{}:{}", builder.driver, builder.name)),
        palette: palette(environment),
        size: Box::new(terminal_size),
        ..Options::default()
    };
    if let Some(lines) = environment
        .tty_log_lines
        .as_ref()
        .and_then(|text| text.parse().ok())
    {
        options.log_lines = lines;
    }
    tokio::spawn(Display::new(mode, stderr(), options).run(updates))
}

/// The warnings at the end of a build.
pub(super) fn warnings(summary: &Summary, mode: Mode, expand: bool, environment: &Environment) {
    if matches!(mode, Mode::Tty | Mode::Plain) {
        let text = render_warnings(&summary.warnings, expand, &palette(environment));
        let _ = stderr().write_all(text.as_bytes());
    }
}

/// The names and the digest of the image, for people.
pub(super) fn result(outcome: &BuildOutcome) {
    let Some(digest) = outcome.digest() else {
        return;
    };
    let mut text = String::from("\n");
    for name in outcome.names() {
        text.push_str(&format!(" {name}\n"));
    }
    text.push_str(&format!(" {digest}\n"));
    let _ = stderr().write_all(text.as_bytes());
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
    let size = rustix::termios::tcgetwinsize(stderr()).ok()?;
    Some(Size {
        columns: size.ws_col,
        rows: size.ws_row,
    })
}
