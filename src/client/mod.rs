//! A connection to one BuildKit daemon: addresses and transports, the Control calls, and failures.
//!
//! ```no_run
//! # async fn example() -> Result<(), solvekit::client::Error> {
//! use solvekit::client::{Address, Client, ConnectOptions};
//!
//! let address = Address::parse("unix:///run/buildkit/buildkitd.sock")?;
//! let client = Client::connect(&ConnectOptions::new(address)).await?;
//! for worker in client.workers().await? {
//!     println!("{} {:?}", worker.id, worker.platforms);
//! }
//! # Ok(())
//! # }
//! ```

mod address;
mod address_problem;
mod answer_problem;
mod build_record;
mod cache_tree;
mod channel;
mod child;
mod connect;
mod control;
mod daemon;
mod details;
mod details_json;
mod dialer;
mod docker;
mod engine;
mod engine_headers;
mod error;
mod failure;
mod history;
mod http2;
mod image_loader;
mod image_names;
mod load;
mod log_lines;
mod places;
mod pod;
mod policy;
mod problem;
mod process;
mod prune_plan;
mod push_failure;
mod recorded_result;
mod server_tls;
mod silence;
mod solve;
mod stream;
mod succession;
mod tls;
mod tls_problem;
mod transport;
mod usage;
mod worker;

pub use address::{Address, Endpoint};
pub use address_problem::AddressProblem;
pub use answer_problem::AnswerProblem;
pub use build_record::{BuildRecord, RecordStatus, RecordedError};
pub use cache_tree::{CacheTree, CachedBuild, TreeLine};
pub use connect::{CONNECT_TIMEOUT, ConnectOptions, TimeLimits, engine_info};
pub use control::Client;
pub use daemon::DaemonKind;
pub use details::{Detail, Operation, OperationDetail, SourceDetail};
pub use docker::EngineInfo;
pub(crate) use engine::registry_auth;
pub use engine::{Engine, EngineAnswer};
pub use engine_headers::{EngineHeaderProblem, EngineHeaders};
pub use error::Error;
pub use failure::{Code, Failure};
pub use history::{BuildEvent, BuildEventKind};
pub use image_loader::ImageLoader;
pub use load::load_image;
pub(crate) use log_lines::without_log_lines;
pub use places::{Surroundings, connect_default, default_addresses};
pub use pod::{ApiServer, Pod, PodEnd};
pub use policy::{
    SourceAction, SourceCondition, SourceConstraint, SourceMatch, SourcePolicy, SourcePolicyError,
    SourceRule, SourceSelector, SourceUpdate,
};
pub use problem::{ConnectProblem, Stage};
pub use process::Process;
pub(crate) use process::percent_decoded;
pub use prune_plan::{KeptRecords, PruneDoubt, PrunePlan};
pub use recorded_result::{EngineImage, EngineLayer, RecordedImage, RecordedProvenance};
pub use server_tls::ServerTls;
pub use silence::SILENCE_LIMIT;
pub use solve::{CacheEntry, Exporter, SolveRequest, SolveResponse};
pub use stream::ByteStream;
pub use tls::TlsOptions;
pub use tls_problem::{ClientCertificateProblem, ServerCertificateProblem, TlsFailure, TlsProblem};
pub use usage::{CacheRecord, PruneOptions};
pub use worker::{Device, GcRule, Version, Worker};

pub(crate) use channel::Channel;
pub(crate) use control::{failed, metadata_value};
#[cfg(feature = "otel")]
pub(crate) use dialer::open_stream;
pub(crate) use http2::{MESSAGE_LIMIT, channel_over};
pub(crate) use succession::Succession;
pub(crate) use usage::time_of;
pub(crate) use worker::{platform_from_proto, platform_to_proto};
