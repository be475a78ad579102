//! OpenTelemetry traces: the spans of this library for a collector (OTLP), and the same trace in
//! the daemon. Needs the feature `otel`.
//!
//! A [`Recorder`] is a layer for `tracing-subscriber` that holds the spans of one trace. While it
//! is installed, every call to a daemon carries the header `traceparent`, so the daemon's spans
//! belong to the trace. [`Recorder::send_to_daemons`] adds this library's spans to the daemons'
//! records of builds, and [`Recorder::send`] sends them to the collector. Nothing runs in the
//! background.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use solvekit::trace::{Recorder, Settings};
//! use tracing_subscriber::layer::SubscriberExt as _;
//! use tracing_subscriber::util::SubscriberInitExt as _;
//!
//! let variable = |name: &str| std::env::var(name).ok();
//! if let Some(settings) = Settings::from_variables(variable, "my-tool")? {
//!     let recorder = Recorder::new(settings)?;
//!     tracing_subscriber::registry().with(recorder.clone()).init();
//!     // … builds …
//!     recorder.send_to_daemons().await;
//!     recorder.send().await?;
//! }
//! # Ok(())
//! # }
//! ```

mod collector;
mod context;
mod endpoint;
mod messages;
mod problem;
mod recorder;
mod sampler;
mod send;
mod settings;
mod variables;

pub use context::TraceContext;
pub use problem::{ExportProblem, SettingProblem};
pub use recorder::Recorder;
pub use settings::Settings;

pub(crate) use recorder::{add_headers, connected};
