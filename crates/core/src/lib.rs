//! solvekit-core: translates a Dockerfile into BuildKit's build graph (LLB) and an image config.
//!
//! No I/O, no waiting, no access to clocks or the environment: equal input gives equal bytes.
//! [`solvekit`](https://docs.rs/solvekit) connects, solves and pushes on top of it.
//!
//! ```
//! use solvekit_core::translate::{Options, Outcome, ResolvedImages, translate};
//!
//! let dockerfile = solvekit_core::dockerfile::parse(b"FROM scratch\nCOPY . /\n")?;
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

#[doc(hidden)]
pub mod causes;
#[doc(hidden)]
pub mod filepath;
#[doc(hidden)]
pub mod suggest;
#[doc(hidden)]
pub mod varint;

pub mod text;

pub mod units;

pub mod oci;

pub mod template;

pub mod dockerfile;

pub mod ignore;

pub mod llb;

pub mod translate;

pub mod lock;

pub mod explain;

pub mod batch;

#[doc(hidden)]
pub mod proto;
