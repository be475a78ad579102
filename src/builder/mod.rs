//! Named builders: the store shared with buildx, the docker CLI's contexts, drivers and their
//! options, and nodes that can be queried, started, stopped and removed.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use solvekit::builder::{Contexts, Instance, Store};
//!
//! let store = Store::new("/home/me/.docker/buildx");
//! let contexts = Contexts::new(Some("/home/me/.docker".into()), None, None)?;
//! if let Some(builder) = store.builder("mybuilder")? {
//!     for node in &builder.nodes {
//!         let instance = Instance::new(&builder, node, &contexts)?;
//!         println!("{} is {}", node.name, instance.status().await?);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod activity;
mod cluster_problem;
mod config;
mod container;
mod context;
mod driver;
mod error;
mod files;
mod health;
mod instance;
mod kubernetes;
mod lines;
mod local;
mod name;
mod option_problem;
mod options;
mod problem;
mod pull;
mod record;
mod remote;
mod report;
mod state;
mod store;
mod update;
mod words;

pub use cluster_problem::{ClusterRefusal, KubectlProblem, PodsProblem};
pub use config::DaemonConfig;
pub use context::{Contexts, DEFAULT_CONTEXT, EngineEndpoint};
pub use driver::Driver;
pub use error::Error;
pub use health::Health;
pub use instance::{Boot, Instance};
pub use kubernetes::kubernetes_endpoint;
pub(crate) use lines::Lines;
pub use name::{check_name, generate_name};
pub use option_problem::{OptionProblem, TolerationProblem};
pub use problem::{ConfigProblem, ContextProblem, NodeProblem};
pub(crate) use pull::pull;
pub use record::{Builder, Node};
pub use report::{PodReport, Report, Status};
pub use state::{BuildState, GroupState};
pub use store::{Locked, Store};
pub use update::NodeSettings;
pub use words::split_words;

/// Checks a `buildkitd.toml` with these bytes, using the same text for every certificate. No file
/// is read.
#[cfg(fuzzing)]
pub fn checked_config(bytes: &[u8]) -> Result<DaemonConfig, Error> {
    let certificate = |_: &std::path::Path| Ok(b"certificate".to_vec());
    DaemonConfig::of("buildkitd.toml".as_ref(), bytes.to_vec(), &certificate)
}
