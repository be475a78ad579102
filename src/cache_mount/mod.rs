//! Cache mounts: the folders of `RUN --mount=type=cache`, which a daemon keeps between builds.
//!
//! They are lost with the daemon, and no exporter of BuildKit includes them. [`export`] writes one
//! to a folder, a tar archive or a registry, [`import`] fills one, [`list`] lists them, and
//! [`remove`] removes one. All work on any daemon, even with another processor: a tiny program runs
//! in a container that mounts the folder, and makes the system calls that this side requests. No
//! image is pulled, and the memory does not grow with the size of the folder.
//!
//! ```no_run
//! # async fn example(
//! #     client: solvekit::client::Client,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! use solvekit::cache_mount::{CacheMount, Destination, export};
//! use tokio_util::sync::CancellationToken;
//!
//! let (mount, archive) = (CacheMount::new("go-build"), Destination::Archive("a.tar".into()));
//! let exported = export(&client, &mount, archive, &CancellationToken::new()).await?;
//! println!("{} files, {} bytes", exported.entries, exported.bytes);
//! # Ok(())
//! # }
//! ```

mod archive;
mod artifact;
mod attached;
mod entry;
mod error;
mod export;
mod folder;
mod identity;
mod import;
mod program;
mod records;
mod remote;
mod staging;
mod walk;

pub use artifact::MEDIA_TYPE;
pub use error::{ArchiveProblem, Error};
pub use export::{Destination, Exported, export};
pub use identity::{CacheMount, CacheOwner};
pub use import::{Imported, Input, import};
pub use records::{CacheMountRecord, Removed, list, remove};
