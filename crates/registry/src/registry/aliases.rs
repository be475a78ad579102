//! Aliases of the docker CLI in its configuration, such as `docker builder` for a plugin.

use serde_json::Value;

use super::{Credentials, Error, config_file, edit};
use crate::task::blocking;

impl Credentials {
    /// Makes `docker NAME` call this plugin of the docker CLI, or removes the alias with `None`.
    /// The file keeps its other content, as with [`Credentials::store`].
    ///
    /// # Errors
    ///
    /// [`Error::NoFolder`] without a configuration directory; others if the file cannot be read or
    /// written, or is malformed.
    pub async fn set_alias(&self, name: &str, plugin: Option<&str>) -> Result<(), Error> {
        let path = self.file().ok_or(Error::NoFolder)?;
        let (name, plugin) = (name.to_owned(), plugin.map(str::to_owned));
        let change = move |text: &str| {
            let keys = ["aliases", name.as_str()];
            match plugin {
                Some(plugin) => Some(edit::set(text, &keys, &Value::from(plugin))),
                None => edit::remove(text, &keys),
            }
        };
        blocking(move || config_file::change(&path, change)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_alias_is_set_and_removed_beside_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, r#"{"psFormat": "x", "aliases": {"b": "c"}}"#).unwrap();
        let credentials = Credentials::new(folder.path());
        let now = || {
            let text = std::fs::read(&path).unwrap();
            serde_json::from_slice::<Value>(&text).unwrap()
        };
        credentials
            .set_alias("builder", Some("buildx"))
            .await
            .unwrap();
        let aliases = serde_json::json!({"b": "c", "builder": "buildx"});
        assert_eq!(
            now(),
            serde_json::json!({"psFormat": "x", "aliases": aliases})
        );
        credentials.set_alias("builder", None).await.unwrap();
        assert_eq!(now()["aliases"], serde_json::json!({"b": "c"}));
    }
}
