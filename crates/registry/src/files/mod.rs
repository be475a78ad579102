//! Files of this machine that others can tamper with: written in one step, opened beneath a folder.
//!
//! - [`AtomicFile`] is the only way a file is replaced: a random name, then a rename. No link is followed.
//! - [`read_at_most`] reads a file up to a limit.
//! - [`Beneath`] opens what is in a folder, and nothing that a link in it leads to outside.

mod atomic;
mod beneath;
mod bounded;
mod places;

pub use atomic::{AtomicFile, Destination, random_name, replace};
pub use beneath::{Beneath, BeneathError, Links};
pub use bounded::{read_at_most, take_at_most};
pub use places::{Way, way};
