//! The files that policies are in and that they read: in the context, which may be elsewhere, or in
//! the working folder. No link leads out of either.

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::client::Client;
use crate::files::{Beneath, BeneathError, Links, take_at_most};
use crate::pipeline::{self, Environment, RemoteRead, read_remote_files};
use crate::session::{Secrets, SshAgents};

/// The largest file that a policy is in or reads.
const LIMIT: u64 = 8 << 20;
/// What names a file of the working folder.
const WORKING: &str = "cwd://";

/// A file of a policy that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// A file of this machine.
    #[error("cannot read the policy's file {name}")]
    Local {
        /// The file as the policy names it.
        name: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A path that leads out of its folder.
    #[error("the policy's file {name} is outside of {folder}")]
    Outside {
        /// The file as the policy names it.
        name: String,
        /// The folder.
        folder: String,
    },
    /// The context is elsewhere and cannot be read.
    #[error("cannot read the policy's files of {url}")]
    Remote {
        /// The context.
        url: String,
        /// Why not.
        #[source]
        source: Box<pipeline::Error>,
    },
}

/// Where the context's files are.
#[derive(Clone)]
pub(crate) enum Root {
    /// In a folder of this machine.
    Folder(PathBuf),
    /// In a place that the daemon fetches.
    Remote(Box<RemoteRoot>),
    /// Nowhere that could be read: the context is a stream.
    Nowhere,
}

/// A place that the daemon fetches.
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
    /// The content of each file; `None` for one that is not there.
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
            // A download that is the Dockerfile itself has nothing beside it.
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

/// A path in a place elsewhere: nothing leads out of it.
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

/// A file of a folder; an absolute path is one that leads into the folder.
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
