//! Programs of foreign platforms: whether a builder can run them, by which emulator, and why not.
//!
//! A builder runs programs of its machine's own processor, and with an emulator (QEMU) that is registered with the kernel's
//! binfmt_misc those of others. [`Machine::read`] looks at the machine that this program runs on, [`Builder::ability`] says what follows
//! from that and from the platforms that a daemon lists; [`Trial`] finds out by running a program of a hundred bytes, which is certain for
//! distant daemons as well. [`install`] registers emulators.
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
mod here;
mod install;
mod machine;
mod package;
mod program;
mod trial;

pub use ability::{Ability, Builder, Reason};
pub use handler::{Files, Flags, Handler};
pub use here::machine_of;
pub use install::{Change, IMAGE, install};
pub use machine::{Emulators, KernelVersion, Machine};
pub use package::package_hint;
pub use program::program;
pub use trial::{Trial, Verdict};

use crate::builder;
use crate::client;
use crate::session;

/// Why emulators cannot be looked at or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A handler of binfmt_misc that cannot be understood.
    #[error("cannot understand the handler {name:?} of binfmt_misc: {reason}")]
    Handler {
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The program that changes the emulators failed.
    #[error("{image} cannot {what}: exit code {code}")]
    Program {
        /// The image that has it.
        image: String,
        /// What it was to do.
        what: String,
        /// Its exit code.
        code: i64,
        /// What it said, for people; may be empty.
        said: String,
    },
    /// The image cannot be pulled.
    #[error(transparent)]
    Image(#[from] builder::Error),
    /// No id can be made for a trial.
    #[error(transparent)]
    Session(#[from] session::Error),
    /// The daemon or the engine does not do what it is asked for.
    #[error(transparent)]
    Client(#[from] client::Error),
}
