//! Paths of the image's operating system: drive letters and backslashes of Windows, slashes of all
//! others.

use std::borrow::Cow;

use super::super::reason::Reason;
use crate::llb::path;

/// Returns the directory of a WORKDIR in the image's spelling (backslashes on Windows).
pub(super) fn workdir(current: &str, given: &str, os: &str) -> Result<String, Reason> {
    let normalized = normalize(current, given, os, false)?;
    Ok(match os {
        "windows" => normalized.replace('/', "\\"),
        _ => normalized,
    })
}

/// Returns an absolute path with slashes: `given`, or `given` below `parent` if it is relative.
/// Absolute paths are not cleaned.
pub(super) fn normalize(
    parent: &str,
    given: &str,
    os: &str,
    keep_slash: bool,
) -> Result<String, Reason> {
    let given = to_slash(given, os);
    let parent = to_slash(parent, os);
    let parent = without_drive(
        if parent.is_empty() { "/" } else { &parent },
        os,
        keep_slash,
    )?;
    let parent = if is_absolute(&parent, os) {
        parent
    } else {
        Cow::Owned(path::join("/", &parent))
    };
    let own = if given.is_empty() {
        Cow::Borrowed(&*parent)
    } else {
        Cow::Borrowed(&*given)
    };
    let own = without_drive(&own, os, keep_slash)?;
    let mut result = if is_absolute(&own, os) {
        own.into_owned()
    } else {
        path::join(&parent, &own)
    };
    if keep_slash {
        if given.ends_with('/') && !result.ends_with('/') {
            result.push('/');
        } else if given.ends_with("/.") {
            if result != "/" {
                result.push('/');
            }
            result.push('.');
        }
    }
    Ok(match to_slash(&result, os) {
        Cow::Borrowed(_) => result,
        Cow::Owned(slashed) => slashed,
    })
}

/// Replaces the operating system's separators by slashes.
pub(super) fn to_slash<'p>(path: &'p str, os: &str) -> Cow<'p, str> {
    match os {
        "windows" if path.contains('\\') => Cow::Owned(path.replace('\\', "/")),
        _ => Cow::Borrowed(path),
    }
}

/// True if the path, without its drive, begins at the root.
pub(super) fn is_absolute(path: &str, os: &str) -> bool {
    without_drive(path, os, false).is_ok_and(|path| path.starts_with('/'))
}

/// Returns a Windows path without `C:`, cleaned and with slashes; paths of other systems are
/// unchanged.
pub(super) fn without_drive<'p>(
    path: &'p str,
    os: &str,
    keep_slash: bool,
) -> Result<Cow<'p, str>, Reason> {
    if os != "windows" {
        return Ok(Cow::Borrowed(path));
    }
    let refused = |problem| Reason::Path {
        path: path.to_owned(),
        problem,
    };
    if path.len() == 2 && path.ends_with(':') {
        return Err(refused("is a drive without a path"));
    }
    if to_slash(path, os).starts_with("//") {
        return Err(refused("is a network path, which cannot be used here"));
    }
    let rest = match path.split_once(':') {
        None => path,
        Some((drive, rest)) if drive.eq_ignore_ascii_case("c") => rest,
        Some(_) => {
            return Err(refused("is not on the system drive C:"));
        }
    };
    let slashed = to_slash(rest, os);
    let mut clean = path::clean(&slashed);
    if keep_slash && clean.len() > 1 && slashed.ends_with('/') {
        clean.push('/');
    }
    Ok(Cow::Owned(clean))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_paths_join_and_keep_their_slash_when_asked() {
        let path = |parent: &str, given: &str| normalize(parent, given, "linux", true).unwrap();
        assert_eq!(path("/a", "b/"), "/a/b/");
        assert_eq!(path("/a", "./"), "/a/");
        assert_eq!(path("/", "./"), "/");
        assert_eq!(path("/a", "b/."), "/a/b/.");
        assert_eq!(path("/a", "/x//y"), "/x//y");
        assert_eq!(workdir("", "x", "linux").unwrap(), "/x");
        assert_eq!(workdir("/y", "", "linux").unwrap(), "/y");
    }

    #[test]
    fn windows_paths_lose_their_drive_and_get_backslashes() {
        assert_eq!(workdir("C:\\a", "b", "windows").unwrap(), "\\a\\b");
        assert_eq!(workdir("\\", "c:/x/../y", "windows").unwrap(), "\\y");
        assert_eq!(
            normalize("/", "C:\\dir\\", "windows", true).unwrap(),
            "/dir/"
        );
        for refused in ["D:\\x", "C:", "\\\\server\\x"] {
            assert!(
                normalize("/", refused, "windows", false).is_err(),
                "{refused}"
            );
        }
    }
}
