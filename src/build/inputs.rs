//! What a build reads before a daemon is asked: folders, the Dockerfile, ignore files, the beginning of a stream.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::from::is_here;
use super::temporary::TemporaryFolder;
use super::{BuildRequest, DockerfileFrom, Error, InputStream, MainContext, folder, named, stream};
use crate::frontend::{Source, is_archive};
use crate::session::{Directories, Upload};
use crate::translate::{RemoteKind, remote_kind, without_password};

/// How much of a stream tells an archive from a Dockerfile.
const SNIFFED: u64 = 1024;
/// The name of a Dockerfile that is not said to have another.
const USUAL_NAME: &str = "Dockerfile";

/// What a build reads before anything is sent.
#[derive(Debug, Clone)]
pub struct Inputs {
    pub(super) context: ContextRead,
    pub(super) dockerfile: DockerfileRead,
    /// Contexts with a name.
    pub(super) named: BTreeMap<String, named::NamedRead>,
    /// The ignore file that applies, when there is one.
    pub(super) ignore_file: Option<PathBuf>,
    /// Its patterns, in order.
    pub(super) excludes: Vec<String>,
}

/// The main context.
#[derive(Debug, Clone)]
pub(super) enum ContextRead {
    /// A folder, absolute and without symbolic links.
    Directory(PathBuf),
    /// Nothing: the Dockerfile came alone.
    Empty(Arc<TemporaryFolder>),
    /// A URL that the daemon fetches.
    Remote(String),
    /// An archive that the daemon fetches from this side.
    Upload(Upload),
}

/// The Dockerfile.
#[derive(Debug, Clone)]
pub(super) enum DockerfileRead {
    /// It has been read.
    Text {
        /// Its path as given, for messages.
        path: PathBuf,
        /// Its bytes.
        text: Vec<u8>,
        /// Is it a file on disk, from where another frontend can read it?
        on_disk: bool,
    },
    /// It is in a context that the daemon has to fetch first.
    InContext(String),
    /// The daemon has to fetch it first.
    Url(String),
}

impl Inputs {
    /// What the ignore file that applies excludes, in order.
    pub fn excludes(&self) -> &[String] {
        &self.excludes
    }

    /// The Dockerfile for a frontend; none when only a daemon can read it.
    pub fn source(&self) -> Option<Source> {
        match &self.dockerfile {
            DockerfileRead::Text { path, text, .. } => {
                Some(Source::new(path.display().to_string(), text.clone()))
            }
            DockerfileRead::InContext(_) | DockerfileRead::Url(_) => None,
        }
    }

    /// The attributes by which a frontend finds the contexts and the Dockerfile.
    pub fn attributes(&self) -> BTreeMap<String, String> {
        let mut attributes = named::attributes(&self.named);
        let mut capabilities = named::capabilities(&self.named);
        let mut add = |name: &str, value: String| {
            attributes.insert(name.to_owned(), value);
        };
        let url = match &self.context {
            ContextRead::Directory(_) | ContextRead::Empty(_) => None,
            ContextRead::Remote(url) => Some(url.clone()),
            ContextRead::Upload(upload) => Some(upload.url()),
        };
        let filename = match &self.dockerfile {
            DockerfileRead::Text { .. } => self.dockerfile_name(),
            DockerfileRead::InContext(name) => name.clone(),
            DockerfileRead::Url(_) => USUAL_NAME.to_owned(),
        };
        add("filename", filename);
        if let Some(url) = url {
            if !matches!(self.dockerfile, DockerfileRead::InContext(_)) {
                add("dockerfilekey", "dockerfile".to_owned());
            }
            if let Ok(Some(RemoteKind::Git { query: true })) = remote_kind(&url) {
                capabilities.push(named::GIT_QUERIES.to_owned());
            }
            add("context", url);
        }
        if !capabilities.is_empty() {
            add("frontend.caps", capabilities.join(","));
        }
        attributes
    }

    /// The patterns of named folders' ignore files, by the names under which the session serves the folders.
    pub fn named_excludes(&self) -> BTreeMap<String, Vec<String>> {
        named::excludes(&self.named)
    }

    /// Is there something that the daemon has to fetch before the Dockerfile can be translated?
    pub(super) fn is_fetched(&self) -> bool {
        matches!(
            self.context,
            ContextRead::Remote(_) | ContextRead::Upload(_)
        )
    }

    /// The context's folder.
    pub(super) fn folder(&self) -> Option<&Path> {
        match &self.context {
            ContextRead::Directory(folder) => Some(folder),
            _ => None,
        }
    }

    /// The same with a Dockerfile that has been fetched.
    pub(super) fn with_dockerfile(self, url: &str, text: Vec<u8>) -> Self {
        let dockerfile = DockerfileRead::Text {
            path: PathBuf::from(without_password(url)),
            text,
            on_disk: false,
        };
        Self { dockerfile, ..self }
    }

    /// The folders that the session serves, and one that has to live as long. Another frontend reads the Dockerfile from
    /// a folder too.
    pub(super) fn directories(
        &self,
        forwarded: bool,
    ) -> Result<(Directories, Option<TemporaryFolder>), Error> {
        let mut directories = named::directories(&self.named)?;
        match &self.context {
            ContextRead::Directory(folder) => directories = directories.with("context", folder)?,
            ContextRead::Empty(folder) => {
                directories = directories.with("context", folder.path())?
            }
            ContextRead::Remote(_) | ContextRead::Upload(_) => {}
        }
        let mut temporary = None;
        if forwarded
            && let DockerfileRead::Text {
                path,
                text,
                on_disk,
            } = &self.dockerfile
        {
            let folder = match (on_disk, path.parent()) {
                (false, _) => {
                    let made = TemporaryFolder::with_file(USUAL_NAME, text)?;
                    temporary.insert(made).path()
                }
                (true, Some(folder)) if !folder.as_os_str().is_empty() => folder,
                (true, _) => Path::new("."),
            };
            directories = directories.with("dockerfile", folder)?;
        }
        Ok((directories, temporary))
    }

