//! The task that shows a build: it takes updates, draws at a limited rate, and ends with the
//! channel.

mod hold;

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::channel::{Event, Updates};
use super::jsonl::JsonLines;
use super::mode::Mode;
use super::palette::Palette;
use super::plain::Plain;
use super::rawjson;
use super::report::Summary;
use super::tty::{Look, RESTORE, Size, Tty};
use super::view::View;
use crate::dockerfile::Wording;
use hold::State;
pub use hold::{Held, Hold};

/// The time between two redraws.
const REDRAW_EVERY: Duration = Duration::from_millis(100);

/// Display options. The caller reads the environment; nothing here does.
pub struct Options {
    /// The first line of plain output, e.g. `building with "default" instance using docker driver`.
    pub description: Option<String>,
    /// The text at the right of the tty's header, e.g. `docker:default`.
    pub title: Option<String>,
    /// The verb in the tty's header.
    pub phase: String,
    /// The wording of the reports of failed steps.
    pub wording: Wording,
    /// The colours of the tty (`BUILDKIT_COLORS`, `NO_COLOR`).
    pub palette: Palette,
    /// The maximum number of log lines of a running step in the tty (`BUILDKIT_TTY_LOG_LINES`).
    pub log_lines: usize,
    /// True to cut long names in plain output (`PROGRESS_NO_TRUNC=0`).
    pub truncate_names: bool,
    /// The platform of a single-platform build, which `jsonl` adds to steps without a platform in
    /// their name.
    pub platform: Option<String>,
    /// Returns the terminal's size at each redraw; `None` if unknown.
    pub size: Box<dyn Fn() -> Option<Size> + Send>,
    /// Pauses the display while something else uses the terminal.
    pub hold: Hold,
    /// This client's clock.
    pub clock: fn() -> SystemTime,
    /// Also receives every update, as a line of `rawjson`.
    pub copy: Option<Box<dyn Write + Send>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            description: None,
            title: None,
            phase: "Building".into(),
            wording: Wording::Own,
            palette: Palette::default(),
            log_lines: 6,
            truncate_names: false,
            platform: None,
            size: Box::new(|| None),
            hold: Hold::default(),
            clock: SystemTime::now,
            copy: None,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            description,
            title,
            phase,
            wording,
            palette,
            log_lines,
            truncate_names,
            platform,
            size: _,
            hold: _,
            clock: _,
            copy: _,
        } = self;
        let mut out = f.debug_struct("Options");
        out.field("description", description)
            .field("title", title)
            .field("phase", phase)
            .field("wording", wording)
            .field("palette", palette);
        out.field("log_lines", log_lines)
            .field("truncate_names", truncate_names)
            .field("platform", platform)
            .finish_non_exhaustive()
    }
}

/// Shows builds on a writer.
///
/// If it is dropped early, it restores the terminal and leaves the last redraw.
#[derive(Debug)]
pub struct Display<W: Write> {
    renderer: Renderer,
    view: View,
    out: Output<W>,
    size: SizeOf,
    hold: Hold,
    wording: Wording,
    clock: fn() -> SystemTime,
    copy: Option<Copied>,
}

#[derive(Debug)]
enum Renderer {
    Silent,
    RawJson,
    JsonLines(Box<JsonLines>),
    Plain(Box<Plain>),
    Tty(Box<Tty>),
}

impl<W: Write> Display<W> {
    /// Creates a display. [Resolve](Mode::resolve) [`Mode::Auto`] first; here it means plain.
    pub fn new(mode: Mode, writer: W, options: Options) -> Self {
        let look = Look {
            phase: options.phase,
            description: options.title.unwrap_or_default(),
            palette: options.palette,
            log_lines: options.log_lines,
        };
        let renderer = match mode {
            Mode::None | Mode::Quiet => Renderer::Silent,
            Mode::RawJson => Renderer::RawJson,
            Mode::JsonLines => Renderer::JsonLines(Box::new(JsonLines::new(options.platform))),
            Mode::Tty => Renderer::Tty(Box::new(Tty::new(look))),
            Mode::Plain | Mode::Auto => Renderer::Plain(Box::new(Plain::new(
                options.description,
                options.truncate_names,
            ))),
        };
        let out = Output {
            writer,
            error: None,
            dirty: false,
        };
        Self {
            renderer,
            view: View::default(),
            out,
            size: SizeOf(options.size),
            hold: options.hold,
            wording: options.wording,
            clock: options.clock,
            copy: options.copy.map(Copied),
        }
    }

