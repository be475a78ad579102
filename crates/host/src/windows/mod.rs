//! Windows. Others can neither rename nor delete a folder that is open here, so the target of a
//! path through open folders does not change.

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

#[cfg(test)]
mod tests;

pub use beneath::Beneath;

/// Flags of `CreateFileW`.
mod flags {
    pub(super) const READ: u32 = 0x8000_0000;
    pub(super) const WRITE_ATTRIBUTES: u32 = 0x100;
    pub(super) const SHARE_READ: u32 = 1;
    pub(super) const SHARE_WRITE: u32 = 2;
    pub(super) const SHARE_DELETE: u32 = 4;
    pub(super) const BACKUP_SEMANTICS: u32 = 0x0200_0000;
    pub(super) const OPEN_REPARSE_POINT: u32 = 0x0020_0000;
    pub(super) const DELETE_ON_CLOSE: u32 = 0x0400_0000;
}
