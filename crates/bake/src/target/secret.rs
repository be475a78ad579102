//! `secret`: the source of a secret's content.

use super::error::AttributeError;
use super::fields::{fields, keep_last, pair};

/// One secret; empty text means unset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Secret {
    /// The id in the Dockerfile.
    pub id: String,
    /// `src`: the file.
    pub path: String,
    /// `env`: the environment variable.
    pub variable: String,
}

impl Secret {
    /// Parses `id=token,src=file`, `id=token,env=NAME` or `type=env,id=token,src=NAME`.
    ///
    /// # Errors
    /// If a field is not `key=value`, or its key or type is unknown.
    pub fn parse(text: &str) -> Result<Self, AttributeError> {
        let mut secret = Self::default();
        let mut from_environment = false;
        for field in &fields(text)? {
            let (key, value) = pair(field)?;
            let value = value.to_owned();
            match key.to_lowercase().as_str() {
                "type" => match value.as_str() {
                    "file" => from_environment = false,
                    "env" => from_environment = true,
                    _ => {
                        return Err(AttributeError::BadValue {
                            key: "the type of a secret".into(),
                            value,
                            allowed: "file or env",
                        });
                    }
                },
                "id" => secret.id = value,
                "source" | "src" => secret.path = value,
                "env" => secret.variable = value,
                _ => {
                    return Err(AttributeError::UnknownKey {
                        what: "a secret",
                        key: key.to_owned(),
                        known: "id, src, env and type",
                    });
                }
            }
        }
        if from_environment && secret.variable.is_empty() {
            secret.variable = std::mem::take(&mut secret.path);
        }
        Ok(secret)
    }

    /// Returns the last secret of each id.
    pub fn normalize(list: Vec<Self>) -> Vec<Self> {
        keep_last(list, |secret| &secret.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_of_type_env_is_named_by_src() {
        let secret = Secret::parse("type=env,id=a,src=TOKEN").unwrap();
        assert_eq!(
            (secret.variable.as_str(), secret.path.as_str()),
            ("TOKEN", "")
        );
    }
}
