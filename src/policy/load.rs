//! Loads the policies of a build: the one beside the Dockerfile, the configured ones, the default.

use std::sync::Arc;

use super::files::{FileError, PolicyFiles};
use super::guard::{Guard, Guarded};
use super::{
    DEFAULT_POLICY, DEFAULT_POLICY_FILE, DisabledWithOthers, Env, Error, Loader, LogLevel,
    Policies, PolicyConfig, Settings, combine,
};

/// Why policies cannot be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// `disabled` is combined with other settings.
    #[error(transparent)]
    Config(#[from] DisabledWithOthers),
    /// A file is missing.
    #[error("policy file {name} not found")]
    NotFound {
        /// The file.
        name: String,
    },
    /// A file is not valid UTF-8.
    #[error("the policy file {name} is not UTF-8")]
    NotText {
        /// The file.
        name: String,
    },
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A policy is invalid.
    #[error(transparent)]
    Policy(#[from] Error),
}

/// The policies of one build, with the location of their files.
pub(crate) struct Sets<'a> {
    pub(crate) policies: &'a Policies,
    pub(crate) files: PolicyFiles,
    pub(crate) env: Env,
    /// The policy beside the Dockerfile.
    pub(crate) own: Own,
}

/// The policy beside the Dockerfile.
pub(crate) enum Own {
    /// There is none.
    Absent,
    /// It has been read.
    Text {
        /// Its path, for messages.
        name: String,
        /// Its text.
        text: Vec<u8>,
    },
    /// It may be in the context, which is remote.
    InContext(String),
}

/// Loads the policies; `None` if no policy applies.
///
/// # Errors
/// [`LoadError`] with the file and the line.
pub(crate) async fn load(builds: Vec<Sets<'_>>) -> Result<Option<Guard>, LoadError> {
    let mut guarded = Vec::new();
    for sets in builds {
        load_sets(sets, &mut guarded).await?;
    }
    Ok(match guarded.is_empty() {
        true => None,
        false => Some(Guard::new(guarded)),
    })
}

async fn load_sets(sets: Sets<'_>, guarded: &mut Vec<Guarded>) -> Result<(), LoadError> {
    let Sets {
        policies,
        files,
        env,
        own,
    } = sets;
    let has_own = !matches!(own, Own::Absent);
    let Some(combined) = combine(has_own, &policies.configs)? else {
        return Ok(());
    };
    let add = async |texts: Vec<(String, Vec<u8>)>, level, asks: bool| {
        load_one(&files, texts, &env, level, asks).await
    };
    if policies.with_default {
        let text = DEFAULT_POLICY.as_bytes().to_vec();
        let texts = vec![(DEFAULT_POLICY_FILE.to_owned(), text)];
        guarded.push(add(texts, policies.log_level, false).await?);
    }
    for set in combined {
        let level = set.log_level.unwrap_or(policies.log_level);
        let texts = match (set.is_default, &own) {
            (false, _) => read_all(&files, set.files).await?,
            (true, Own::Absent) => continue,
            (true, Own::Text { name, text }) => vec![(name.clone(), text.clone())],
            (true, Own::InContext(name)) => match files.read(vec![name.clone()]).await?.pop() {
                Some((name, Some(text))) => vec![(name, text)],
                _ => continue,
            },
        };
        guarded.push(add(texts, level, true).await?);
    }
    Ok(())
}

async fn read_all(
    files: &PolicyFiles,
    names: Vec<String>,
) -> Result<Vec<(String, Vec<u8>)>, LoadError> {
    let read = files.read(names).await?;
    let text = |(name, text): (String, Option<Vec<u8>>)| match text {
        Some(text) => Ok((name, text)),
        None => Err(LoadError::NotFound { name }),
    };
    read.into_iter().map(text).collect()
}

/// Loads one policy with its imports, and asks it for capabilities.
async fn load_one(
    files: &PolicyFiles,
    texts: Vec<(String, Vec<u8>)>,
    env: &Env,
    level: LogLevel,
    asks_capabilities: bool,
) -> Result<Guarded, LoadError> {
    let names: Vec<String> = texts.iter().map(|(name, _)| name.clone()).collect();
    let mut loader = Loader::new();
    for (name, bytes) in &texts {
        loader.add(name, text(name, bytes)?)?;
    }
    loop {
        let missing = loader.missing_imports();
        if missing.is_empty() {
            break;
        }
        let wanted = missing.iter().map(|(file, _)| file.clone()).collect();
        let mut found = false;
        for (file, bytes) in files.read(wanted).await? {
            if let Some(bytes) = bytes {
                loader.add_import(&file, text(&file, &bytes)?)?;
                found = true;
            }
        }
        // A missing import is reported together with the module that imports it.
        if !found {
            break;
        }
    }
    let policy = loader.finish(Settings { env: env.clone() })?;
    let mut guarded = Guarded::new(Arc::new(policy), files.clone(), names, level);
    if asks_capabilities {
        guarded.ask_capabilities().await?;
    }
    Ok(guarded)
}

fn text<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, LoadError> {
    std::str::from_utf8(bytes).map_err(|_| LoadError::NotText {
        name: name.to_owned(),
    })
}

impl Policies {
    /// Adds a configuration.
    #[must_use]
    pub fn with(mut self, config: PolicyConfig) -> Self {
        self.configs.push(config);
        self
    }
}
