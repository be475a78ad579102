//! LLBBridge: what a frontend asks the daemon for while a build runs.
//!
//! A client is a frontend when its [`crate::client::SolveRequest`] has neither a definition nor a frontend: the daemon then
//! waits for the result that the [`Bridge`] of the same build reference returns. Both run at the same time:
//!
//! ```no_run
//! # async fn example(client: solvekit::client::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use solvekit::{
//!     client::SolveRequest,
//!     gateway::{Bridge, BuildResult, SolveOptions},
//!     llb::{Constraints, MarshalOptions, ResolveMode},
//! };
//!
//! let build_ref = "k2v9x7c1q5w8r4t6y3u0p2a1s";
//! let request = SolveRequest { build_ref: build_ref.to_owned(), ..SolveRequest::default() };
//! let frontend = async {
//!     let bridge = Bridge::open(&client, build_ref).await?;
//!     let state = solvekit::llb::image("docker.io/library/alpine:latest", ResolveMode::Default, Constraints::new());
//!     let definition = state.marshal(&MarshalOptions::default())?;
//!     let solved = bridge.solve(&definition, &SolveOptions::default()).await?;
//!     bridge.return_result(&BuildResult::one(solved)).await?;
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! };
//! let (solved, translated) = tokio::join!(client.solve(request), frontend);
//! solved?;
//! translated?;
//! # Ok(())
//! # }
//! ```

mod bridge;
mod caps;
mod files;
mod missing;
mod open;
mod result;
mod source;
mod standard;
mod warning;

pub use bridge::{Bridge, Forward, SolveOptions};
pub use caps::Capabilities;
pub use files::{FileInfo, FileKind};
pub use missing::MissingCapability;
pub use result::{Attestation, AttestationKind, BuildResult, Ref, Refs, Subject, SubjectKind};
pub use source::{
    GitSource, HttpSource, ImageQuery, OciLayout, ResolvedImage, ResolvedSource, SourceQuery,
};
pub use standard::FrontendEnvironment;
pub use warning::Warning;

use crate::client::{self, Failure};

/// Why the daemon did not do what a frontend asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The daemon refused a call or failed in it, or the connection was lost.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// The daemon cannot do what is needed.
    #[error("{0}")]
    MissingCapability(Box<MissingCapability>),
    /// The standard streams do not lead to a daemon.
    #[error("standard {which} does not lead to BuildKit")]
    StandardStreams {
        /// Which of them.
        which: &'static str,
        /// Why not.
        source: std::io::Error,
    },
    /// A source policy put something in the place of an image that is no image.
    #[error(
        "a source policy replaced the image {reference} by {replacement}, which is not an image"
    )]
    NotAnImage {
        /// The image as asked for.
        reference: String,
        /// The identifier of what was put in its place.
        replacement: String,
    },
}

impl Error {
    /// What the daemon reports, if it is its word.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Client(error) => error.failure(),
            _ => None,
        }
    }

    fn invalid(call: &'static str, reason: impl Into<String>) -> Self {
        Self::Client(client::Error::InvalidAnswer {
            call,
            reason: reason.into(),
        })
    }
}
