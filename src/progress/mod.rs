//! Events of a build, and their display.
//!
//! A build reports through a [`Writer`]: its own steps, and one [`Source`] per daemon's status
//! stream. A [`Display`] takes the other end, shows everything in one of the [`Mode`]s on any
//! `Write`, and returns a [`Summary`] with the failed steps and the warnings. [`render_failure`]
//! and [`render_warnings`] turn it into text. The caller reads the environment and the terminal's
//! size and passes them in [`Options`].
//!
//! ```
//! use solvekit::progress::{self, Display, Mode, Options};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let (writer, updates) = progress::channel();
//! let build = async move {
//!     let step = writer.step("[internal] load build definition from Dockerfile");
//!     let mut transfer = step.transfer("transferring dockerfile:");
//!     transfer.set_current(120);
//!     drop(transfer);
//!     step.done();
//!     // The display ends when the writer is gone.
//!     drop(writer);
//! };
//! let mut out = Vec::new();
//! let display = Display::new(Mode::Plain, &mut out, Options::default());
//! let (summary, ()) = tokio::join!(display.run(updates), build);
//! assert_eq!((summary.ended, summary.steps), (1, 1));
//! assert!(String::from_utf8_lossy(&out).contains("#1 transferring dockerfile: 120B"));
//! # }
//! ```
//!
//! [`View`] is the state between the two, for those who draw it themselves.

mod channel;
mod convert;
mod definition;
mod display;
mod ends;
mod event;
mod excerpt;
#[cfg(test)]
mod fixture;
mod group;
mod images;
mod interval;
mod json;
mod jsonl;
mod mode;
mod name;
mod palette;
mod plain;
mod rawjson;
mod report;
mod running;
mod source;
mod step;
mod tail;
mod text;
mod timeline;
mod tty;
mod view;

pub use channel::{Event, Sink, Updates, Writer, channel, channel_with_clock};
pub use display::{Display, Held, Hold, Options};
pub use ends::{StepEnd, StepEnds};
pub use event::{
    LogStream, ProgressGroup, SourceInfo, SourcePosition, SourceRange, StatusUpdate, Vertex,
    VertexLog, VertexStatus, Warning,
};
pub use excerpt::SourceExcerpt;
pub(crate) use json::format_time;
pub use jsonl::BuildEnd;
pub use mode::{Mode, ModeError};
pub use palette::{Palette, PaletteProblem};
pub use report::{FailedStep, Summary, render_failure, render_warnings};
pub use source::Source;
pub use step::{Step, Transfer};
pub use tail::LogTail;
pub(crate) use text::size;
pub use timeline::{Span, Timeline, TimelineStep};
pub use tty::Size;
pub use view::{StepState, StepView, View};
