//! Safe access to local files that others can tamper with.
//!
//! - [`AtomicFile`] replaces a file: it writes under a random name, then renames. No link is
//!   followed.
//! - [`read_at_most`] reads a file up to a limit.
//! - [`lock_until`] takes a lock that other programs may hold.
//! - [`Beneath`] opens files inside a folder; no link leads outside.

mod atomic;
mod bounded;
mod lock;
mod places;

pub use atomic::{AtomicFile, Destination, random_name, replace};
pub use bounded::{read_at_most, take_at_most, too_large};
pub use lock::lock_until;
pub use places::{Way, way};
#[doc(inline)]
pub use solvekit_host::{Beneath, BeneathError, Links};
