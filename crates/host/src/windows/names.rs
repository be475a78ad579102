//! Converts file names between bytes, as on the wire (UTF-8 with `/`), and this system's form.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

/// Returns the bytes of a name or path.
pub fn bytes(name: &OsStr) -> Cow<'_, [u8]> {
    Cow::Owned(name.to_string_lossy().replace('\\', "/").into_bytes())
}

/// Returns the bytes of a value, for example of an environment variable.
pub fn into_bytes(value: OsString) -> Vec<u8> {
    value.to_string_lossy().into_owned().into_bytes()
}

/// Returns the form in which the system compares names: it does not distinguish `a` and `A`.
pub fn compared(path: &[u8]) -> Option<Vec<u8>> {
    let path = String::from_utf8_lossy(path);
    Some(path.chars().map(upper).collect::<String>().into_bytes())
}

/// Returns the capital letter. Windows maps each letter to one letter, so `ß` stays.
fn upper(letter: char) -> char {
    let mut capitals = letter.to_uppercase();
    match (capitals.next(), capitals.next()) {
        (Some(capital), None) => capital,
        _ => letter,
    }
}

/// Returns the path of these bytes; `/` separates its names.
pub fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).replace('/', "\\"))
}
