//! Directories that the daemon may read: fsutil's sender, served as `moby.filesync.v1.FileSync`.

mod content;
mod error;
mod filter;
mod follow;
mod listing;
mod metadata;
mod request;
mod transfer;
mod walk;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

use super::tasks::Tasks;
use super::{Error, stream};
use request::Request;

/// The methods of the service. `TarStream` is of daemons long gone.
pub(super) const METHODS: [&str; 1] = ["/moby.filesync.v1.FileSync/DiffCopy"];

/// The local directories of a build, by the names under which LLB's `local://` sources and the daemon know them.
///
/// ```no_run
/// use solvekit::session::Directories;
///
/// let directories = Directories::new().with("context", ".")?.with("dockerfile", "docker")?;
/// # Ok::<(), solvekit::session::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Directories {
    paths: BTreeMap<String, PathBuf>,
}

impl Directories {
    /// No directory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Offers the directory under the name, in place of an earlier one of that name. Symbolic links on the way to it are
    /// resolved now.
    ///
    /// # Errors
    ///
    /// When there is no such directory.
    pub fn with(mut self, name: impl Into<String>, path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let error = |source| Error::Directory {
            path: path.to_owned(),
            source,
        };
        let resolved = path.canonicalize().map_err(error)?;
        if !resolved.metadata().map_err(error)?.is_dir() {
            return Err(error(std::io::ErrorKind::NotADirectory.into()));
        }
        self.paths.insert(name.into(), resolved);
        Ok(self)
    }

    /// The resolved path of a name.
    pub fn get(&self, name: &str) -> Option<&Path> {
        self.paths.get(name).map(PathBuf::as_path)
    }
}

/// The service. It speaks gRPC itself: a context of 50,000 files is as many messages.
#[derive(Debug, Clone)]
pub(super) struct FileSync {
    directories: Arc<Directories>,
}

impl FileSync {
    pub(super) fn new(directories: Directories) -> Self {
        Self {
            directories: Arc::new(directories),
        }
    }

    /// Starts the transfer and gives the response that carries it.
    fn diff_copy(&self, request: http::Request<Body>) -> Result<Response<Body>, Status> {
        let (parts, inbound) = request.into_parts();
        let tasks = parts
            .extensions
            .get::<Tasks>()
            .ok_or_else(|| Status::internal("no session"))?
            .clone();
        let asked = Request::from_headers(&parts.headers);
        let directory = &asked.directory;
        let root = self
            .directories
            .get(directory)
            .ok_or_else(|| {
                Status::not_found(format!("this build offers no directory \"{directory}\""))
            })?
            .to_owned();
        let (outbound, body) = stream::outbound();
        tasks
            .clone()
            .spawn(transfer::run(root, asked, inbound, outbound, tasks));
        let mut response = Response::new(Body::new(body));
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        Ok(response)
    }
}

impl NamedService for FileSync {
    const NAME: &'static str = "moby.filesync.v1.FileSync";
}

impl Service<http::Request<Body>> for FileSync {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let response = match METHODS.contains(&request.uri().path()) {
            true => self.diff_copy(request),
            false => Err(Status::unimplemented("not served here")),
        };
        ready(Ok(response.unwrap_or_else(Status::into_http)))
    }
}

#[cfg(test)]
mod tests;
