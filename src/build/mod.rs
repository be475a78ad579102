//! The pipeline of a build: contexts → translate → solve → result → outputs.
//!
//! [`run`] reads the Dockerfile, resolves the base images of all platforms at once, translates the Dockerfile for each
//! platform, solves all graphs at the same time on the daemon, and lets the daemon export one image or image index.
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

mod bases;
mod context;
mod error;
mod explain;
mod export;
mod missing_source;
mod options;
mod outcome;
mod output;
mod pipeline;
mod platforms;
mod request;
mod result;
mod solve;

pub use error::{Error, SolveFailure, TranslateFailure};
pub use outcome::BuildOutcome;
pub use output::{Output, OutputKind};
pub use pipeline::{Environment, Prepared, prepare, run};
pub use request::{BuildRequest, Network, NoCache, Ulimit};
