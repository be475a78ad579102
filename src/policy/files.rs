//! Reads policies and the files that they use: from the context, which may be remote, or from the
//! working directory. No link may lead out of either.

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::client::Client;
use crate::files::{Beneath, BeneathError, Links, take_at_most};
use crate::pipeline::{self, Environment, RemoteRead, read_remote_files};
use crate::session::{Secrets, SshAgents};

/// The size limit of a policy and of the files that it reads, in bytes.
const LIMIT: u64 = 8 << 20;
/// The prefix of a file in the working directory.
const WORKING: &str = "cwd://";

/// Why a policy's file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// A local file cannot be read.
    #[error("cannot read the policy's file {name}")]
    Local {
        /// The name of the file in the policy.
        name: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A path leads out of its folder.
    #[error("the policy's file {name} is outside of {folder}")]
    Outside {
        /// The name of the file in the policy.
        name: String,
        /// The folder.
        folder: String,
    },
    /// The remote context cannot be read.
    #[error("cannot read the policy's files of {url}")]
    Remote {
        /// The context.
        url: String,
        /// The cause.
        #[source]
        source: Box<pipeline::Error>,
    },
}

/// The location of the context's files.
#[derive(Clone)]
pub(crate) enum Root {
    /// A local folder.
    Folder(PathBuf),
    /// A URL that the daemon fetches.
    Remote(Box<RemoteRoot>),
    /// Not readable: the context is a stream.
    Nowhere,
}

/// A remote context that the daemon fetches.
#[derive(Clone)]
pub(crate) struct RemoteRoot {
    pub(crate) url: String,
    pub(crate) client: Client,
    pub(crate) environment: Environment,
    pub(crate) secrets: Secrets,
    pub(crate) ssh_agents: SshAgents,
}

/// The files of the policies of one build.
#[derive(Clone)]
pub(crate) struct PolicyFiles {
    pub(crate) context: Root,
    pub(crate) working_folder: Option<PathBuf>,
}

impl PolicyFiles {
    /// The content of each file; `None` for missing ones.
    pub(crate) async fn read(
        &self,
        names: Vec<String>,
    ) -> Result<Vec<(String, Option<Vec<u8>>)>, FileError> {
        let mut found = Vec::with_capacity(names.len());
        let mut elsewhere = Vec::new();
        for name in names {
            let (folder, path) = match (name.strip_prefix(WORKING), &self.context) {
                (Some(path), _) => (self.working_folder.clone(), path.to_owned()),
                (None, Root::Folder(folder)) => (Some(folder.clone()), name.clone()),
                (None, Root::Nowhere) => (None, name.clone()),
                (None, Root::Remote(_)) => {
                    elsewhere.push(name);
                    continue;
                }
            };
            let content = match folder {
                None => None,
                Some(folder) => {
                    let shown = name.clone();
                    let read = move || read_local(&shown, &folder, Path::new(&path));
                    match tokio::task::spawn_blocking(read).await {
                        Ok(read) => read?,
                        Err(_) => None,
                    }
                }
            };
            found.push((name, content));
        }
        if let (Root::Remote(root), false) = (&self.context, elsewhere.is_empty()) {
            found.extend(root.read(elsewhere).await?);
        }
        Ok(found)
    }
}

impl RemoteRoot {
    async fn read(&self, names: Vec<String>) -> Result<Vec<(String, Option<Vec<u8>>)>, FileError> {
        let read = RemoteRead {
            url: self.url.clone(),
            names: names.iter().map(|name| clean(name)).collect(),
            optional: true,
            limit: LIMIT,
            secrets: self.secrets.clone(),
            ssh_agents: self.ssh_agents.clone(),
        };
        let read = read_remote_files(&self.client, read, &self.environment);
        let files = match Box::pin(read).await {
            Ok(pipeline::RemoteFiles::Git(files) | pipeline::RemoteFiles::Archive(files)) => files,
            // A single-file download is the Dockerfile itself, with no other files.
            Ok(_) => Vec::new(),
            Err(error) => {
                return Err(FileError::Remote {
                    url: crate::text::redact_url(&self.url),
                    source: Box::new(error),
                });
            }
        };
        let content = |name: &String| {
            let clean = clean(name);
            let file = files.iter().find(|(found, _)| *found == clean);
            file.map(|(_, content)| content.clone())
        };
        Ok(names
            .iter()
            .map(|name| (name.clone(), content(name)))
            .collect())
    }
}

/// Normalises a path in a remote context, so that it cannot lead out.
fn clean(name: &str) -> String {
    let mut parts = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// Reads a file of a folder; an absolute path must lead into the folder.
fn read_local(name: &str, folder: &Path, path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    let outside = || FileError::Outside {
        name: name.to_owned(),
        folder: folder.display().to_string(),
    };
    let inside = match path.is_absolute() {
        true => path.strip_prefix(folder).map_err(|_| outside())?,
        false => path,
    };
    let mut relative = PathBuf::new();
    for part in inside.components() {
        match part {
            Component::Normal(part) => relative.push(part),
            Component::CurDir => {}
            Component::ParentDir if relative.pop() => {}
            _ => return Err(outside()),
        }
    }
    let failed = |source| FileError::Local {
        name: name.to_owned(),
        source,
    };
    let opened = Beneath::open(folder)
        .map_err(BeneathError::from)
        .and_then(|folder| folder.file(&relative, Links::Inside));
    match opened {
        Ok(file) => take_at_most(file, LIMIT).map(Some).map_err(failed),
        Err(error) if error.is_missing() => Ok(None),
        Err(BeneathError::Outside) => Err(outside()),
        Err(BeneathError::Io(source)) => Err(failed(source)),
        Err(error) => Err(failed(io::Error::other(error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_beneath_its_folder_only() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("context");
        std::fs::create_dir_all(folder.join("lib")).unwrap();
        std::fs::write(dir.path().join("secret"), "s").unwrap();
        std::fs::write(folder.join("lib/a.rego"), "a").unwrap();
        std::os::unix::fs::symlink("../secret", folder.join("link")).unwrap();
        let read = |path: &str| read_local(path, &folder, Path::new(path));
        assert_eq!(read("lib/a.rego").unwrap().as_deref(), Some(&b"a"[..]));
        assert_eq!(
            read("./lib/../lib/a.rego").unwrap().as_deref(),
            Some(&b"a"[..])
        );
        let absolute = folder.join("lib/a.rego");
        assert!(read(absolute.to_str().unwrap()).unwrap().is_some());
        assert!(read("lib/b.rego").unwrap().is_none());
        for path in ["../secret", "link", "/etc/hostname"] {
            assert!(
                matches!(read(path), Err(FileError::Outside { .. })),
                "{path}"
            );
        }
    }

    #[test]
    fn a_path_elsewhere_leads_nowhere_else() {
        assert_eq!(clean("/a/../../b/./c"), "b/c");
    }
}
