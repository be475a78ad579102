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

/// Returns the path of these bytes; `/` separates its names.
pub fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}
