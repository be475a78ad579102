//! Reads the inputs of a request on this machine. Blocking.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::temporary::TemporaryFolder;
use super::{ContextRead, DockerfileRead, USUAL_NAME, folder, named};
use crate::frontend::is_archive;
use crate::pipeline::request::from::is_here;
use crate::pipeline::request::stream;
use crate::pipeline::{BuildRequest, DockerfileFrom, Error, InputStream, Inputs, MainContext};
use crate::session::Upload;

/// The bytes of a stream that are enough to distinguish an archive from a Dockerfile.
const SNIFFED: u64 = 1024;

/// Reads the inputs of a request: the Dockerfile, ignore files, the first bytes of a stream.
/// Blocking.
///
/// # Errors
/// An input that is missing or invalid, with its path.
pub fn read(request: &BuildRequest) -> Result<Inputs, Error> {
    let named = named::read(&request.contexts)?;
    if let (Some(path), false) = (&request.ignore_file, is_folder(request)) {
        return Err(Error::IgnoreFileWithoutFolder { path: path.clone() });
    }
    let inputs = match &request.context {
        MainContext::Directory(path) => with_folder(request, path)?,
        MainContext::Remote(url) => fetched(request, ContextRead::Remote(url.clone()))?,
        MainContext::Stream(context) => with_stream(request, context)?,
    };
    Ok(Inputs { named, ..inputs })
}

fn is_folder(request: &BuildRequest) -> bool {
    matches!(request.context, MainContext::Directory(_))
}

fn with_folder(request: &BuildRequest, path: &Path) -> Result<Inputs, Error> {
    let context = folder::context_folder(path)?;
    let given = match &request.dockerfile {
        None => None,
        Some(DockerfileFrom::Path(path)) => Some(path.as_path()),
        Some(DockerfileFrom::Url(url)) => {
            return ignoring(request, context, None, DockerfileRead::Url(url.clone()));
        }
        Some(DockerfileFrom::Stream(stream)) => {
            return ignoring(request, context, None, from_stream(stream)?);
        }
    };
    let path = folder::dockerfile_path(given, path, &context);
    let dockerfile = on_disk(&path, folder::dockerfile(&path, &context)?);
    ignoring(request, context, Some(&path), dockerfile)
}

/// Reads the ignore file that belongs to a context folder.
fn ignoring(
    request: &BuildRequest,
    context: PathBuf,
    path: Option<&Path>,
    dockerfile: DockerfileRead,
) -> Result<Inputs, Error> {
    let found = match &request.ignore_file {
        Some(path) => Some(folder::typed_ignore_file(path)?),
        None => folder::ignore_file(&context, path)?,
    };
    let inputs = Inputs::new(ContextRead::Directory(context), dockerfile);
    let Some(found) = found else {
        return Ok(inputs);
    };
    Ok(Inputs {
        ignore_file: Some(found.path),
        excludes: found.patterns,
        is_ignore_file_utf16: found.is_utf16,
        ..inputs
    })
}

/// A context that the daemon fetches; a relative Dockerfile path is looked up in it.
fn fetched(request: &BuildRequest, context: ContextRead) -> Result<Inputs, Error> {
    let dockerfile = match &request.dockerfile {
        None => DockerfileRead::InContext(USUAL_NAME.to_owned()),
        Some(DockerfileFrom::Url(url)) => DockerfileRead::Url(url.clone()),
        Some(DockerfileFrom::Stream(stream)) => from_stream(stream)?,
        Some(DockerfileFrom::Path(path)) if is_here(path) => {
            on_disk(path, folder::typed_dockerfile(path)?)
        }
        Some(DockerfileFrom::Path(path)) => {
            DockerfileRead::InContext(path.to_string_lossy().into_owned())
        }
    };
    Ok(Inputs::new(context, dockerfile))
}

/// Takes an archive as the context, or a single Dockerfile with an empty context.
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
        path: context.name().to_owned(),
        text: folder::limited(whole).map_err(failed)?,
        on_disk: false,
    };
    let empty = Arc::new(TemporaryFolder::new(&request.folders)?);
    Ok(Inputs::new(ContextRead::Empty(empty), dockerfile))
}

fn on_disk(path: &Path, text: Vec<u8>) -> DockerfileRead {
    DockerfileRead::Text {
        text,
        path: path.to_owned(),
        on_disk: true,
    }
}

fn from_stream(stream: &InputStream) -> Result<DockerfileRead, Error> {
    let text = folder::limited(stream.take()?).map_err(|source| Error::Stream { source })?;
    if text.is_empty() {
        return Err(Error::EmptyStream);
    }
    Ok(DockerfileRead::Text {
        path: stream.name().to_owned(),
        text,
        on_disk: false,
    })
}
