//! solvekit builds with BuildKit: it translates Dockerfiles to LLB, solves all platforms at once
//! and pushes one image index.
//!
//! - [`pipeline`] builds: from a folder with a Dockerfile and a daemon to one image index or files.
//! - [`spread`] builds on several daemons at once: each platform where it is native.
//! - [`dockerfile`] and [`translate`] need no daemon: they turn a Dockerfile's text into the graph
//!   and the image config.
//!
//! ```
//! use solvekit::translate::{Options, Outcome, ResolvedImages, translate};
//!
//! let dockerfile = solvekit::dockerfile::parse(b"FROM scratch\nCOPY . /\n")?;
//! let outcome = translate(&dockerfile, &Options::default(), &ResolvedImages::new())?;
//! if let Outcome::Done(done) = outcome {
//!     for vertex in done.definition.vertices() {
//!         println!("{} {}", vertex.digest(), vertex.metadata().name().unwrap_or_default());
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The modules are in reading order.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub use solvekit_core::{batch, dockerfile, ignore, llb, lock, oci, template, text, translate};
pub use solvekit_registry::{
    diff, files, imagetools, layout, manifest_list, registry, steps, transfer, walk,
};

pub(crate) use solvekit_core::{causes, filepath, suggest};
pub(crate) use solvekit_registry::task;

pub(crate) mod proto;

pub(crate) mod spans;

pub mod progress;

pub mod session;

pub mod client;

pub mod gateway;

pub mod frontend;

pub mod debug;

pub mod policy;

pub mod builder;

pub mod emulation;

pub mod cache_mount;

pub mod build_report;

pub mod bundle;

pub mod explain;

pub mod pipeline;

pub mod sign;

pub mod spread;

pub mod bake;

#[cfg(feature = "otel")]
pub mod trace;

#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    //! Entry points for the fuzz targets, which can only access public items.
    pub use crate::builder::checked_config;
    pub use crate::frontend::newest_file;
    pub use crate::session::{answer_agent, list_all, read_frames, receive_all};
}
