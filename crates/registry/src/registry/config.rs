//! The parts of Docker's configuration that contain credentials.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::keys::{host, is_part};
use super::{Credential, Error, Secret};
use crate::oci::null_as_default;

/// `config.json`, or the JSON of `DOCKER_AUTH_CONFIG`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Config {
    #[serde(deserialize_with = "null_as_default")]
    auths: BTreeMap<String, Option<Entry>>,
    creds_store: Option<String>,
    cred_helpers: Option<BTreeMap<String, String>>,
    #[serde(skip)]
    place: String,
}

/// The entry under a registry's name.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    #[serde(deserialize_with = "null_as_default")]
    auth: String,
    #[serde(deserialize_with = "null_as_default")]
    username: String,
    #[serde(deserialize_with = "null_as_default")]
    password: Secret,
    #[serde(deserialize_with = "null_as_default")]
    identitytoken: Secret,
    #[serde(deserialize_with = "null_as_default")]
    registrytoken: Secret,
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Secret::new)
    }
}

impl Config {
    /// Parses the JSON. The error does not quote it, because it contains secrets.
    pub(super) fn parse(json: &[u8], place: &str) -> Result<Self, Error> {
        if json.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self::default());
        }
        let parsed = serde_json::from_slice::<Self>(json);
        let config = parsed.map_err(|error| Error::ParseConfig {
            place: place.to_owned(),
            line: error.line(),
            column: error.column(),
        })?;
        Ok(Self {
            place: place.to_owned(),
            ..config
        })
    }

    /// Checks that every entry has a decodable `auth`, as `DOCKER_AUTH_CONFIG` demands.
    pub(super) fn check(&self) -> Result<(), Error> {
        for (key, entry) in &self.auths {
            let complete = entry
                .as_ref()
                .is_some_and(|entry| decode(&entry.auth).is_some());
            if !complete {
                return Err(self.malformed(key));
            }
        }
        Ok(())
    }

    fn malformed(&self, key: &str) -> Error {
        Error::MalformedAuth {
            registry: key.to_owned(),
            place: self.place.clone(),
        }
    }

    /// Returns the suffix of the registry's credential helper: its own, or the default one.
    pub(super) fn helper(&self, registry: &str) -> Option<&str> {
        let own = self
            .cred_helpers
            .as_ref()
            .and_then(|helpers| helpers.get(registry));
        own.or(self.creds_store.as_ref())
            .map(String::as_str)
            .filter(|helper| !helper.is_empty())
    }

    /// True if there is an entry with exactly this name. It may be empty: an empty entry means that
    /// a helper has the credentials.
    pub(super) fn has(&self, key: &str) -> bool {
        self.auths.contains_key(key)
    }

    /// True if a helper is set for exactly this name.
    pub(super) fn has_own_helper(&self, key: &str) -> bool {
        let helpers = self.cred_helpers.as_ref();
        helpers.is_some_and(|helpers| helpers.contains_key(key))
    }

    /// Returns the configuration with its entries but without helpers.
    pub(super) fn without_helpers(self) -> Self {
        Self {
            creds_store: None,
            cred_helpers: None,
            ..self
        }
    }

    /// True if this configuration has no credentials and no helpers.
    pub(super) fn is_unused(&self) -> bool {
        let helpers = self.cred_helpers.as_ref();
        self.auths.is_empty()
            && helpers.is_none_or(BTreeMap::is_empty)
            && self.creds_store.as_ref().is_none_or(String::is_empty)
    }

    /// Returns the names that have a login in the file itself.
    pub(super) fn names_in_file(&self) -> impl Iterator<Item = &String> {
        let stored = |key: &String| matches!(self.stored(key), Ok(Some(it)) if !it.is_anonymous());
        self.auths.keys().filter(move |key| stored(key))
    }

    /// Returns the suffixes of all helpers.
    pub(super) fn helpers(&self) -> impl Iterator<Item = &String> {
        let own = self.cred_helpers.iter().flat_map(BTreeMap::values);
        let all = own.chain(&self.creds_store);
        all.filter(|helper| !helper.is_empty())
    }

    /// Returns the credentials in the file under exactly this name.
    pub(super) fn stored(&self, key: &str) -> Result<Option<Credential>, Error> {
        match self.auths.get_key_value(key) {
            Some((key, Some(entry))) => self.credential(key, entry).map(Some),
            _ => Ok(None),
        }
    }

    /// Returns the whole registry's key in another spelling, such as the URL in an older
    /// configuration.
    pub(super) fn other_name(&self, registry: &str) -> Option<&str> {
        let mut keys = self.auths.keys().filter(|key| host(key) == registry);
        keys.find(|key| *key != registry && !is_part(key))
            .map(String::as_str)
    }

    /// Returns the first key for a part of the registry.
    pub(super) fn any_part(&self, registry: &str) -> Option<&str> {
        let mut keys = self.auths.keys().filter(|key| host(key) == registry);
        keys.find(|key| is_part(key)).map(String::as_str)
    }

    fn credential(&self, key: &str, entry: &Entry) -> Result<Credential, Error> {
        let mut credential = Credential {
            username: entry.username.clone(),
            password: entry.password.clone(),
            identity_token: entry.identitytoken.clone(),
            registry_token: entry.registrytoken.clone(),
        };
        if !entry.auth.is_empty() {
            (credential.username, credential.password) =
                decode(&entry.auth).ok_or_else(|| self.malformed(key))?;
        }
        Ok(credential)
    }
}

