//! Bake files: targets of HCL, JSON and compose files, as `docker buildx bake` reads them.
//!
//! The language is a crate of its own, [`solvekit_bake`], which is all re-exported here. This
//! module adds what needs the rest of solvekit: [`check`] finds what a build could not use,
//! [`requests`] makes build requests of targets, [`prepare`] links them to be built together by
//! [`Nodes::build_all`](crate::spread::Nodes::build_all). [`Entitlements`] tells what targets ask
//! for that the user has to grant. [`verdicts`] tells which targets changed since an earlier state
//! of their files.

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
