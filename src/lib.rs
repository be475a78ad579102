//! solvekit speaks LLB to BuildKit: it translates Dockerfiles, solves every platform at once and pushes one image index.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod suggest;

pub mod oci;

pub mod dockerfile;

pub mod llb;

pub mod translate;

pub(crate) mod proto;

pub mod registry;

pub mod session;

pub mod client;

pub mod gateway;

pub mod progress;

pub mod lock;

pub mod batch;

pub mod frontend;

pub mod build;
