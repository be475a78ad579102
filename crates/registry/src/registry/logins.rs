//! The logins in the configuration, read without running helpers.

use std::collections::BTreeSet;

use super::Error;
use super::credentials::{Credentials, read};

/// The places where logins are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Logins {
    /// The registries whose passwords or tokens are in a file or variable, unencrypted.
    pub in_file: BTreeSet<String>,
    /// The programs that store the others, such as `docker-credential-pass`.
    pub helpers: BTreeSet<String>,
}

impl Credentials {
    /// Reads the configuration and returns where it stores logins. Runs no helper.
    ///
    /// # Errors
    /// If a file cannot be read, or is malformed.
    pub async fn logins(&self) -> Result<Logins, Error> {
        let mut logins = Logins::default();
        let mut configs: Vec<_> = Vec::new();
        for path in self.file().iter().chain(&self.others) {
            configs.push(read(path).await?);
        }
        for config in self.environment.iter().chain(&configs) {
            logins.in_file.extend(config.names_in_file().cloned());
            let helpers = config.helpers();
            logins
                .helpers
                .extend(helpers.map(|suffix| format!("docker-credential-{suffix}")));
        }
        Ok(logins)
    }
}
