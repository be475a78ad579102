//! Linux and macOS.

mod attributes;
mod beneath;
mod create;
pub mod files;
pub mod names;
pub mod owner;
pub mod process;
pub mod signals;
pub mod sockets;
pub mod standard;
pub mod terminal;

pub use beneath::Beneath;
