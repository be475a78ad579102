//! Local manifest lists that are built before they are pushed, as with `docker manifest`.
//!
//! The lists are in docker's folder (`$DOCKER_CONFIG/manifests`) and format, so both programs can
//! continue each other's lists: a folder per list, a JSON file per manifest.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use solvekit_registry::manifest_list::{Lists, fetch};
//! use solvekit_core::oci::Reference;
//! use solvekit_registry::registry::{Client, ClientOptions, Credentials};
//!
//! let client = Client::new(Credentials::none().into(), ClientOptions::default());
//! let lists = Lists::new("/home/me/.docker/manifests");
//! let list = Reference::parse("localhost:5000/app:1")?;
//! for entry in fetch(&client, &Reference::parse("localhost:5000/app:1-amd64")?).await? {
//!     lists.save(&list, &entry)?;
//! }
//! # Ok(())
//! # }
//! ```

mod entry;
mod error;
mod fetch;
mod list;
mod push;
mod store;
mod text;

pub use entry::{Annotations, Entry};
pub use error::{EntryProblem, Error};
pub use fetch::fetch;
pub use list::list_json;
pub use push::push;
pub use store::Lists;
pub use text::indent;