/// Splits the base64 of `USER:PASSWORD`.
fn decode(auth: &str) -> Option<(String, Secret)> {
    let text = String::from_utf8(STANDARD.decode(auth).ok()?).ok()?;
    let (username, password) = text
        .split_once(':')
        .filter(|(username, _)| !username.is_empty())?;
    Some((
        username.to_owned(),
        Secret::new(password.trim_matches('\0')),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(json: &str, registry: &str) -> Option<Credential> {
        let config = Config::parse(json.as_bytes(), "config.json").unwrap();
        let other = config.other_name(registry);
        config.stored(other.unwrap_or(registry)).unwrap()
    }

    #[test]
    fn entries_are_found_by_name_and_by_the_host_of_a_url() {
        // user:pa:ss
        let json = r#"{"auths": {"a.example": {"auth": "dXNlcjpwYTpzcw=="}, "https://b.example:5000/v1/": {"auth": "dXNlcjpwYTpzcw=="}}}"#;
        for registry in ["a.example", "b.example:5000", "https://b.example:5000/v1/"] {
            let credential = stored(json, registry).unwrap();
            assert_eq!(
                (credential.username.as_str(), credential.password.expose()),
                ("user", "pa:ss")
            );
        }
        assert!(stored(json, "b.example").is_none());
    }

    #[test]
    fn tokens_and_plain_fields_are_read() {
        let json = r#"{"auths": {
            "t": {"identitytoken": "it"}, "r": {"registrytoken": "rt"}, "p": {"username": "u", "password": "p"}, "e": {}
        }}"#;
        assert_eq!(stored(json, "t").unwrap().identity_token.expose(), "it");
        assert_eq!(stored(json, "r").unwrap().registry_token.expose(), "rt");
        assert_eq!(stored(json, "p").unwrap().username, "u");
        assert!(stored(json, "e").unwrap().is_anonymous());
    }

    #[test]
    fn a_registrys_own_helper_goes_before_the_common_one() {
        let json = r#"{"credsStore": "pass", "credHelpers": {"a": "ecr-login", "b": ""}}"#;
        let config = Config::parse(json.as_bytes(), "").unwrap();
        assert_eq!(config.helper("a"), Some("ecr-login"));
        assert_eq!(config.helper("b"), None);
        assert_eq!(config.helper("c"), Some("pass"));
    }

    #[test]
    fn errors_say_where_and_not_what() {
        let parse = |json: &str| {
            Config::parse(json.as_bytes(), "config.json")
                .err()
                .unwrap()
                .to_string()
        };
        let error = parse("{\"auths\": {\n  \"a\": \"hunter2\"}}");
        assert_eq!(
            error,
            "config.json is not a docker configuration (line 2, column 16)"
        );

        let config = Config::parse(
            br#"{"auths": {"a": {"auth": "aHVudGVyMg=="}}}"#,
            "config.json",
        )
        .unwrap();
        let error = config.stored("a").err().unwrap().to_string();
        assert_eq!(
            error,
            "the credentials of a in config.json are not the base64 of USER:PASSWORD"
        );
    }

    #[test]
    fn a_name_with_a_line_break_stays_in_one_line() {
        let json =
            "{\"auths\": {\"https:/tps://i\\\\\\nda=eexa.ute.ea\\u001b[2J\": {\"au%h\": \"bWU\"}}}";
        let config = Config::parse(json.as_bytes(), "DOCKER_AUTH_CONFIG").unwrap();
        assert_eq!(
            config.check().unwrap_err().to_string(),
            "the credentials of https:/tps://i\\ da=eexa.ute.ea[2J in DOCKER_AUTH_CONFIG are not \
             the base64 of USER:PASSWORD"
        );
        let helper = Error::RunHelper {
            helper: "docker-credential-a\nb".to_owned(),
            registry: "r\r\n".to_owned(),
            source: std::io::ErrorKind::NotFound.into(),
        };
        assert!(!helper.to_string().contains(['\r', '\n']), "{helper}");
        let failed = Error::HelperFailed {
            helper: "docker-credential-a\nb".to_owned(),
            registry: "r\u{2028}".to_owned(),
            message: "it\u{85}broke".to_owned(),
        };
        assert_eq!(
            failed.to_string(),
            "the credential helper docker-credential-a b failed for r: itbroke"
        );
    }

    #[test]
    fn an_empty_file_is_an_empty_configuration() {
        assert!(stored(" \n", "a").is_none());
        assert!(stored("{}", "a").is_none());
        let nulls = r#"{"auths": null, "credsStore": null, "credHelpers": null}"#;
        assert!(stored(nulls, "a").is_none());
        let nulls = r#"{"auths": {"a": {"auth": null, "username": "u", "password": null, "identitytoken": null}}}"#;
        assert_eq!(stored(nulls, "a").unwrap().username, "u");
    }
}
