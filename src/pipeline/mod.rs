//! The pipeline of a build: contexts → translate → solve → result → outputs.
//!
//! [`run`] reads the Dockerfile, opens a session that serves the context, and has
//! [`crate::frontend`] translate and solve it for all platforms at once; the daemon exports one
//! image or image index. [`inquire`] prepares questions about a Dockerfile.
//!
//! ```no_run
//! use solvekit::pipeline::{self, BuildRequest, Environment, Output};
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
//! let outcome = pipeline::run(&client, request, Environment::default()).await?;
//! println!("{:?}", outcome.digest());
//! # Ok(())
//! # }
//! ```

mod error;
mod export;
mod inputs;
mod request;
mod run;

pub use crate::frontend::RemoteFiles;
pub use error::{Error, PolicyError};
pub use export::engine::EngineLack;
pub use export::place::{PlaceError, check_file, check_folder, make_parent};
pub use inputs::Inputs;
pub use inputs::named::local_name;
pub use inputs::reading::read as read_inputs;
pub use request::annotation::parse_annotations;
pub use request::attestation::Attestations;
pub(crate) use request::cache::ON_FAILURE;
pub use request::cache::{CacheDirection, cache_entry, parse_cache};
pub use request::cloud_cache::{add_inline_cache, with_credentials};
pub use request::entitlement::Entitlement;
pub use request::files::{EntryKind, FileEntry, FileSource};
pub use request::folders::Folders;
pub use request::from::{DockerfileFrom, MainContext, NamedContext, context_name};
pub use request::ignored::IgnoredValue;
pub use request::output::{Destination, Output, OutputKind};
pub use request::resources::{Resources, parse_bytes};
pub use request::stream::InputStream;
pub use request::value::ValueError;
pub use request::{BuildRequest, Network, NoCache, OnFailure};
pub use run::asking::ask;
pub use run::environment::{Environment, LoadTarget, OpenOutput, PushRetries, Reconnect};
pub use run::graph::{GraphRequest, Solved, Work, solve};
pub use run::host::HostAddress;
pub use run::outcome::BuildOutcome;
pub use run::prepared::{Prepared, prepare};
pub use run::provenance::MetadataProvenance;
pub use run::question::{Inquiry, inquire};
pub use run::remote_files::{RemoteRead, read_remote_files};
pub use run::run;
pub use run::started::{Started, StartedBuild};
pub use run::step_limit::StepLimit;
pub use solvekit_core::text::{CsvError, csv_fields};
pub use solvekit_core::units::{Ulimit, UlimitError};

pub(crate) use inputs::temporary::TemporaryFolder;
pub(crate) use request::output::is_by_digest;
pub(crate) use run::gate::Gate;
pub(crate) use run::retry::Failed;
pub(crate) use run::shared::{Member, Shared, Together};
