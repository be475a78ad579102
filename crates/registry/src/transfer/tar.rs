//! Headers of new tar archives.

use std::io;

use tar::{Builder, EntryType, Header};

const BLOCK: u64 = 512;

/// The size of the end-of-archive marker.
pub(super) const END: usize = 2 * BLOCK as usize;

/// Returns the header of a world-readable file, or of a folder if the name ends in a slash. A long
/// name gets a header of its own. The time is 1970, so the same image gives the same archive.
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
    // The caller writes the file's bytes.
    let mut builder = Builder::new(Vec::new());
    builder.append_data(&mut header, name, io::empty())?;
    Ok(builder.get_ref().clone())
}

/// Returns the padding after a file of this size.
pub(super) fn padding(size: u64) -> usize {
    (size.next_multiple_of(BLOCK) - size) as usize
}
