//! The headers of new tar archives.

use std::io;

use tar::{Builder, EntryType, Header};

const BLOCK: u64 = 512;

/// What ends an archive.
pub(super) const END: usize = 2 * BLOCK as usize;

/// The header of a file that anybody may read, or, with a name that ends in a slash, of a folder; one with its name before it
/// if that is long. The time is 1970, so that the same image is the same archive.
pub(super) fn header(name: &str, size: u64) -> io::Result<Vec<u8>> {
    let mut header = Header::new_ustar();
    let (kind, mode) = match name.ends_with('/') {
        true => (EntryType::Directory, 0o755),
        false => (EntryType::Regular, 0o644),
    };
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(0);
    // The bytes of the file follow elsewhere.
    let mut builder = Builder::new(Vec::new());
    builder.append_data(&mut header, name, io::empty())?;
    Ok(builder.get_ref().clone())
}

/// What follows a file of this size until the next header.
pub(super) fn padding(size: u64) -> usize {
    (size.next_multiple_of(BLOCK) - size) as usize
}