    /// Shows all updates until the channel ends, then draws the final state.
    pub async fn run(mut self, mut updates: Updates) -> Summary {
        let mut ticks = interval_at(Instant::now() + REDRAW_EVERY, REDRAW_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut changed = true;
        let (mut hold, mut is_stopped) = (self.hold.watch(), false);
        // The pause may have been requested before the display began.
        hold.mark_changed();
        let urgent = updates.urgent();
        while !updates.is_ended() {
            let draws = !is_stopped && self.wants_ticks(changed);
            // Events are shown at the next redraw, so they need not wake this task before.
            let waits = draws && changed;
            tokio::select! {
                event = updates.recv(), if !waits => match event {
                    Some(event) => {
                        self.take(&event);
                        changed = true;
                    }
                    None => break,
                },
                () = urgent.notified(), if waits => self.take_all(&mut updates),
                Ok(()) = hold.changed() => {
                    let asked = *hold.borrow_and_update();
                    if asked == State::Asked {
                        self.take_all(&mut updates);
                        self.rest();
                    }
                    is_stopped = asked != State::Running;
                    changed = true;
                }
                _ = ticks.tick(), if draws => {
                    self.take_all(&mut updates);
                    self.draw();
                    changed = false;
                }
            }
        }
        self.finish()
    }

    fn take_all(&mut self, updates: &mut Updates) {
        while let Some(event) = updates.try_recv() {
            self.take(&event);
        }
    }

    /// Takes an event. Modes without a redraw rate write it at once.
    pub fn take(&mut self, event: &Event) {
        // A daemon's clock is compared with the time when its event came.
        let now = (self.clock)() - event.age();
        let changes = self.view.take_in(event.source, &event.update, now);
        self.write_copy(event);
        match &mut self.renderer {
            Renderer::RawJson => self.out.write(&rawjson::render(&event.update)),
            Renderer::JsonLines(lines) => self.out.write(&lines.render(&event.update, now)),
            Renderer::Plain(plain) => plain.note(&event.update, &changes, now),
            Renderer::Silent | Renderer::Tty(_) => {}
        }
    }

    /// The first error ends the copy, but does not fail the build.
    fn write_copy(&mut self, event: &Event) {
        if let Some(Copied(copy)) = &mut self.copy
            && copy.write_all(&rawjson::render(&event.update)).is_err()
        {
            self.copy = None;
        }
    }

    /// Draws the current state, whatever the rate.
    pub fn draw(&mut self) {
        let now = (self.clock)();
        match &mut self.renderer {
            Renderer::Silent | Renderer::RawJson | Renderer::JsonLines(_) => {}
            Renderer::Plain(plain) => self.out.write(&plain.print(&self.view, now)),
            Renderer::Tty(tty) => self.out.draw(&tty.draw(&self.view, self.size.get(), now)),
        }
    }

    /// Draws the current state, and continues below it.
    fn rest(&mut self) {
        self.draw();
        if let Renderer::Tty(tty) = &mut self.renderer {
            tty.move_on();
        }
        self.hold.stopped();
    }

    /// Draws the final state.
    pub fn finish(mut self) -> Summary {
        let now = (self.clock)();
        match &mut self.renderer {
            Renderer::Silent | Renderer::RawJson | Renderer::JsonLines(_) => {}
            Renderer::Plain(plain) => self.out.write(&plain.finish(&self.view, now)),
            Renderer::Tty(tty) => self.out.draw(&tty.finish(&self.view, self.size.get(), now)),
        }
        let mut summary = Summary::new(&self.view, now);
        summary.write_error = self.out.error.take();
        for step in &mut summary.failed {
            step.wording = self.wording;
        }
        summary
    }

    /// Returns true if it must redraw without an event: a tty shows the time, and in plain output
    /// another step may have its turn.
    fn wants_ticks(&self, changed: bool) -> bool {
        match &self.renderer {
            Renderer::Silent | Renderer::RawJson | Renderer::JsonLines(_) => false,
            Renderer::Plain(plain) => changed || plain.is_waiting(),
            Renderer::Tty(_) => true,
        }
    }
}

/// Returns the terminal's size.
struct SizeOf(Box<dyn Fn() -> Option<Size> + Send>);

impl SizeOf {
    fn get(&self) -> Size {
        let known = (self.0)().filter(|size| size.columns > 0 && size.rows > 0);
        known.unwrap_or_default()
    }
}

impl std::fmt::Debug for SizeOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SizeOf")
    }
}

/// Also receives every update.
struct Copied(Box<dyn Write + Send>);

impl std::fmt::Debug for Copied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Copied")
    }
}

/// A writer that stops at its first error: a build must not fail because its output was closed.
#[derive(Debug)]
struct Output<W: Write> {
    writer: W,
    error: Option<io::Error>,
    /// True if the last output moved the cursor.
    dirty: bool,
}

impl<W: Write> Output<W> {
    fn write(&mut self, data: &[u8]) {
        if self.error.is_none() && !data.is_empty() {
            self.error = self
                .writer
                .write_all(data)
                .and_then(|()| self.writer.flush())
                .err();
        }
    }

    fn draw(&mut self, text: &str) {
        self.dirty = true;
        self.write(text.as_bytes());
        // A completely written redraw has restored the terminal.
        self.dirty = self.error.is_some();
    }
}

impl<W: Write> Drop for Output<W> {
    fn drop(&mut self) {
        if self.dirty {
            let _ = self
                .writer
                .write_all(RESTORE.as_bytes())
                .and_then(|()| self.writer.flush());
        }
    }
}

#[cfg(test)]
mod tests;
