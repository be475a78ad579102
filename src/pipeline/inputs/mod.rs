//! Inputs that a build reads before it asks a daemon: folders, the Dockerfile, ignore files, the
//! first bytes of a stream.

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

use crate::batch::Case;
use crate::dockerfile::Wording;
use crate::frontend::Source;
use crate::oci::Platform;
use crate::pipeline::{BuildRequest, Error, Folders};
use crate::session::{Directories, Upload};
use crate::text::redact_url;
use crate::translate::{RemoteKind, remote_kind};
use temporary::TemporaryFolder;

/// The default name of a Dockerfile.
pub(super) const USUAL_NAME: &str = "Dockerfile";

/// The inputs that are read before anything is sent.
#[derive(Debug, Clone)]
pub struct Inputs {
    pub(super) context: ContextRead,
    pub(super) dockerfile: DockerfileRead,
    /// The named contexts.
    pub(super) named: BTreeMap<String, named::NamedRead>,
    /// The path of the ignore file, if there is one.
    pub(super) ignore_file: Option<PathBuf>,
    /// Its patterns, in order.
    pub(super) excludes: Vec<String>,
    /// True if it is UTF-16.
    pub(super) is_ignore_file_utf16: bool,
}

/// The main context.
#[derive(Debug, Clone)]
pub(super) enum ContextRead {
    /// A folder, absolute and without symbolic links.
    Directory(PathBuf),
    /// An empty context: only a Dockerfile was given.
    Empty(Arc<TemporaryFolder>),
    /// A URL that the daemon fetches.
    Remote(String),
    /// An archive that the daemon fetches from this client.
    Upload(Upload),
}

#[derive(Debug, Clone)]
pub(super) enum DockerfileRead {
    /// It has been read.
    Text {
        /// Its path as given, for messages.
        path: PathBuf,
        /// Its bytes.
        text: Vec<u8>,
        /// True for a file on disk, which another frontend can read too.
        on_disk: bool,
    },
    /// A path in a context that the daemon has to fetch first.
    InContext(String),
    /// A URL that the daemon has to fetch first.
    Url(String),
}

impl Inputs {
    /// The conditions for [`batch::translate`](crate::batch::translate), which translates without a
    /// daemon.
    pub fn case(&self, request: &BuildRequest) -> Case {
        let mut case = Case::default();
        case.opts = request.attributes();
        case.opts.extend(self.attributes());
        case.excludes = Some(self.excludes().to_vec());
        let ignores = self.named_excludes().into_iter();
        case.local_ignores = ignores
            .map(|(name, patterns)| (name, patterns.join("\n")))
            .collect();
        case.build_platform = Some(Platform::host().format_all());
        case
    }

    /// The patterns of the ignore file, in order.
    pub fn excludes(&self) -> &[String] {
        &self.excludes
    }

    /// The ignore files that are UTF-16, as PowerShell writes them: of the named contexts, then of
    /// the main one. Their patterns match nothing, as in BuildKit.
    pub fn ignore_files_in_utf16(&self) -> Vec<&Path> {
        let named = self.named.values().filter_map(|context| match context {
            named::NamedRead::Directory {
                utf16_ignore_file, ..
            } => utf16_ignore_file.as_deref(),
            _ => None,
        });
        let own = self.ignore_file.as_deref();
        let own = own.filter(|_| self.is_ignore_file_utf16);
        named.chain(own).collect()
    }

    /// The Dockerfile for a frontend; `None` if only a daemon can read it.
    pub fn source(&self) -> Option<Source> {
        self.source_in(Wording::Own)
    }

    /// As [`source`](Self::source). In BuildKit's wording, messages have its name instead of its
    /// path.
    pub(super) fn source_in(&self, wording: Wording) -> Option<Source> {
        match &self.dockerfile {
            DockerfileRead::Text { path, text, .. } => {
                let shown = match wording {
                    Wording::Own => path.display().to_string(),
                    Wording::BuildKit => self.dockerfile_name(),
                };
                Some(Source::new(shown, text.clone()))
            }
            DockerfileRead::InContext(_) | DockerfileRead::Url(_) => None,
        }
    }

    /// The attributes that tell a frontend where the contexts and the Dockerfile are.
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

    /// True if the daemon has to fetch a context before the Dockerfile can be translated.
    pub(super) fn is_fetched(&self) -> bool {
        matches!(
            self.context,
            ContextRead::Remote(_) | ContextRead::Upload(_)
        )
    }

    /// The context's folder, if it is local.
    pub fn folder(&self) -> Option<&Path> {
        match &self.context {
            ContextRead::Directory(folder) => Some(folder),
            _ => None,
        }
    }

    /// The path of the Dockerfile, if it is a local file.
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

    /// The local folders by the names of their `local://` sources. The paths are absolute and
    /// without links.
    pub fn local_folders(&self) -> BTreeMap<String, PathBuf> {
        let named = named::paths(&self.named);
        let mut folders: BTreeMap<String, PathBuf> =
            named.map(|(name, path)| (name, path.to_owned())).collect();
        if let Some(folder) = self.folder() {
            folders.insert("context".to_owned(), folder.to_owned());
        }
        folders
    }

    /// The names of the `local://` sources from which a frontend reads the Dockerfile and the
    /// ignore file.
    pub(super) fn read_locals(&self) -> impl Iterator<Item = &'static str> {
        let is_folder = matches!(
            self.context,
            ContextRead::Directory(_) | ContextRead::Empty(_)
        );
        let is_text = matches!(self.dockerfile, DockerfileRead::Text { .. });
        let context = is_folder.then_some("context");
        context.into_iter().chain(is_text.then_some("dockerfile"))
    }

    /// The same inputs with a downloaded Dockerfile.
    pub(super) fn with_dockerfile(self, url: &str, text: Vec<u8>) -> Self {
        let dockerfile = DockerfileRead::Text {
            path: PathBuf::from(redact_url(url)),
            text,
            on_disk: false,
        };
        Self { dockerfile, ..self }
    }

    /// The folders that the session serves, and a temporary folder to keep alive. Another frontend
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

    /// The Dockerfile's name in the folder from which another frontend reads it.
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
            is_ignore_file_utf16: false,
        }
    }
}

#[cfg(test)]
mod tests;
