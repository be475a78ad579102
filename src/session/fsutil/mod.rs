//! fsutil's protocol, as far as sending and receiving share it.
//!
//! The sender says STAT for every file, then an empty one; the receiver says REQ with the numbers of the files that it
//! wants, and gets DATA for each, an empty one at its end. The receiver's FIN is echoed. ERR says what went wrong.

pub(super) mod mode;
pub(super) mod packet;
mod paths;

pub(super) use paths::PathTable;
