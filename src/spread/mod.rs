//! Builds on several nodes: each platform on the node that serves it best, all at once, with one
//! image index at the end.
//!
//! [`assign`] decides which node builds what, and is pure; [`Placement`] is its choice among equal
//! nodes. [`Nodes`] asks nodes for their platforms
//! and builds on them. Nodes push without names until all parts are complete, so a tag never points
//! to an incomplete image.
//!
//! ```no_run
//! use solvekit::pipeline::{self, BuildRequest, Environment, Output};
//! use solvekit::client::{Address, Client, ConnectOptions};
//! use solvekit::oci::{Platform, Reference};
//! use solvekit::registry::{self, ClientOptions, Credentials};
//! use solvekit::spread::{Node, Nodes};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let mut nodes = Vec::new();
//! for (name, address) in [("amd", "tcp://amd.test:1234"), ("arm", "tcp://arm.test:1234")] {
//!     let client = Client::connect(&ConnectOptions::new(Address::parse(address)?)).await?;
//!     nodes.push(Node { name: name.into(), client, platforms: Vec::new() });
//! }
//! let (nodes, silent) = Nodes::survey(nodes).await;
//! let mut request = BuildRequest::new(".");
//! request.platforms = vec![Platform::parse("linux/amd64")?, Platform::parse("linux/arm64")?];
//! request.tags = vec![Reference::parse("registry.test/app:1")?];
//! request.outputs = vec![Output::push()];
//! let prepared = pipeline::prepare(request).await?;
//! let plan = nodes.plan(&prepared, silent)?;
//! let registries = registry::Client::new(Credentials::none().into(), ClientOptions::default());
//! let built = nodes.build(&prepared, plan, &registries, Environment::default()).await?;
//! println!("{:?}", built.outcome.digest());
//! # Ok(())
//! # }
//! ```

mod assign;
mod cache_config;
mod caches;
mod error;
mod index;
mod join_error;
mod merge;
mod node;
mod outcome;
mod part;
mod placement;
mod plan;
mod pool;
mod publish;
mod run;
mod stage;
mod together;
mod work;

pub use assign::{Fit, Offer, Rules, Share, assign, fit};
pub use error::{Error, Silent};
pub use join_error::JoinError;
pub use node::{Node, Nodes, Surveyed};
pub use outcome::{Built, BuiltPart};
pub use placement::{Placement, UnknownPlacement};
pub use plan::Plan;
pub use pool::{PoolNode, pool_node};
pub use publish::{Publish, PushFrom};
pub use together::{Ended, Joint, Target};
