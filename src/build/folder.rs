//! The inputs on disk: the context folder, the Dockerfile, the ignore file.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{BuildRequest, Error};
use crate::frontend::Source;
use crate::session::PatternMatcher;

/// More than any Dockerfile that people write; keeps `-f` on a wrong file from filling the memory.
const MAX_DOCKERFILE: u64 = 64 << 20;

/// What a build reads before anything is sent: the Dockerfile and the ignore file.
#[derive(Debug)]
pub struct Inputs {
    /// The context folder, absolute and without symbolic links.
    pub(super) context: PathBuf,
    /// The Dockerfile's path as given, for messages.
    pub(super) dockerfile: PathBuf,
    /// The Dockerfile's bytes.
    pub(super) text: Vec<u8>,
    /// The ignore file that applies, when there is one.
    pub(super) ignore_file: Option<PathBuf>,
    /// Its patterns, in order.
    pub(super) excludes: Vec<String>,
}

impl Inputs {
    /// What the ignore file that applies excludes, in order.
    pub fn excludes(&self) -> &[String] {
        &self.excludes
    }

    /// The Dockerfile for a frontend.
    pub fn source(&self) -> Source {
        Source::new(self.dockerfile.display().to_string(), self.text.clone())
    }

    /// The folder that another frontend reads the Dockerfile from, and its name there.
    pub(super) fn dockerfile_folder(&self) -> (PathBuf, String) {
        let folder = match self.dockerfile.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let name = self.dockerfile.file_name().unwrap_or_default();
        (folder, name.to_string_lossy().into_owned())
    }
}

/// Reads the Dockerfile and the ignore file of a request. Blocking.
///
/// # Errors
/// What is missing or wrong, with its path.
pub fn read(request: &BuildRequest) -> Result<Inputs, Error> {
    let context = context_folder(&request.context)?;
    let dockerfile = dockerfile_path(request, &context);
    let text = read_limited(&dockerfile)?;
    let (ignore_file, excludes) = ignore_patterns(&context, &dockerfile)?;
    Ok(Inputs {
        context,
        dockerfile,
        text,
        ignore_file,
        excludes,
    })
}

fn context_folder(path: &Path) -> Result<PathBuf, Error> {
    let failed = |source| Error::Context {
        path: path.to_owned(),
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
fn dockerfile_path(request: &BuildRequest, context: &Path) -> PathBuf {
    if let Some(given) = &request.dockerfile {
        return given.clone();
    }
    let folder = request
        .context
        .strip_prefix(".")
        .unwrap_or(&request.context);
    let standard = folder.join("Dockerfile");
    if !standard.exists() {
        let lower = context.join("dockerfile");
        if lower.exists() {
            return lower;
        }
    }
    standard
}

fn read_limited(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Dockerfile {
        path: path.to_owned(),
        source,
    };
    let file = fs::File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(failed(std::io::ErrorKind::IsADirectory.into()));
    }
    let mut text = Vec::new();
    file.take(MAX_DOCKERFILE + 1)
        .read_to_end(&mut text)
        .map_err(failed)?;
    if text.len() as u64 > MAX_DOCKERFILE {
        return Err(failed(std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            format!("it is larger than {} MiB", MAX_DOCKERFILE >> 20),
        )));
    }
    Ok(text)
}

/// `NAME.dockerignore` beside the Dockerfile, else `.dockerignore` in the context.
fn ignore_patterns(
    context: &Path,
    dockerfile: &Path,
) -> Result<(Option<PathBuf>, Vec<String>), Error> {
    let mut own = dockerfile.as_os_str().to_owned();
    own.push(".dockerignore");
    for path in [PathBuf::from(own), context.join(".dockerignore")] {
        match fs::read(&path) {
            Ok(text) => {
                let patterns = crate::dockerfile::parse_ignore(&text);
                if let Err(error) = PatternMatcher::new(&patterns) {
                    let reason = error.to_string();
                    return Err(Error::IgnoreFile { path, reason });
                }
                return Ok((Some(path), patterns));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                return Err(Error::IgnoreFile {
                    path,
                    reason: error.to_string(),
                });
            }
        }
    }
    Ok((None, Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn the_dockerfile_s_own_ignore_file_wins() {
        let folder = folder(&[
            ("Dockerfile", "FROM scratch\n"),
            (".dockerignore", "a\n"),
            ("Dockerfile.dockerignore", "b\n"),
        ]);
        let inputs = read(&BuildRequest::new(folder.path())).unwrap();
        assert_eq!(inputs.excludes, ["b"]);
    }

    #[test]
    fn a_lower_case_dockerfile_is_found() {
        let folder = folder(&[("dockerfile", "FROM scratch\n")]);
        let inputs = read(&BuildRequest::new(folder.path())).unwrap();
        assert_eq!(inputs.text, b"FROM scratch\n");
        assert_eq!(inputs.excludes, Vec::<String>::new());
    }

    #[test]
    fn missing_inputs_are_named() {
        let folder = folder(&[("file", "")]);
        let missing = read(&BuildRequest::new(folder.path())).unwrap_err();
        assert!(missing.to_string().contains("Dockerfile"), "{missing}");
        let no_context = read(&BuildRequest::new(folder.path().join("nowhere"))).unwrap_err();
        assert!(no_context.to_string().contains("nowhere"), "{no_context}");
        let not_a_folder = read(&BuildRequest::new(folder.path().join("file"))).unwrap_err();
        assert!(matches!(not_a_folder, Error::ContextNotAFolder { .. }));
    }
}
