//! A Dockerfile with its build options, as JSON.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::dockerfile;
use crate::oci::Platform;
use crate::translate::{AttributeError, Attributes, Context, NamedContext};

/// A Dockerfile with its build options. The [module](super) describes the fields.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Case {
    /// Is repeated in the answer.
    pub id: Value,
    /// The Dockerfile's path.
    pub dockerfile: Option<String>,
    /// The Dockerfile's text.
    pub text: Option<String>,
    /// The text of the context's ignore file.
    pub dockerignore: Option<String>,
    /// The text of the ignore file beside the Dockerfile.
    pub dockerfile_dockerignore: Option<String>,
    /// The patterns of the ignore file that applies, instead of its text.
    pub excludes: Option<Vec<String>>,
    /// The texts of ignore files of named folders.
    pub local_ignores: BTreeMap<String, String>,
    /// Attributes of a Dockerfile frontend.
    pub opts: BTreeMap<String, String>,
    /// The same as the attribute `platform`.
    pub platform: Option<String>,
    /// The worker's platform.
    pub build_platform: Option<String>,
    /// The path of a lock.
    pub lock: Option<String>,
    /// Additional results besides the graph: `lint`.
    pub modes: Vec<String>,
    /// The session that serves folders.
    pub session_id: Option<String>,
    /// True if the file that `opts.context` downloads is an archive.
    pub context_archive: bool,
}

/// The session of cases that name none.
const SESSION: &str = "oraclesession000000000000";

impl Case {
    /// Parses a case; unknown fields are ignored.
    ///
    /// # Errors
    /// If it is not an object, or a field has the wrong type.
    pub fn parse(line: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(line)
    }

    /// True if the answer has findings, outline and targets.
    pub(super) fn is_linted(&self) -> bool {
        self.modes.iter().any(|mode| mode == "lint")
    }

    /// Returns the worker's platform.
    pub(super) fn worker(&self) -> Result<Platform, crate::oci::Error> {
        let text = self.build_platform.as_deref().unwrap_or("linux/amd64");
        Platform::parse(text).map(|platform| platform.normalized())
    }

    /// Returns the attributes as options, with the worker's platform and the patterns of the ignore
    /// files.
    pub(super) fn attributes(&self, worker: &Platform) -> Result<Attributes, AttributeError> {
        let session = self.session_id.as_deref().unwrap_or(SESSION);
        let mut read = match &self.platform {
            Some(platform) => {
                let mut opts = self.opts.clone();
                opts.insert("platform".to_owned(), platform.clone());
                Attributes::read(&opts, session)?
            }
            None => Attributes::read(&self.opts, session)?,
        };
        read.options.build_platforms = vec![worker.clone()];
        let patterns = |text: &String| dockerfile::parse_ignore(text.as_bytes());
        let main = self
            .dockerfile_dockerignore
            .as_ref()
            .or(self.dockerignore.as_ref());
        if let Context::Http { archive, .. } = &mut read.options.context {
            *archive = self.context_archive;
        }
        if let Context::Local(local) = &mut read.options.context {
            let excludes = self.excludes.clone().or_else(|| main.map(patterns));
            local.exclude_patterns = excludes.unwrap_or_default();
        }
        for context in read.options.contexts.values_mut() {
            if let NamedContext::Local(local) = context
                && let Some(text) = self.local_ignores.get(&local.name)
            {
                local.exclude_patterns = patterns(text);
            }
        }
        Ok(read)
    }
}
