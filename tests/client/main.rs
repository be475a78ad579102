//! Connections to a real BuildKit over every transport, and the errors without a connection.
//!
//! The tests that need a daemon use the one in `BUILDKIT_HOST` (`export $(tests/engine up)`);
//! without it they are skipped.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod build;
mod builds;
#[allow(unreachable_pub)]
#[path = "../support/certificates.rs"]
mod certificates;
mod connect;
mod containers;
mod faults;
mod hangs;
mod problems;
mod relay;

use solvekit::client::Address;

/// The daemon to test with.
fn daemon() -> Option<Address> {
    let host = std::env::var("BUILDKIT_HOST")
        .ok()
        .filter(|host| !host.is_empty());
    if host.is_none() {
        eprintln!("skipped: BUILDKIT_HOST is not set");
    }
    Some(Address::parse(&host?).unwrap())
}
