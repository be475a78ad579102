//! Repositories and daemons that want more than they may have. None of this needs an engine.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod places;
mod registry;
mod repository;
#[path = "../support/mod.rs"]
mod support;
