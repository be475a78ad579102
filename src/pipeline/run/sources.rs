//! The sources of several builds that one session serves: folders and OCI layouts. Nothing else is
//! shared, because a Dockerfile can read every secret of its session.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::pipeline::inputs::{ContextRead, named};
use crate::pipeline::{Error, Inputs};
use crate::session::{self, ContentStores, Directories, Sent, Session};

/// The main context's name in the session.
const MAIN: &str = "context";

/// Folders and layouts, by their names in the graphs.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sources {
    folders: BTreeMap<String, PathBuf>,
    layouts: BTreeMap<String, PathBuf>,
}

impl Sources {
    /// The sources of one build.
    pub(super) fn of(inputs: &Inputs) -> Self {
        let main = match &inputs.context {
            ContextRead::Directory(folder) => Some(folder.clone()),
            ContextRead::Empty(folder) => Some(folder.path().to_owned()),
            ContextRead::Remote(_) | ContextRead::Upload(_) => None,
        };
        let main = main.map(|folder| (MAIN.to_owned(), folder));
        let named = named::paths(&inputs.named).map(|(name, path)| (name, path.to_owned()));
        let layouts = named::layouts(&inputs.named);
        Self {
            folders: main.into_iter().chain(named).collect(),
            layouts: layouts
                .map(|(id, path)| (id.to_owned(), path.to_owned()))
                .collect(),
        }
    }

    /// Adds the sources of another build. Returns false if a name means another folder in `self`.
    pub(super) fn add(&mut self, other: &Self) -> bool {
        let same_name_elsewhere = |(name, path): (&String, &PathBuf)| {
            self.folders.get(name).is_some_and(|known| known != path)
        };
        if other.folders.iter().any(same_name_elsewhere) {
            return false;
        }
        self.folders.extend(other.folders.clone());
        self.layouts.extend(other.layouts.clone());
        true
    }

    /// True if this session has all sources of the other.
    pub(super) fn serve(&self, other: &Self) -> bool {
        let has = |(name, path): (&String, &PathBuf)| self.folders.get(name) == Some(path);
        other.folders.iter().all(has)
            && other.layouts.keys().all(|id| self.layouts.contains_key(id))
    }

    /// A session that serves these sources.
    pub(super) fn session(&self, node_id: Option<&str>, sent: Sent) -> Result<Session, Error> {
        let mut directories = Directories::new().counted_by(sent);
        for (name, path) in &self.folders {
            directories = directories.with(name, path)?;
        }
        let mut builder = Session::builder().directories(directories);
        if !self.layouts.is_empty() {
            let stores = self.layouts.iter();
            builder = builder.content(stores.fold(ContentStores::new(), |stores, (id, path)| {
                stores.with(format!("oci:{id}"), path)
            }));
        }
        let main: Option<&Path> = self.folders.get(MAIN).map(PathBuf::as_path);
        if let (Some(node_id), Some(folder)) = (node_id, main) {
            builder = builder.shared_key(session::shared_key(folder, node_id));
        }
        Ok(builder.build()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(folders: &[(&str, &str)]) -> Sources {
        let folders = folders.iter();
        Sources {
            folders: folders
                .map(|(name, path)| ((*name).to_owned(), PathBuf::from(path)))
                .collect(),
            layouts: BTreeMap::new(),
        }
    }

    #[test]
    fn a_name_stands_for_one_folder() {
        let mut group = sources(&[("context", "/a")]);
        assert!(group.add(&sources(&[("context", "/a"), ("data", "/d")])));
        assert!(!group.add(&sources(&[("context", "/b")])));
        assert!(!group.add(&sources(&[("data", "/e"), ("more", "/m")])));
        assert_eq!(group, sources(&[("context", "/a"), ("data", "/d")]));
        assert!(group.serve(&sources(&[("data", "/d")])));
        assert!(!group.serve(&sources(&[("data", "/e")])));
    }
}
