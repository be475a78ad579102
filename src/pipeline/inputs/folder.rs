//! Reads the inputs of a build on disk: the context folder, the Dockerfile, the ignore file.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::dockerfile;
use crate::files::{Beneath, BeneathError, Links, Way, read_at_most, take_at_most, way};
use crate::pipeline::Error;
use crate::session::PatternMatcher;
use crate::suggest;

/// More than any ignore file written by hand; every pattern is matched against every file.
const MAX_IGNORE_FILE: u64 = 1 << 20;
/// In a larger folder not all names are compared with a mistyped one.
const MAX_ENTRIES: usize = 10_000;

/// Returns the folder as an absolute path without symbolic links.
pub(in crate::pipeline) fn context_folder(path: &Path) -> Result<PathBuf, Error> {
    let failed = |source: io::Error| Error::Context {
        path: path.to_owned(),
        near: near(path, &source, Path::is_dir),
        source,
    };
    let context = fs::canonicalize(path).map_err(failed)?;
    if !fs::metadata(&context).map_err(failed)?.is_dir() {
        return Err(Error::ContextNotAFolder {
            path: path.to_owned(),
        });
    }
    Ok(context)
}

/// `-f`, or `Dockerfile` in the context; `dockerfile` is found too, as in buildx.
pub(super) fn dockerfile_path(given: Option<&Path>, folder: &Path, context: &Path) -> PathBuf {
    if let Some(given) = given {
        return given.to_owned();
    }
    let folder = folder.strip_prefix(".").unwrap_or(folder);
    let standard = folder.join("Dockerfile");
    if !standard.exists() {
        let lower = context.join("dockerfile");
        if lower.exists() {
            return lower;
        }
    }
    standard
}

/// Reads a Dockerfile from disk. In the context, no link may lead out of it. Outside of it the path
/// was typed by the user, so links and pipes are allowed.
pub(in crate::pipeline) fn dockerfile(path: &Path, context: &Path) -> Result<Vec<u8>, Error> {
    let unreadable = |source| Error::Dockerfile {
        path: path.to_owned(),
        near: near(path, &source, |path| !path.is_dir()),
        source,
    };
    match way_to(path, context).map_err(unreadable)? {
        Way::Into(inside) => {
            let opened = Beneath::open(context)
                .map_err(BeneathError::from)
                .and_then(|folder| folder.file(&inside, Links::Inside));
            let file = opened.map_err(|error| match error {
                BeneathError::Io(source) => unreadable(source),
                error => outside(error, path, context),
            })?;
            limited(file).map_err(unreadable)
        }
        Way::Past(path) => typed(&path).map_err(unreadable),
    }
}

/// Reads a Dockerfile whose path was typed by the user and is not in the context.
pub(super) fn typed_dockerfile(path: &Path) -> Result<Vec<u8>, Error> {
    typed(path).map_err(|source| Error::Dockerfile {
        path: path.to_owned(),
        near: near(path, &source, |path| !path.is_dir()),
        source,
    })
}

fn typed(path: &Path) -> io::Result<Vec<u8>> {
    let file = fs::File::open(path)?;
    match file.metadata()?.is_dir() {
        true => Err(io::ErrorKind::IsADirectory.into()),
        false => limited(file),
    }
}

