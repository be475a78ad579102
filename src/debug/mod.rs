//! Debugs a build: a graph is solved step by step, and where it is paused a program can inspect the
//! files and run processes.
//!
//! A [`Debugger`] decides where to pause and how to resume; [`run`] solves a platform's graph with
//! it, instead of the build's own solve ([`Hook::solve`](crate::frontend::Hook::solve)):
//! ```
//! use solvekit::debug::{self, Action, Debugger, Pause};
//! use solvekit::frontend::{Hook, Solving};
//! use solvekit::gateway::{self, Ref};
//!
//! /// Lists the root folder of each failed step.
//! #[derive(Debug)]
//! struct Look;
//!
//! #[tonic::async_trait]
//! impl Debugger for Look {
//!     async fn paused(&self, pause: &Pause<'_>) -> Action {
//!         if let Some(root) = pause.files.first() {
//!             println!("{:?}", pause.bridge().read_dir(&root.result, "/", "").await);
//!         }
//!         Action::Continue
//!     }
//! }
//!
//! #[tonic::async_trait]
//! impl Hook for Look {
//!     async fn solve(&self, solving: Solving<'_>) -> Result<Ref, gateway::Error> {
//!         debug::run(solving, self).await
//!     }
//! }
//! ```

mod graph;
mod pause;
mod program;
mod run;

pub use graph::Place;
pub use pause::{Files, Pause, Reason, StepDetails};
pub use program::{Frame, Program, Step};
pub use run::{Action, Debugger, Start, run};
