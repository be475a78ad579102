//! Hostile repositories, registries and daemons that try to get more than they may. No engine is
//! needed.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod daemon;
mod exports;
mod floods;
mod limits;
mod places;
#[path = "../support/proto.rs"]
mod proto;
mod registry;
mod repository;
mod session;
#[path = "../support/mod.rs"]
mod support;
