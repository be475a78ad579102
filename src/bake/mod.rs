//! Bake files: targets of HCL, JSON and compose files, as `docker buildx bake` reads them.
//!
//! The language is a crate of its own, [`solvekit_bake`], which is all re-exported here. This
//! module adds what needs the rest of solvekit: [`check`], which finds what a build could not use.

mod check;

pub use check::{CheckError, Found, Machine, OutputProblem, check};
pub use solvekit_bake::*;
