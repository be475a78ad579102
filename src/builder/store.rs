//! The builders of a user: buildx's folder and its lock, so that both programs can change it.

use std::fs::{self, File};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Builder, Error, check_name, files};
use crate::suggest::nearest;

const INSTANCES: &str = "instances";
const DEFAULTS: &str = "defaults";
const CURRENT: &str = "current";
const LOCK: &str = ".lock";
/// buildx holds the lock while `ls` queries all nodes, for up to 20 seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// The store of builders, shared with buildx: a folder with
///
/// - `instances/NAME`: a [`Builder`] each, as JSON
/// - `current`: the builder in use, as JSON, for one Docker endpoint or for all
/// - `defaults/HASH`: the same for one endpoint; it stays when the endpoint changes
/// - `activity/NAME`: when a builder was last used (RFC 3339)
/// - `health/NAME`: the nodes that failed recently, see [`super::Health`]; buildx does not know it
/// - `refs/BUILDER/NODE/REF`: the builds, see [`super::BuildState`]
///
/// Reads take no lock, because files are replaced atomically. Changes go through [`Store::lock`].
///
/// ```
/// use solvekit::builder::{Builder, Driver, NodeSettings, Store};
///
/// # let folder = std::env::temp_dir().join(format!("solvekit-builders-{}", std::process::id()));
/// let store = Store::new(&folder);
/// let mut builder = Builder::new("far", Driver::Remote);
/// let node = NodeSettings {
///     endpoint: "tcp://builder.example.com:1234".into(),
///     ..NodeSettings::default()
/// };
/// builder.set_node(node, true)?;
/// store.lock()?.save(&builder)?;
/// let found = store.builder("far")?;
/// assert_eq!(found.map(|found| found.nodes[0].name.clone()), Some("far0".to_owned()));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

/// A store that other programs cannot change. Dropping it releases the lock.
#[derive(Debug)]
pub struct Locked {
    store: Store,
    _lock: File,
}

/// The content of `current`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Current {
    key: String,
    name: String,
    global: bool,
}

impl Store {
    /// Opens the store in a folder: `$BUILDX_CONFIG`, or `buildx` in Docker's configuration folder.
    /// It need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Returns the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the default `buildkitd` configuration of new builders, if it exists:
    /// `buildkitd.default.toml`.
    pub fn default_config(&self) -> Option<PathBuf> {
        let path = self.folder.join("buildkitd.default.toml");
        path.is_file().then_some(path)
    }

    /// Returns the builder with this name; `None` if there is none.
    ///
    /// # Errors
    /// [`Error::InvalidName`], [`Error::File`] and [`Error::Broken`].
    pub fn builder(&self, name: &str) -> Result<Option<Builder>, Error> {
        let path = self.instance(name)?;
        match files::read(&path)? {
            None => Ok(None),
            Some(bytes) => parsed(&path, &bytes).map(Some),
        }
    }

    /// Returns all builders sorted by name. A builder with a broken file is an error that names it.
    ///
    /// # Errors
    /// If the folder cannot be read. A missing folder has no builders.
    pub fn builders(&self) -> Result<Vec<Result<Builder, Error>>, Error> {
        let names = self.names()?;
        let read = names
            .into_iter()
            .filter_map(|name| self.builder(&name).transpose());
        Ok(read.collect())
    }

