//! Converts file names between bytes, as on the wire, and this system's form.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

/// Returns the bytes of a name or path.
pub fn bytes(name: &OsStr) -> Cow<'_, [u8]> {
    Cow::Borrowed(name.as_bytes())
}

/// Returns the bytes of a value, for example of an environment variable.
pub fn into_bytes(value: OsString) -> Vec<u8> {
    value.into_vec()
}

/// Returns the form in which the system compares names; `None` if names that differ are always
/// different files. macOS has file systems of both kinds, and the answer is for the exact ones.
pub fn compared(_path: &[u8]) -> Option<Vec<u8>> {
    None
}

/// Returns the path of these bytes; `/` separates its names.
pub fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}
