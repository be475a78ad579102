//! LLBBridge: the calls of a frontend to the daemon during a build.
//!
//! A client is the frontend if its [`crate::client::SolveRequest`] has neither a definition nor a
//! frontend. The daemon then waits for the result that the [`Bridge`] with the same build reference
//! returns. Both run at the same time:
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
//!     let alpine = "docker.io/library/alpine:latest";
//!     let state = solvekit::llb::image(alpine, ResolveMode::Default, Constraints::new());
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
mod container;
mod creations;
mod files;
mod missing;
mod open;
mod process;
mod result;
mod source;
mod standard;
mod warning;

pub use bridge::{Bridge, Forward, SolveOptions};
pub use caps::Capabilities;
pub use container::{Container, ContainerMount, ContainerRequest};
pub use files::{FileInfo, FileKind};
pub use missing::MissingCapability;
pub use process::{Exit, Process, ProcessInput, ProcessOutput, ProcessRequest};
pub use result::{Attestation, AttestationKind, BuildResult, Ref, Refs, Subject, SubjectKind};
pub use source::{
    GitSource, HttpSource, ImageQuery, OciLayout, ResolvedImage, ResolvedSource, SourceQuery,
};
pub use standard::FrontendEnvironment;
pub use warning::Warning;

use crate::client::{self, Failure};

/// Why a frontend's call failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The daemon refused a call, the call failed, or the connection was lost.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// The daemon did not start the build in time. It may hang.
    #[error("the daemon does not begin the build within {seconds} s")]
    NotBegun {
        /// The time limit.
        seconds: u64,
    },
    /// The daemon lacks a required capability.
    #[error("{0}")]
    MissingCapability(Box<MissingCapability>),
    /// The standard streams are not connected to a daemon.
    #[error("standard {which} does not lead to BuildKit")]
    StandardStreams {
        /// The stream.
        which: &'static str,
        /// The cause.
        source: std::io::Error,
    },
    /// The process to write to has ended.
    #[error("the process has ended")]
    ProcessEnded,
    /// The system has no random numbers.
    #[error(transparent)]
    Id(#[from] crate::session::Error),
    /// A source policy replaced an image by a source of another kind.
    #[error(
        "a source policy replaced the image {reference} by {replacement}, which is not an image"
    )]
    NotAnImage {
        /// The requested image.
        reference: String,
        /// The identifier of the replacement.
        replacement: String,
    },
}

impl Error {
    /// Returns the daemon's failure, if this error is one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Client(error) => error.failure(),
            _ => None,
        }
    }

    pub(crate) fn invalid(call: &'static str, reason: impl Into<client::AnswerProblem>) -> Self {
        Self::Client(client::Error::InvalidAnswer {
            call,
            reason: Box::new(reason.into()),
        })
    }
}
