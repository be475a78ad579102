//! The pipeline of a build: contexts → translate → solve → result → outputs.
//!
//! [`run`] reads the Dockerfile, opens a session that serves the context, and has [`crate::frontend`] translate and solve
//! it for all platforms at once; the daemon exports one image or image index. [`inquire`] prepares questions about a Dockerfile.
//!
//! ```no_run
//! use solvekit::build::{self, BuildRequest, Environment, Output};
//! use solvekit::client::{Address, Client, ConnectOptions};
//! use solvekit::oci::{Platform, Reference};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let address = Address::parse("unix:///run/buildkit/buildkitd.sock")?;
//! let client = Client::connect(&ConnectOptions::new(address)).await?;
//! let mut request = BuildRequest::new("examples/hello");
//! request.platforms = vec![Platform::parse("linux/amd64")?, Platform::parse("linux/arm64")?];
//! request.tags = vec![Reference::parse("localhost:5000/demo/hello:latest")?];
//! request.outputs = vec![Output::push()];
//! let outcome = build::run(&client, request, Environment::default()).await?;
//! println!("{:?}", outcome.digest());
//! # Ok(())
//! # }
//! ```

mod again;
mod annotation;
mod attended;
mod attestation;
mod cache;
mod cloud_cache;
mod entitlement;
mod error;
mod export;
mod fetch;
mod folder;
mod from;
mod gate;
mod host;
mod inputs;
mod layouts;
mod linked;
mod missing_source;
mod named;
mod native;
mod options;
mod outcome;
mod output;
mod part;
mod pipeline;
mod place;
mod policy;
mod provenance;
mod question;
mod reading;
mod remote_files;
mod request;
mod resources;
mod served;
mod shared;
mod sources;
mod spool;
mod stream;
mod temporary;

pub use crate::frontend::RemoteFiles;
pub use annotation::parse_annotations;
pub use attestation::Attestations;
pub use cache::{CacheDirection, cache_entry, parse_cache};
pub use cloud_cache::{add_inline_cache, with_credentials};
pub use entitlement::Entitlement;
pub use error::Error;
pub use from::{DockerfileFrom, MainContext, NamedContext, context_name};
pub use host::HostAddress;
pub use inputs::Inputs;
pub use outcome::BuildOutcome;
pub(crate) use output::is_by_digest;
pub use output::{Destination, Output, OutputKind, csv_fields};
pub use pipeline::{Environment, LoadTarget, OpenOutput, Prepared, Reconnect, prepare, run};
pub use place::{PlaceError, check_file, check_folder, make_parent};
pub use policy::PolicyUse;
pub use provenance::MetadataProvenance;
pub use question::{Inquiry, inquire};
pub use reading::read as read_inputs;
pub use remote_files::{RemoteRead, read_remote_files};
pub use request::{BuildRequest, Network, NoCache, OnFailure, Ulimit};
pub use resources::{Resources, parse_bytes};
pub use stream::InputStream;

pub(crate) use gate::Gate;
pub(crate) use shared::{Member, Shared, Together};
pub(crate) use temporary::TemporaryFolder;
