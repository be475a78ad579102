//! Connections to registries: certificates, and registries that need none.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::connection::ConnectionArgs;
use super::headings::REGISTRIES;
use super::push::PushRetryArgs;
use solvekit::progress::Writer;
use solvekit::registry::{
    Client, ClientOptions, Credentials, Notifier, login_key, registry_of_key,
};

use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::{talk, warn};

#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = REGISTRIES)]
pub(crate) struct RegistryArgs {
    /// Accept any certificate and plain HTTP from this registry (HOST[:PORT]); repeatable
    #[arg(long, value_name = "HOST")]
    insecure_registry: Vec<String>,

    /// Look for registry certificates here first (DIR/HOST[:PORT]/ca.crt), before
    /// /etc/docker/certs.d; repeatable
    #[arg(long, value_name = "DIR")]
    certs_dir: Vec<PathBuf>,
}

/// Messages of registries and credential helpers during a build, shown as lines of its progress.
#[derive(Clone)]
pub(crate) struct Notes(Arc<Mutex<Option<Writer>>>);

impl Notes {
    pub(crate) fn new(writer: Writer) -> Self {
        Self(Arc::new(Mutex::new(Some(writer))))
    }

    pub(crate) fn notifier(&self) -> Notifier {
        let writer = Arc::clone(&self.0);
        Notifier::new(move |line| {
            let writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(writer) = &*writer {
                writer.note(line);
            }
        })
    }

    /// Releases the progress, so that it can end.
    pub(crate) fn end(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl RegistryArgs {
    /// Adds registries whose certificates are not checked.
    pub(crate) fn add_insecure<'a>(&mut self, registries: impl Iterator<Item = &'a str>) {
        for registry in registries {
            if !self.insecure_registry.iter().any(|known| known == registry) {
                self.insecure_registry.push(registry.to_owned());
            }
        }
    }

    /// A client with the user's credentials.
    pub(crate) fn client(&self, environment: &Environment) -> Result<Client, Failure> {
        Ok(self.client_with(environment.credentials()?, environment))
    }

    /// The same for a command that pushes.
    pub(crate) fn pushing(
        &self,
        retries: &PushRetryArgs,
        environment: &Environment,
    ) -> Result<Client, Failure> {
        let mut options = self.options(environment);
        retries.apply(&mut options);
        Ok(open(environment.credentials()?, options))
    }

    /// The same, with the registry settings of the builder.
    pub(crate) fn client_of_builder(
        &self,
        retries: &PushRetryArgs,
        connection: &ConnectionArgs,
        environment: &Environment,
    ) -> Result<Client, Failure> {
        let mut options = self.options(environment);
        retries.apply(&mut options);
        warn_unchecked(&options.insecure);
        connection.add_registries(&mut options, environment)?;
        Ok(Client::new(environment.credentials()?.into(), options))
    }

    /// A client with these credentials.
    pub(crate) fn client_with(
        &self,
        credentials: Credentials,
        environment: &Environment,
    ) -> Client {
        open(credentials, self.options(environment))
    }

    /// The connection options for registries.
    pub(crate) fn options(&self, environment: &Environment) -> ClientOptions {
        let insecure = self.insecure_registry.iter();
        let insecure = insecure.map(|text| registry_of_key(&login_key(text)).to_owned());
        let mut certificates = self.certs_dir.clone();
        certificates.extend(environment.certificate_folders());
        ClientOptions {
            certificates,
            insecure: insecure.collect(),
            proxies: environment.proxies.clone(),
            notifier: Some(Notifier::new(|line| talk(&format!("{line}\n")))),
            ..ClientOptions::default()
        }
    }
}

/// A client, with a warning for each registry whose certificate is not checked.
fn open(credentials: Credentials, options: ClientOptions) -> Client {
    warn_unchecked(&options.insecure);
    Client::new(credentials.into(), options)
}

fn warn_unchecked(registries: &[String]) {
    for registry in registries {
        warn(&format!(
            "the certificate of {registry} is not checked: another host can answer in its place"
        ));
    }
}
