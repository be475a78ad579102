//! Slash-separated paths as text, and the home directory.

use crate::files::Host;
use crate::value::Value;

use super::arguments::{Arguments, Fault};
use super::{Definition, function, text};

pub(super) const FUNCTIONS: &[Definition] = &[
    function("basename", &[text("path")], |args, _| {
        Ok(Value::string(base_name(args.text(0)?)))
    }),
    function("dirname", &[text("path")], |args, _| {
        let path = args.text(0)?;
        Ok(Value::string(clean(
            &path[..path.rfind('/').map_or(0, |slash| slash + 1)],
        )))
    }),
    function("homedir", &[], home_directory),
];

fn home_directory(_: &Arguments<'_>, host: &dyn Host) -> Result<Value, Fault> {
    Ok(Value::string(
        host.home_directory().unwrap_or_else(|| "/".to_owned()),
    ))
}

/// Returns the last element: `.` for an empty path, `/` for one of slashes only.
fn base_name(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit('/').next() {
        Some("") | None => "/",
        Some(name) => name,
    }
}

/// Returns the shortest equivalent path, like Go's `path.Clean`.
fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut kept: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match kept.last() {
                Some(&"..") | None if !rooted => kept.push(".."),
                _ => {
                    kept.pop();
                }
            },
            part => kept.push(part),
        }
    }
    let joined = kept.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}