/// Reads a file beside the Dockerfile that the user did not name: no link may lead out of the
/// context or the Dockerfile's folder.
pub(super) fn beside_dockerfile(path: &Path, context: Option<&Path>) -> io::Result<Vec<u8>> {
    let way = match context {
        Some(context) => way_to(path, context)?,
        None => Way::Past(path.to_owned()),
    };
    let (folder, inside) = match (way, context) {
        (Way::Into(inside), Some(context)) => (context, inside),
        _ => beside(path),
    };
    let opened = Beneath::open(folder)
        .map_err(BeneathError::from)
        .and_then(|folder| folder.file(&inside, Links::Inside));
    match opened {
        Ok(file) => take_at_most(file, MAX_IGNORE_FILE),
        Err(error) if error.is_missing() => Err(io::ErrorKind::NotFound.into()),
        Err(BeneathError::Io(source)) => Err(source),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// Finds out if the path goes through the context.
fn way_to(path: &Path, context: &Path) -> io::Result<Way> {
    way(context, &std::path::absolute(path)?)
}

fn outside(error: BeneathError, path: &Path, folder: &Path) -> Error {
    let path = path.to_owned();
    match error {
        BeneathError::Outside => Error::LeadsOut {
            path,
            folder: folder.to_owned(),
        },
        _ => Error::NotRegular { path },
    }
}

/// Reads a Dockerfile up to the size limit.
pub(super) fn limited(reader: impl io::Read) -> io::Result<Vec<u8>> {
    take_at_most(reader, dockerfile::MAX_SIZE as u64)
}

/// An ignore file.
#[derive(Debug, Clone)]
pub(in crate::pipeline) struct IgnoreFile {
    pub(super) path: PathBuf,
    /// The patterns, in order.
    pub(super) patterns: Vec<String>,
    /// True if the file is UTF-16. Its patterns match nothing, as in BuildKit.
    pub(super) is_utf16: bool,
}

/// `NAME.dockerignore` beside the Dockerfile if it is a file, else `.dockerignore` in the context.
/// The user typed neither path, so no link may lead out of the context or the Dockerfile's folder.
pub(super) fn ignore_file(
    context: &Path,
    dockerfile: Option<&Path>,
) -> Result<Option<IgnoreFile>, Error> {
    let own = dockerfile.map(|dockerfile| {
        let mut own = dockerfile.as_os_str().to_owned();
        own.push(".dockerignore");
        PathBuf::from(own)
    });
    for path in own.into_iter().chain([context.join(".dockerignore")]) {
        let unreadable = |source| Error::IgnoreFile {
            path: path.clone(),
            source,
        };
        let (folder, inside) = match way_to(&path, context).map_err(unreadable)? {
            Way::Into(inside) => (context, inside),
            Way::Past(_) => beside(&path),
        };
        let opened = Beneath::open(folder)
            .map_err(BeneathError::from)
            .and_then(|folder| folder.file(&inside, Links::Inside));
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.is_missing() => continue,
            Err(BeneathError::Io(source)) => return Err(unreadable(source)),
            Err(error) => return Err(outside(error, &path, folder)),
        };
        let text = take_at_most(file, MAX_IGNORE_FILE).map_err(unreadable)?;
        return patterns(path, &text).map(Some);
    }
    Ok(None)
}

/// Reads an ignore file whose path was typed by the user, so links are allowed.
pub(super) fn typed_ignore_file(path: &Path) -> Result<IgnoreFile, Error> {
    let text = read_at_most(path, MAX_IGNORE_FILE).map_err(|source| Error::IgnoreFile {
        path: path.to_owned(),
        source,
    })?;
    patterns(path.to_owned(), &text)
}

fn patterns(path: PathBuf, text: &[u8]) -> Result<IgnoreFile, Error> {
    let patterns = dockerfile::parse_ignore(text);
    match PatternMatcher::new(&patterns) {
        Ok(_) => Ok(IgnoreFile {
            path,
            patterns,
            is_utf16: dockerfile::is_utf16(text),
        }),
        Err(source) => Err(Error::IgnorePatterns { path, source }),
    }
}

/// Splits a path into its folder and its name.
fn beside(path: &Path) -> (&Path, PathBuf) {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    (
        folder,
        path.file_name().map(PathBuf::from).unwrap_or_default(),
    )
}

/// Suggests an existing path: the first missing part is replaced by the most similar name.
fn near(path: &Path, error: &io::Error, wanted: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    if error.kind() != io::ErrorKind::NotFound {
        return None;
    }
    let (folder, missing) = path.ancestors().find_map(|part| {
        let folder = match part.parent()? {
            here if here.as_os_str().is_empty() => Path::new("."),
            folder => folder,
        };
        folder.is_dir().then_some((folder, part))
    })?;
    let name = missing.file_name()?.to_str()?;
    let entries = fs::read_dir(folder).ok()?.take(MAX_ENTRIES).flatten();
    let names: Vec<String> = entries
        .filter(|entry| missing != path || wanted(&entry.path()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rest = path.strip_prefix(missing).ok()?;
    let found = missing.with_file_name(suggest::nearest(name, &names)?);
    Some(match rest.as_os_str().is_empty() {
        true => found,
        false => found.join(rest),
    })
    .filter(|path| wanted(path) && path.exists())
}

#[cfg(test)]
mod tests;
