//! Records of builds: `refs/BUILDER/NODE/REF`, which buildx's history commands and Docker Desktop
//! read.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Error, Locked, Store, files};

const FOLDER: &str = "refs";
/// The subfolder of groups.
const GROUPS: &str = "__group__";

/// The sources of a build. The file's name is the build's reference.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct BuildState {
    /// The name of the target in a group of builds; `default` for a single one.
    pub target: String,
    /// Absolute path of the context, its URL, or `-` for stdin.
    pub local_path: String,
    /// Absolute path of the Dockerfile, or its path in a context that is not a folder.
    pub dockerfile_path: String,
    /// The reference of its group of builds.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group_ref: String,
    /// The names of the image; buildx has no such field. The daemon does not have them if this
    /// side set the tags, for example after signing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

/// A group of builds that one command ran, as buildx stores it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GroupState {
    /// The requested targets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// The builds, as `builder/node/reference`.
    pub refs: Vec<String>,
}

impl Store {
    /// Stores which builds belong together, under `refs/__group__`.
    ///
    /// # Errors
    /// [`Error::InvalidName`] if the id would lead out of the folder; [`Error::File`] if the file
    /// cannot be written.
    pub fn save_group(&self, id: &str, state: &GroupState) -> Result<(), Error> {
        let path = self.state_path(&[GROUPS, id])?;
        if let Some(folder) = path.parent() {
            files::make_folder(folder)?;
        }
        let bytes = serde_json::to_vec(state).unwrap_or_default();
        files::write_unsynced(self.folder(), &path, &bytes, 0o600)
    }

    /// Stores the sources of a build.
    ///
    /// # Errors
    /// [`Error::InvalidName`] if a part would lead out of the folder; [`Error::File`] if the file
    /// cannot be written.
    pub fn save_state(
        &self,
        builder: &str,
        node: &str,
        build_ref: &str,
        state: &BuildState,
    ) -> Result<(), Error> {
        let path = self.state_path(&[builder, node, build_ref])?;
        if let Some(folder) = path.parent() {
            files::make_folder(folder)?;
        }
        let bytes = serde_json::to_vec(state).unwrap_or_default();
        files::write_unsynced(self.folder(), &path, &bytes, 0o644)
    }

    /// Returns the sources of a build, if they were stored.
    ///
    /// # Errors
    /// [`Error::InvalidName`], [`Error::File`] and [`Error::Broken`].
    pub fn state(
        &self,
        builder: &str,
        node: &str,
        build_ref: &str,
    ) -> Result<Option<BuildState>, Error> {
        let path = self.state_path(&[builder, node, build_ref])?;
        // A crash of the machine can empty a record.
        let Some(bytes) = files::read(&path)?.filter(|bytes| !bytes.is_empty()) else {
            return Ok(None);
        };
        let state = serde_json::from_slice(&bytes);
        state
            .map(Some)
            .map_err(|source| Error::Broken { path, source })
    }

    fn state_path(&self, parts: &[&str]) -> Result<PathBuf, Error> {
        let mut path = self.folder().join(FOLDER);
        for part in parts {
            if part.is_empty() || part.starts_with('.') || part.contains(['/', '\0']) {
                return Err(Error::InvalidName {
                    name: (*part).to_owned(),
                });
            }
            path.push(part);
        }
        Ok(path)
    }
}

impl Locked {
    /// Removes the records of a builder, or of one of its nodes.
    ///
    /// # Errors
    /// [`Error::InvalidName`] and [`Error::File`].
    pub fn forget_states(&self, builder: &str, node: Option<&str>) -> Result<(), Error> {
        let parts: Vec<&str> = [builder].into_iter().chain(node).collect();
        let path = self.state_path(&parts)?;
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(files::failed("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_goes_with_its_builder() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let state = BuildState {
            target: "default".into(),
            local_path: "-".into(),
            dockerfile_path: "Dockerfile".into(),
            ..BuildState::default()
        };
        store.save_state("b", "b0", "abc", &state).unwrap();
        let text = fs::read_to_string(folder.path().join("refs/b/b0/abc")).unwrap();
        assert_eq!(
            text,
            r#"{"Target":"default","LocalPath":"-","DockerfilePath":"Dockerfile"}"#
        );
        assert_eq!(store.state("b", "b0", "abc").unwrap(), Some(state.clone()));
        assert!(store.save_state("..", "b0", "abc", &state).is_err());
        store.lock().unwrap().forget_states("b", None).unwrap();
        assert_eq!(store.state("b", "b0", "abc").unwrap(), None);
    }
}