    /// Returns the names of all builders.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        let folder = self.folder.join(INSTANCES);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(files::failed("read", &folder)(error)),
        };
        let names = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok());
        // Unrelated files are skipped.
        let mut names: Vec<String> = names.filter(|name| check_name(name).is_ok()).collect();
        names.sort();
        Ok(names)
    }

    /// Returns the error for an unknown builder, with the nearest name of the store and of
    /// `others`.
    pub fn not_found(&self, name: &str, others: &[String]) -> Error {
        let mut known = self.names().unwrap_or_default();
        known.extend(others.iter().cloned());
        let candidates: Vec<&str> = known.iter().map(String::as_str).collect();
        Error::NotFound {
            name: name.to_owned(),
            nearest: nearest(name, &candidates).map(str::to_owned),
            known,
        }
    }

    /// Returns the builder chosen with `use` for a Docker endpoint: the context's name, or the
    /// address of the default context's engine ([`super::Contexts::key`]).
    ///
    /// # Errors
    /// [`Error::File`] and [`Error::Broken`].
    pub fn current(&self, key: &str) -> Result<Option<String>, Error> {
        let path = self.folder.join(CURRENT);
        if let Some(bytes) = files::read(&path)? {
            let current: Current = parsed(&path, &bytes)?;
            if !current.name.is_empty() && (current.global || current.key == key) {
                let exists = self.builder(&current.name)?.is_some();
                if exists || !current.global {
                    return Ok(exists.then_some(current.name));
                }
            }
        }
        let Some(bytes) = files::read(&self.default_of(key))? else {
            return Ok(None);
        };
        let name = String::from_utf8_lossy(&bytes).into_owned();
        match self.builder(&name) {
            Ok(found) => Ok(found.map(|_| name)),
            Err(Error::InvalidName { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Takes buildx's lock and waits up to 30 seconds for it. Creates the folder if necessary.
    ///
    /// # Errors
    /// [`Error::Locked`]; [`Error::File`] if the store cannot be written.
    pub fn lock(&self) -> Result<Locked, Error> {
        for folder in [INSTANCES, DEFAULTS, super::activity::FOLDER] {
            files::make_folder(&self.folder.join(folder))?;
        }
        let path = self.folder.join(LOCK);
        let file = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let file = file.map_err(files::failed("create", &path))?;
        // Even without locks, files are replaced atomically.
        match crate::files::lock_until(&file, Instant::now() + PATIENCE) {
            Ok(true) => Ok(Locked {
                store: self.clone(),
                _lock: file,
            }),
            Ok(false) => Err(Error::Locked { path }),
            Err(error) => Err(files::failed("lock", &path)(error)),
        }
    }

    fn instance(&self, name: &str) -> Result<PathBuf, Error> {
        Ok(self.folder.join(INSTANCES).join(check_name(name)?))
    }

    fn default_of(&self, key: &str) -> PathBuf {
        let hash = Sha256::digest(key);
        let hash: String = hash
            .iter()
            .take(10)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.folder.join(DEFAULTS).join(hash)
    }
}

impl Locked {
    /// Stores a builder, new or changed.
    ///
    /// # Errors
    /// [`Error::InvalidName`] and [`Error::File`].
    pub fn save(&self, builder: &Builder) -> Result<(), Error> {
        let path = self.instance(&builder.name)?;
        // The value has only strings, numbers and maps with string keys, so this cannot fail.
        let bytes = serde_json::to_vec(builder).unwrap_or_default();
        files::write(&self.folder, &path, &bytes, 0o600)?;
        self.touch(&builder.name)
    }

    /// Removes a builder and the records of its builds. Its containers and pods stay.
    ///
    /// # Errors
    /// [`Error::InvalidName`] and [`Error::File`].
    pub fn remove(&self, name: &str) -> Result<(), Error> {
        self.forget_activity(name)?;
        self.forget_health(name)?;
        self.forget_states(name, None)?;
        files::remove(&self.instance(name)?)
    }

    /// Chooses the builder for a Docker endpoint (see [`Store::current`]), or for all with
    /// `global`. With `default` the choice applies again when the endpoint is used again. An empty
    /// name chooses the endpoint's own engine.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn set_current(
        &self,
        key: &str,
        name: &str,
        global: bool,
        default: bool,
    ) -> Result<(), Error> {
        let current = Current {
            key: key.to_owned(),
            name: name.to_owned(),
            global,
        };
        let bytes = serde_json::to_vec(&current).unwrap_or_default();
        files::write(&self.folder, &self.folder.join(CURRENT), &bytes, 0o600)?;
        match default {
            true => files::write(&self.folder, &self.default_of(key), name.as_bytes(), 0o600),
            false => files::remove(&self.default_of(key)),
        }
    }
}

impl Deref for Locked {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

fn parsed<T: for<'de> Deserialize<'de>>(path: &Path, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|source| Error::Broken {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
