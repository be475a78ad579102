//! Stores credentials: in the configured helper, or in the configuration itself.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::config::Config;
use super::{Credential, Credentials, Error, config_file, edit};
use crate::task::blocking;

/// The place where credentials were stored.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stored {
    /// In the configuration file, unencrypted.
    InFile(PathBuf),
    /// In a credential helper; holds the program's name.
    ByHelper(String),
}

impl Credentials {
    /// Stores a credential under a [`login_key`](super::login_key), as `docker login` does: with
    /// the helper of `credHelpers` or `credsStore`, else base64-encoded in `config.json`. That file
    /// is replaced atomically under a lock, is readable by its owner only, and keeps its other
    /// content.
    ///
    /// # Errors
    ///
    /// [`Error::NoFolder`] without a configuration directory; others if the file cannot be read or
    /// written, is malformed, or the helper fails.
    pub async fn store(&self, key: &str, credential: &Credential) -> Result<Stored, Error> {
        let path = self.file().ok_or(Error::NoFolder)?;
        let config = read(path.clone()).await?;
        let chosen = self
            .default_helper
            .as_deref()
            .filter(|_| config.is_unused());
        let Some(suffix) = config.helper(key).or(chosen) else {
            let entry = entry(credential);
            let key = key.to_owned();
            let change = move |text: &str| Some(set(text, &key, &entry));
            changed(path.clone(), change).await?;
            return Ok(Stored::InFile(path));
        };
        self.helper(suffix, key).store(credential).await?;
        self.helper_answers.lock().await.clear();
        let (own_key, chosen) = (key.to_owned(), chosen.map(str::to_owned));
        let change = move |text: &str| {
            // An empty entry marks credentials in a helper.
            let mut text = set(text, &own_key, &[]);
            if let Some(helper) = chosen {
                text = edit::set(&text, &["credsStore"], &Value::from(helper));
            }
            Some(text)
        };
        changed(path, change).await?;
        Ok(Stored::ByHelper(format!("docker-credential-{suffix}")))
    }

    /// Removes the credentials under a [`login_key`](super::login_key), and those that older
    /// configurations store under URLs of the registry. Returns true if there were any.
    ///
    /// # Errors
    ///
    /// As [`Credentials::store`].
    pub async fn erase(&self, key: &str) -> Result<bool, Error> {
        let path = self.file().ok_or(Error::NoFolder)?;
        let config = read(path.clone()).await?;
        let mut keys = vec![key.to_owned()];
        keys.extend(config.other_name(key).map(str::to_owned));
        let mut had = keys.iter().any(|key| config.has(key));
        if let Some(suffix) = config.helper(key) {
            let helper = self.helper(suffix, key);
            // Some helpers fail when there is nothing to erase.
            if had || helper.get().await?.is_some() {
                helper.erase().await?;
                had = true;
            }
            self.helper_answers.lock().await.clear();
        }
        let change = move |text: &str| {
            keys.iter().fold(None, |left: Option<String>, key| {
                let text = left.as_deref().unwrap_or(text);
                edit::remove(text, &["auths", key]).or(left)
            })
        };
        changed(path, change).await?;
        Ok(had)
    }
}

/// Returns the members of an entry.
fn entry(credential: &Credential) -> Vec<(&'static str, Value)> {
    let mut members = Vec::new();
    if !credential.username.is_empty() || !credential.password.is_empty() {
        let pair = format!("{}:{}", credential.username, credential.password.expose());
        members.push(("auth", Value::from(STANDARD.encode(pair))));
    }
    if !credential.identity_token.is_empty() {
        let token = credential.identity_token.expose();
        members.push(("identitytoken", Value::from(token)));
    }
    members
}

fn set(text: &str, key: &str, members: &[(&'static str, Value)]) -> String {
    let empty = edit::set(text, &["auths", key], &json!({}));
    members.iter().fold(empty, |text, (name, value)| {
        edit::set(&text, &["auths", key, name], value)
    })
}

async fn changed(
    path: PathBuf,
    change: impl FnOnce(&str) -> Option<String> + Send + 'static,
) -> Result<(), Error> {
    blocking(move || config_file::change(&path, change)).await
}

async fn read(path: PathBuf) -> Result<Config, Error> {
    let (_, config) = blocking(move || config_file::read(&path)).await?;
    Ok(config)
}
