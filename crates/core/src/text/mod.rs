//! Makes text from others safe to show: names, messages and logs of daemons, registries and
//! Dockerfiles.
//!
//! - [`one_line`] and [`lines`] remove all characters that act on a terminal.
//! - [`LogFilter`] does the same with a process's output as it arrives, and keeps its colours.
//! - [`excerpt`] shows the lines of a file around an error.
//! - [`unified`] shows the lines by which two texts differ.
//! - [`redact`] hides passwords and tokens.
//! - [`without_error_numbers`] removes the numbers of system errors.
//! - [`csv_fields`] splits comma-separated values.

mod csv;
mod difference;
mod error_number;
mod excerpt;
mod log;
mod lower_case;
mod percent;
mod position;
mod printable;
mod redact;
mod utf8;

pub use csv::{CsvError, csv_fields, csv_fields_by};
pub use difference::unified;
pub use error_number::without_error_numbers;
pub use excerpt::excerpt;
pub use log::{LogFilter, coloured};
pub(crate) use lower_case::lower_case;
#[doc(hidden)]
pub use percent::percent_decoded;
pub(crate) use position::position;
pub use printable::{clip, is_unprintable, lines, one_line};
pub use redact::{redact, redact_url, redact_values};
#[doc(hidden)]
pub use utf8::Utf8Stream;
