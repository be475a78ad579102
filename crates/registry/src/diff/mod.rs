//! Compares images and reports their differences, down to the files of a layer.
//!
//! Manifests and configs are compared field by field. Layers are streamed: a comparison keeps the
//! names of a layer's files in memory, not their content, and common blobs are not fetched.
//! Attestations are counted but not compared, because they contain times and machines.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use solvekit_registry::diff::{self, compare};
//! use solvekit_registry::registry::{Client, ClientOptions, Credentials};
//! use solvekit_registry::transfer::{Place, Source};
//!
//! let client = Client::new(Credentials::none().into(), ClientOptions::default());
//! let pushed = Source::open(&Place::parse("registry.example.com/me/app:1.0")?, &client).await?;
//! let built = Source::open(&Place::parse("oci:build/image")?, &client).await?;
//! let diff = compare(&pushed, &built, &diff::Options::default()).await?;
//! for platform in diff.platforms.iter().filter(|platform| !platform.same) {
//!     for layer in &platform.layers {
//!         println!("{}: layer {} has {} changed files", platform.platform, layer.index,
//!             layer.files.total);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod causes;
mod compare;
mod error;
mod fields;
mod files;
mod images;
mod layers;
mod listing;
mod report;

pub use causes::{Cause, causes};
pub use compare::compare;
pub use error::Error;
pub use files::compare_archives;
pub use report::{
    Change, Difference, FieldDiff, FileDiff, FilesDiff, ImageDiff, LayerDiff, LayerHow, Options,
    PlatformDiff, What,
};
