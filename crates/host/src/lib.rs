//! solvekit-host: everything that depends on the operating system. Every subject has one interface,
//! which is the same on each system. The rest of solvekit has no code for a system.
//!
//! - [`Beneath`] opens, lists and creates files inside a folder; no link leads outside.
//! - [`files`] has private files, locks of files, and files that are opened without links.
//! - [`names`] converts between the bytes of the wire and file names.
//! - [`owner`] knows the user and the owners of files, and keeps owners.
//! - [`process`] starts and ends other programs.
//! - [`signals`] tells when the user or the system ends the program.
//! - [`sockets`] connects and listens: Unix sockets, and named pipes on Windows.
//! - [`standard`] looks at the standard streams of the process.
//! - [`terminal`] has sizes, keys and modes of terminals.
//!
//! Unix is Linux and macOS. A function that a system lacks returns an error of kind
//! [`Unsupported`](std::io::ErrorKind::Unsupported).
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod beneath;

#[cfg(unix)]
#[path = "unix/mod.rs"]
mod system;

#[cfg(windows)]
#[path = "windows/mod.rs"]
mod system;

pub use beneath::{BeneathError, Kind, Links, Owner, Special, Status};
pub use system::Beneath;
pub use system::{files, names, owner, process, signals, sockets, standard, terminal};
