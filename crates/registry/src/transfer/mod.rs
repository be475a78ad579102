//! Copies whole images between registries, OCI layouts, archives and the Docker Engine.
//!
//! Content is copied byte for byte, so digests stay the same, and every blob is verified. Several
//! blobs are copied concurrently, and none is held in memory as a whole. Existing blobs are not
//! sent again: an interrupted transfer resumes when it is started again.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use solvekit_core::oci::Reference;
//! use solvekit_registry::registry::{Client, ClientOptions, Credentials};
//! use solvekit_registry::transfer::{Options, Place, Plan, Source, push};
//!
//! let client = Client::new(Credentials::new("/home/me/.docker").into(), ClientOptions::default());
//! let source = Source::open(&Place::parse("oci:build/image:1.0")?, &client).await?;
//! let plan = Plan::of(&source, None).await?;
//! let names = [Reference::parse("registry.example.com/me/app:1.0")?];
//! push(&source, &plan, &names, &client, &Options::default()).await?;
//! # Ok(())
//! # }
//! ```

mod archive;
mod contents;
mod docker_save;
mod entries;
mod error;
mod event;
mod fetch;
mod pack;
mod place;
mod plan;
mod problem;
mod push;
mod source;
mod tar;
pub(crate) mod unpack;
mod untar;

pub use contents::{ContentsError, read_file};
pub use error::Error;
pub use event::{Event, How, Options};
pub use fetch::fetch;
pub use pack::{ArchiveKind, Pack};
pub use place::Place;
pub use plan::Plan;
pub use problem::{ArchiveProblem, ManifestProblem, PlaceProblem};
pub use push::push;
pub use source::Source;
pub use unpack::Zstd;
