//! What a build reads on disk: the context folder, the Dockerfile, the ignore file.

use std::path::{Path, PathBuf};
use std::{fs, io};

use std::io::Read as _;

use super::Error;
use crate::session::PatternMatcher;
use crate::suggest;

/// More than any Dockerfile that people write; keeps `-f` on a wrong file from filling the memory.
const MAX_DOCKERFILE: u64 = 64 << 20;
/// Of a larger folder not all names are compared with a mistyped one.
const MAX_ENTRIES: usize = 10_000;

/// A folder, absolute and without symbolic links.
pub(super) fn context_folder(path: &Path) -> Result<PathBuf, Error> {
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

/// `-f`, or `Dockerfile` in the context; `dockerfile` is found too, as the reference does.
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

/// A Dockerfile on disk.
pub(super) fn dockerfile(path: &Path) -> Result<Vec<u8>, Error> {
    let open = || {
        let file = fs::File::open(path)?;
        match file.metadata()?.is_dir() {
            true => Err(io::ErrorKind::IsADirectory.into()),
            false => limited(file),
        }
    };
    open().map_err(|source| Error::Dockerfile {
        path: path.to_owned(),
        near: near(path, &source, |path| !path.is_dir()),
        source,
    })
}

/// The text of a Dockerfile.
pub(super) fn limited(reader: impl io::Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    reader.take(MAX_DOCKERFILE + 1).read_to_end(&mut text)?;
    match text.len() as u64 > MAX_DOCKERFILE {
        false => Ok(text),
        true => Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {} MiB", MAX_DOCKERFILE >> 20),
        )),
    }
}

/// An ignore file and its patterns, in order.
pub(super) type IgnoreFile = (PathBuf, Vec<String>);

/// `NAME.dockerignore` beside the Dockerfile, if that is a file, else `.dockerignore` in the context.
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
        let unusable = |path, reason| Err(Error::IgnoreFile { path, reason });
        match fs::read(&path) {
            Ok(text) => {
                let patterns = crate::dockerfile::parse_ignore(&text);
                return match PatternMatcher::new(&patterns) {
                    Ok(_) => Ok(Some((path, patterns))),
                    Err(error) => unusable(path, error.to_string()),
                };
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return unusable(path, error.to_string()),
        }
    }
    Ok(None)
}

/// A path that is not there, with the first part that is missing replaced by the nearest name there is.
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
mod tests {
    use super::*;

    #[test]
    fn the_nearest_path_is_found_at_any_depth() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("service/images")).unwrap();
        fs::write(folder.path().join("service/images/Dockerfile"), "").unwrap();
        let near = |path: &str, wanted: fn(&Path) -> bool| {
            let path = folder.path().join(path);
            let error = fs::metadata(&path).unwrap_err();
            let near = near(&path, &error, wanted)?;
            let near = near.strip_prefix(folder.path()).unwrap();
            Some(near.to_str().unwrap().to_owned())
        };
        let is_dir = |path: &Path| path.is_dir();
        let is_file = |path: &Path| path.is_file();
        assert_eq!(near("servce", is_dir).as_deref(), Some("service"));
        assert_eq!(
            near("servce/images", is_dir).as_deref(),
            Some("service/images")
        );
        assert_eq!(
            near("service/images/dockerfil", is_file).as_deref(),
            Some("service/images/Dockerfile")
        );
        assert_eq!(near("service/images/dockerfil", is_dir), None);
        assert_eq!(near("entirely/else", is_dir), None);
    }
}
