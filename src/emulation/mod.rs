//! Programs of foreign platforms: if a builder can run them, with which emulator, and why not.
//!
//! A builder runs programs of its own processor natively, and others with an emulator (QEMU) that
//! is registered with the kernel's binfmt_misc. [`Machine::read`] inspects this machine.
//! [`Builder::ability`] combines that with the platforms that a daemon lists. [`Trial`] runs a tiny
//! program to find out, which also works for remote daemons. [`install`] registers emulators.
//!
//! ```
//! use solvekit::emulation::{Ability, Builder};
//! use solvekit::oci::Platform;
//!
//! let listed = ["linux/amd64", "linux/386", "linux/arm64"];
//! let listed = listed.into_iter().map(Platform::parse).collect::<Result<_, _>>()?;
//! let builder = Builder { listed, machine: None };
//! assert_eq!(builder.ability(&Platform::parse("linux/386")?), Ability::Native);
//! assert_eq!(builder.ability(&Platform::parse("linux/arm64")?), Ability::Emulated(None));
//! # Ok::<(), solvekit::oci::Error>(())
//! ```

mod ability;
mod handler;
mod handler_problem;
mod here;
mod install;
mod machine;
mod package;
mod program;
mod trial;

pub use ability::{Ability, Builder, Reason};
pub use handler::{Files, Flags, Handler};
pub use handler_problem::HandlerProblem;
pub use here::machine_of;
pub use install::{Change, IMAGE, install};
pub use machine::{Emulators, KernelVersion, Machine};
pub use package::package_hint;
pub(crate) use program::executable;
pub use program::program;
pub use trial::{Trial, Verdict};

use crate::builder;
use crate::client;
use crate::session;

/// Why emulators could not be inspected or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A handler of binfmt_misc is malformed.
    #[error("cannot understand the handler {name:?} of binfmt_misc: {reason}")]
    Handler {
        /// Its name.
        name: String,
        /// The problem with the handler.
        reason: HandlerProblem,
    },
    /// The program that changes the emulators failed.
    #[error("{image} cannot {what}: exit code {code}")]
    Program {
        /// The program's image.
        image: String,
        /// The requested change.
        what: String,
        /// Its exit code.
        code: i64,
        /// The output, for people; may be empty.
        output: String,
    },
    /// The image could not be pulled.
    #[error(transparent)]
    Image(#[from] builder::Error),
    /// An id for a trial could not be generated.
    #[error(transparent)]
    Session(#[from] session::Error),
    /// The daemon or the engine reported an error.
    #[error(transparent)]
    Client(#[from] client::Error),
}
