//! Bake files: targets of HCL, JSON and compose files, as `docker buildx bake` reads them.
//!
//! The language has its own crate, [`solvekit_bake`], which is re-exported here. This module adds
//! the parts that need the rest of solvekit: [`check`] finds attributes that a build cannot use,
//! [`requests`] turns targets into build requests, and [`prepare`] links them to be built together
//! by [`Nodes::build_all`](crate::spread::Nodes::build_all). [`Entitlements`] lists the privileges
//! that the user has to grant. [`verdicts`] finds the targets that have changed since an earlier
//! state of their files.

mod check;

mod request;

mod prepare;

mod entitlements;

mod real_path;

mod local;

mod since;

pub use check::{CheckError, Found, Machine, OutputProblem, check};
pub use entitlements::{EntitlementError, Entitlements};
pub use local::{LocalMachine, MAX_FILE, read_beneath, read_file};
pub use prepare::{TargetError, linked_requests, prepare, requests};
pub use request::{RequestError, links, request};
pub use since::{
    Change, ChangeKind, ChangedPath, Earlier, EarlierTargets, Unknown, Verdict, verdicts,
};
pub use solvekit_bake::*;
