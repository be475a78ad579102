//! Text that others wrote, made safe to show: names, messages and logs of daemons, registries and
//! Dockerfiles.
//!
//! - [`one_line`] and [`lines`] take out whatever a terminal would act on.
//! - [`LogFilter`] does the same with the output of a process as it comes, and keeps its colours.
//! - [`excerpt`] shows the lines of a file that an error is about.
//! - [`unified`] shows by which lines two texts differ.
//! - [`redact`] hides passwords and tokens.

mod difference;
mod excerpt;
mod log;
mod printable;
mod redact;
mod utf8;

pub use difference::unified;
pub use excerpt::excerpt;
pub use log::{LogFilter, coloured};
pub use printable::{clip, is_unprintable, lines, one_line};
pub use redact::{redact, redact_url, redact_values};
#[doc(hidden)]
pub use utf8::Utf8Stream;
