//! solvekit-host: everything that depends on the operating system. Every subject has one interface,
//! which is the same on each system. The rest of solvekit has no code for a specific system.
//!
//! - [`Beneath`] opens, lists and creates files inside a folder; no link leads out of it.
//! - [`is_missing`] recognises errors for paths that do not exist.
//! - [`files`] creates private files, locks files, and opens files without following links.
//! - [`names`] converts between the bytes of the wire and file names.
//! - [`owner`] returns the user, and sets the owners of files.
//! - [`process`] keeps Ctrl-C from other programs, and ends them.
//! - [`signals`] waits for requests to end or pause the program, and for new terminal sizes.
//! - [`sockets`] connects and listens: Unix sockets, and named pipes on Windows.
//! - [`standard`] returns the types of the standard streams.
//! - [`terminal`] reads sizes and keys of terminals, and sets their modes.
//!
//! Unix is Linux and macOS. A function that a system lacks returns an error of kind
//! [`Unsupported`](std::io::ErrorKind::Unsupported).
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod beneath;
mod connected;
mod missing;

#[cfg(unix)]
#[path = "unix/mod.rs"]
mod system;

#[cfg(windows)]
#[path = "windows/mod.rs"]
mod system;

pub use beneath::{BeneathError, Kind, Links, Owner, Special, Status};
pub use missing::is_missing;
pub use system::Beneath;
pub use system::{files, names, owner, process, signals, sockets, standard, terminal};