    /// Its name in the folder that another frontend reads it from.
    fn dockerfile_name(&self) -> String {
        let name = match &self.dockerfile {
            DockerfileRead::Text {
                path,
                on_disk: true,
                ..
            } => path.file_name(),
            _ => None,
        };
        name.map_or_else(
            || USUAL_NAME.to_owned(),
            |name| name.to_string_lossy().into_owned(),
        )
    }
}

/// Reads what a request names: the Dockerfile, ignore files, the beginning of a stream. Blocking.
///
/// # Errors
/// What is missing or wrong, with its path.
pub fn read(request: &BuildRequest) -> Result<Inputs, Error> {
    let named = named::read(&request.contexts)?;
    let inputs = match &request.context {
        MainContext::Directory(path) => with_folder(request, path)?,
        MainContext::Remote(url) => fetched(request, ContextRead::Remote(url.clone()))?,
        MainContext::Stream(context) => with_stream(request, context)?,
    };
    Ok(Inputs { named, ..inputs })
}

fn with_folder(request: &BuildRequest, path: &Path) -> Result<Inputs, Error> {
    let context = folder::context_folder(path)?;
    let given = match &request.dockerfile {
        None => None,
        Some(DockerfileFrom::Path(path)) => Some(path.as_path()),
        Some(DockerfileFrom::Url(url)) => {
            return ignoring(context, None, DockerfileRead::Url(url.clone()));
        }
        Some(DockerfileFrom::Stream(stream)) => {
            return ignoring(context, None, from_stream(stream)?);
        }
    };
    let path = folder::dockerfile_path(given, path, &context);
    let dockerfile = on_disk(&path)?;
    ignoring(context, Some(&path), dockerfile)
}

/// A folder as context, with the ignore file that applies.
fn ignoring(
    context: PathBuf,
    path: Option<&Path>,
    dockerfile: DockerfileRead,
) -> Result<Inputs, Error> {
    let (ignore_file, excludes) = folder::ignore_file(&context, path)?.unzip();
    Ok(Inputs {
        ignore_file,
        excludes: excludes.unwrap_or_default(),
        ..Inputs::new(ContextRead::Directory(context), dockerfile)
    })
}

/// A context that the daemon fetches; a relative path of the Dockerfile is one in it.
fn fetched(request: &BuildRequest, context: ContextRead) -> Result<Inputs, Error> {
    let dockerfile = match &request.dockerfile {
        None => DockerfileRead::InContext(USUAL_NAME.to_owned()),
        Some(DockerfileFrom::Url(url)) => DockerfileRead::Url(url.clone()),
        Some(DockerfileFrom::Stream(stream)) => from_stream(stream)?,
        Some(DockerfileFrom::Path(path)) if is_here(path) => on_disk(path)?,
        Some(DockerfileFrom::Path(path)) => {
            DockerfileRead::InContext(path.to_string_lossy().into_owned())
        }
    };
    Ok(Inputs::new(context, dockerfile))
}

/// An archive is the context, a Dockerfile comes without one.
fn with_stream(request: &BuildRequest, context: &InputStream) -> Result<Inputs, Error> {
    if let Some(DockerfileFrom::Stream(dockerfile)) = &request.dockerfile
        && dockerfile.is(context)
    {
        return Err(Error::StreamTwice);
    }
    let mut reader = context.take()?;
    let failed = |source| Error::Stream { source };
    let start = stream::first(&mut *reader, SNIFFED).map_err(failed)?;
    if start.is_empty() {
        return Err(Error::EmptyStream);
    }
    let archive = is_archive(&start);
    let whole = std::io::Cursor::new(start).chain(reader);
    if archive {
        return fetched(request, ContextRead::Upload(Upload::new(whole)?));
    }
    if request.dockerfile.is_some() {
        return Err(Error::StreamIsNoArchive);
    }
    let dockerfile = DockerfileRead::Text {
        path: PathBuf::from("stdin"),
        text: folder::limited(whole).map_err(failed)?,
        on_disk: false,
    };
    let empty = Arc::new(TemporaryFolder::new()?);
    Ok(Inputs::new(ContextRead::Empty(empty), dockerfile))
}

fn on_disk(path: &Path) -> Result<DockerfileRead, Error> {
    Ok(DockerfileRead::Text {
        text: folder::dockerfile(path)?,
        path: path.to_owned(),
        on_disk: true,
    })
}

fn from_stream(stream: &InputStream) -> Result<DockerfileRead, Error> {
    let text = folder::limited(stream.take()?).map_err(|source| Error::Stream { source })?;
    if text.is_empty() {
        return Err(Error::EmptyStream);
    }
    Ok(DockerfileRead::Text {
        path: PathBuf::from("stdin"),
        text,
        on_disk: false,
    })
}

impl Inputs {
    fn new(context: ContextRead, dockerfile: DockerfileRead) -> Self {
        Self {
            context,
            dockerfile,
            named: BTreeMap::new(),
            ignore_file: None,
            excludes: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
