//! What a build reads before a daemon is asked: folders, the Dockerfile, ignore files, the
//! beginning of a stream.

pub(super) mod folder;
pub(super) mod missing_source;
pub(super) mod named;
pub(super) mod policy;
pub(super) mod reading;
pub(super) mod spool;
pub(super) mod temporary;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::frontend::Source;
use crate::pipeline::{Error, Folders};
use crate::session::{Directories, Upload};
use crate::text::redact_url;
use crate::translate::{RemoteKind, remote_kind};
use temporary::TemporaryFolder;

/// The name of a Dockerfile that is not said to have another.
pub(super) const USUAL_NAME: &str = "Dockerfile";

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
        let filename = match &self.dockerfile {
            DockerfileRead::Text { .. } => self.dockerfile_name(),
            DockerfileRead::InContext(name) => name.clone(),
            DockerfileRead::Url(_) => USUAL_NAME.to_owned(),
        };
        add("filename", filename);
        if let Some(url) = self.context_url() {
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

    /// The URL of a main context that the daemon fetches.
    pub(super) fn context_url(&self) -> Option<String> {
        match &self.context {
            ContextRead::Directory(_) | ContextRead::Empty(_) => None,
            ContextRead::Remote(url) => Some(url.clone()),
            ContextRead::Upload(upload) => Some(upload.url()),
        }
    }

    /// The patterns of named folders' ignore files, by the names under which the session serves the
    /// folders.
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

    /// The context's folder, if it is one of this machine.
    pub fn folder(&self) -> Option<&Path> {
        match &self.context {
            ContextRead::Directory(folder) => Some(folder),
            _ => None,
        }
    }

    /// The Dockerfile's path, if it is a file of this machine.
    pub fn dockerfile_path(&self) -> Option<&Path> {
        match &self.dockerfile {
            DockerfileRead::Text {
                path,
                on_disk: true,
                ..
            } => Some(path),
            _ => None,
        }
    }

    /// The folders of this machine, absolute and without links, by the names of their `local://`
    /// sources.
    pub fn local_folders(&self) -> BTreeMap<String, PathBuf> {
        let named = named::paths(&self.named);
        let mut folders: BTreeMap<String, PathBuf> =
            named.map(|(name, path)| (name, path.to_owned())).collect();
        if let Some(folder) = self.folder() {
            folders.insert("context".to_owned(), folder.to_owned());
        }
        folders
    }

    /// The same with a Dockerfile that has been fetched.
    pub(super) fn with_dockerfile(self, url: &str, text: Vec<u8>) -> Self {
        let dockerfile = DockerfileRead::Text {
            path: PathBuf::from(redact_url(url)),
            text,
            on_disk: false,
        };
        Self { dockerfile, ..self }
    }

    /// The folders that the session serves, and one that has to live as long. Another frontend
    /// reads the Dockerfile from a folder too.
    pub(super) fn directories(
        &self,
        forwarded: bool,
        folders: &Folders,
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
                    let made = TemporaryFolder::with_file(folders, USUAL_NAME, text)?;
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

impl Inputs {
    pub(super) fn new(context: ContextRead, dockerfile: DockerfileRead) -> Self {
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
