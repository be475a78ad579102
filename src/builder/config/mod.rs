//! The configuration of a `buildkitd` that this client starts: `buildkitd.toml`, checked, with its
//! certificates.

mod check;
mod registries;
mod schema;

use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value};

use super::{ConfigProblem, Error, files};
use crate::files::read_at_most;

/// The folder of the daemon's files in a container.
const FOLDER: &str = "/etc/buildkit";
const FILE: &str = "buildkitd.toml";

/// A daemon's files, by their paths under `/etc/buildkit`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DaemonConfig {
    /// `buildkitd.toml` and the files it names. A registry's certificates are in `certs/REGISTRY`,
    /// and the configuration refers to them there.
    pub files: BTreeMap<String, Vec<u8>>,
    /// A line for each unknown key.
    pub unknown: Vec<String>,
    /// The entitlements that the configuration grants, for example `network.host`.
    pub entitlements: Vec<String>,
}

impl DaemonConfig {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// [`Error::File`] if it or a certificate cannot be read; [`Error::Config`] if it is malformed,
    /// a value has the wrong type, or an unknown key looks like a misspelt one.
    pub fn load(path: &Path) -> Result<Self, Error> {
        Self::of(path, read(path)?, &read)
    }

    /// The configuration in a file with these bytes; `read` reads the certificates.
    pub(crate) fn of(
        path: &Path,
        bytes: Vec<u8>,
        read: &dyn Fn(&Path) -> Result<Vec<u8>, Error>,
    ) -> Result<Self, Error> {
        let broken = |source| Error::Config {
            path: path.to_owned(),
            source,
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| broken(ConfigProblem::NotUtf8))?;
        let table = text
            .parse::<Table>()
            .map_err(|error| broken(ConfigProblem::Toml(Box::new(error))))?;
        let check::Findings { mistakes, unknown } = check::check(&table);
        if !mistakes.is_empty() {
            return Err(broken(ConfigProblem::Mistakes { mistakes }));
        }
        let mut config = Self {
            unknown,
            entitlements: texts(table.get("insecure-entitlements")),
            ..Self::default()
        };
        let moved = config.take_certificates(table.clone(), read)?;
        // Without certificates the file keeps its bytes, including comments.
        let bytes = match moved == table {
            true => bytes,
            false => moved.to_string().into_bytes(),
        };
        config.files.insert(FILE.to_owned(), bytes);
        Ok(config)
    }

    /// Collects the certificates and changes the configuration to their paths in a container.
    fn take_certificates(
        &mut self,
        mut table: Table,
        read: &dyn Fn(&Path) -> Result<Vec<u8>, Error>,
    ) -> Result<Table, Error> {
        let registries = table.get_mut("registry").and_then(Value::as_table_mut);
        for (name, registry) in registries.into_iter().flatten() {
            let folder = format!("certs/{}", file_name(name));
            let Some(registry) = registry.as_table_mut() else {
                continue;
            };
            for value in registry
                .get_mut("ca")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                self.take(&folder, value, read)?;
            }
            let pairs = registry.get_mut("keypair").and_then(Value::as_array_mut);
            for pair in pairs.into_iter().flatten().filter_map(Value::as_table_mut) {
                for (_, value) in pair.iter_mut() {
                    self.take(&folder, value, read)?;
                }
            }
        }
        Ok(table)
    }

    fn take(
        &mut self,
        folder: &str,
        value: &mut Value,
        read: &dyn Fn(&Path) -> Result<Vec<u8>, Error>,
    ) -> Result<(), Error> {
        let Some(path) = value
            .as_str()
            .filter(|path| !path.is_empty())
            .map(Path::new)
        else {
            return Ok(());
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let place = format!("{folder}/{name}");
        self.files.insert(place.clone(), read(path)?);
        *value = Value::String(format!("{FOLDER}/{place}"));
        Ok(())
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    read_at_most(path, files::LIMIT).map_err(files::failed("read", path))
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Returns buildx's name for a registry's folder: each run of other characters becomes one `_`.
fn file_name(registry: &str) -> String {
    let mut name = String::new();
    for letter in registry.chars() {
        match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' => name.push(letter),
            _ if name.ends_with('_') => {}
            _ => name.push('_'),
        }
    }
    // Ensure that the folder is below the others.
    match name.as_str() {
        "" | "." | ".." => "_".to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), "CA").unwrap();
        std::fs::write(folder.path().join("key.pem"), "KEY").unwrap();
        let path = folder.path().join("buildkitd.toml");
        std::fs::write(&path, text.replace("DIR", folder.path().to_str().unwrap())).unwrap();
        (folder, path)
    }

    #[test]
    fn a_file_without_certificates_stays_as_it_is() {
        let text = "# mine\ndebug = true\ninsecure-entitlements = [\"network.host\"]\n";
        let (_folder, path) = written(text);
        let config = DaemonConfig::load(&path).unwrap();
        assert_eq!(config.files[FILE], text.as_bytes());
        assert_eq!(config.entitlements, ["network.host"]);
    }

    #[test]
    fn certificates_are_put_beside_it() {
        let (_folder, path) = written(
            "[registry.\"r.example:5000\"]\nca = \
             [\"DIR/ca.pem\"]\n[[registry.\"r.example:5000\".keypair]]\nkey \
             = \"DIR/key.pem\"\ncert = \"DIR/ca.pem\"\n",
        );
        let config = DaemonConfig::load(&path).unwrap();
        assert_eq!(config.files["certs/r.example_5000/ca.pem"], b"CA");
        assert_eq!(config.files["certs/r.example_5000/key.pem"], b"KEY");
        let text = String::from_utf8(config.files[FILE].clone()).unwrap();
        let table: Table = text.parse().unwrap();
        let registry = &table["registry"]["r.example:5000"];
        assert_eq!(
            registry["ca"][0].as_str(),
            Some("/etc/buildkit/certs/r.example_5000/ca.pem")
        );
        assert_eq!(
            registry["keypair"][0]["key"].as_str(),
            Some("/etc/buildkit/certs/r.example_5000/key.pem")
        );
    }

    #[test]
    fn what_is_wrong_is_reported() {
        let refused = |text: &str| {
            let (_folder, path) = written(text);
            crate::causes::in_one_line(&DaemonConfig::load(&path).unwrap_err())
        };
        assert!(refused("debug = ").contains("line 1"));
        assert!(refused("debgu = true").contains("did you mean debug?"));
        let missing = DaemonConfig::load(Path::new("/nowhere/buildkitd.toml")).unwrap_err();
        assert!(missing.to_string().contains("/nowhere/buildkitd.toml"));
        assert!(
            refused("[registry.\"r\"]\nca = [\"/nowhere/ca.pem\"]").contains("/nowhere/ca.pem")
        );
    }
}
