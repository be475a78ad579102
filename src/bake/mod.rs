//! Bake files: targets of HCL, JSON and compose files, as `docker buildx bake` reads them.
//!
//! The language is a crate of its own, [`solvekit_bake`], which is all re-exported here. This
//! module adds what needs the rest of solvekit: [`check`] finds what a build could not use,
//! [`requests`] makes build requests of targets, [`prepare`] links them to be built together by
//! [`Nodes::build_all`](crate::spread::Nodes::build_all).

mod check;

mod request;

mod prepare;

pub use check::{CheckError, Found, Machine, OutputProblem, check};
pub use prepare::{TargetError, linked_requests, prepare, requests};
pub use request::{RequestError, links, request};
pub use solvekit_bake::*;
