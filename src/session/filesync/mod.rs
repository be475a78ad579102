//! Directories that the daemon may read: the sending side of fsutil's protocol, served as
//! `moby.filesync.v1.FileSync`.

mod content;
mod descent;
mod error;
mod filter;
mod follow;
mod listed;
mod listing;
mod metadata;
mod request;
mod selection;
mod sent;
mod survey;
mod transfer;
mod walk;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::HeaderMap;
use tonic::Status;
use tonic::body::Body;

use super::Error;
use super::stream::{self, OutboundBody, Streaming};
use super::tasks::Tasks;
use crate::files::Beneath;
use listed::Listed;
use request::Request;

pub use selection::{Selection, SelectionError};
pub use sent::{Sent, SentFile, UnusualName};
pub use survey::{Survey, SurveyError, Tally};

/// The methods of the service. Only very old daemons use `TarStream`.
pub(super) const METHODS: [&str; 1] = ["/moby.filesync.v1.FileSync/DiffCopy"];

/// The local directories of a build, by the names that LLB's `local://` sources and the daemon use.
///
/// ```no_run
/// use solvekit::session::Directories;
///
/// let directories = Directories::new().with("context", ".")?.with("dockerfile", "docker")?;
/// # Ok::<(), solvekit::session::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Directories {
    open: BTreeMap<String, Directory>,
    sent: Sent,
}

/// An open directory. A later replacement at the same path is ignored.
#[derive(Debug, Clone)]
struct Directory {
    path: PathBuf,
    root: Arc<Beneath>,
}

impl Directories {
    /// Returns an empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Offers the directory under the name and replaces an earlier one. Links on the way to it are
    /// resolved now, and it is opened: links inside never lead outside.
    ///
    /// # Errors
    ///
    /// If the directory does not exist or cannot be opened.
    pub fn with(mut self, name: impl Into<String>, path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let error = |source| Error::Directory {
            path: path.to_owned(),
            source,
        };
        let resolved = path.canonicalize().map_err(error)?;
        let root = Arc::new(Beneath::open(&resolved).map_err(error)?);
        let path = resolved;
        self.open.insert(name.into(), Directory { path, root });
        Ok(self)
    }

    /// Counts the data that is sent of the directories with `sent`.
    pub fn counted_by(self, sent: Sent) -> Self {
        Self { sent, ..self }
    }

    /// Returns the resolved path of a name.
    pub fn get(&self, name: &str) -> Option<&Path> {
        self.open
            .get(name)
            .map(|directory| directory.path.as_path())
    }
}

/// The records of a transfer: what it sends, and what it lists.
#[derive(Debug, Clone, Default)]
struct Noted {
    sent: Sent,
    listed: Option<Arc<Listed>>,
}

/// The service.
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
}

impl Streaming for FileSync {
    const SERVICE: &'static str = "moby.filesync.v1.FileSync";
    const METHOD: &'static str = METHODS[0];

    fn start(
        &self,
        headers: &HeaderMap,
        inbound: Body,
        tasks: Tasks,
    ) -> Result<OutboundBody, Status> {
        let asked = Request::from_headers(headers);
        let directory = &asked.directory;
        let found = self.directories.open.get(directory).ok_or_else(|| {
            Status::not_found(format!("this build offers no directory \"{directory}\""))
        })?;
        let sent = self.directories.sent.clone();
        let noted = Noted {
            listed: sent.list(&found.path),
            sent,
        };
        let root = Arc::clone(&found.root);
        let (outbound, body) = stream::outbound();
        tasks
            .clone()
            .spawn(transfer::run(root, asked, noted, inbound, outbound, tasks));
        Ok(body)
    }
}

/// Returns the paths that a daemon would receive of a directory, for the fuzzer.
#[cfg(fuzzing)]
pub fn list_all(
    root: &Path,
    include: Vec<String>,
    exclude: Vec<String>,
    follow: Vec<String>,
) -> Result<Vec<Vec<u8>>, String> {
    let root = Beneath::open(root).map_err(|error| error.to_string())?;
    let request = Request {
        include,
        exclude,
        follow,
        ..Request::default()
    };
    let mut paths = Vec::new();
    let walked = filter::Filter::new(&root, &request).and_then(|filter| {
        walk::walk(&root, &filter, &|| false, &mut |stat, _| {
            paths.push(stat.path.clone());
            Ok(())
        })
    });
    walked.map(|()| paths).map_err(|error| error.message())
}

#[cfg(test)]
mod tests;
