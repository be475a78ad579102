//! The contexts of the docker CLI: named engines in Docker's configuration folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use solvekit_host::sockets::DOCKER_ENGINE;

use super::{ContextProblem, Error, files};
use crate::client::{Address, ConnectOptions, EngineHeaderProblem, EngineHeaders, TlsOptions};
use crate::text::is_unprintable;

/// The context that always exists: the engine of `DOCKER_HOST`, or of Docker's default socket.
pub const DEFAULT_CONTEXT: &str = "default";

/// The docker CLI's contexts, and the current one.
#[derive(Debug, Clone)]
pub struct Contexts {
    folder: Option<PathBuf>,
    docker_host: Option<String>,
    default_tls: Option<PathBuf>,
    state: Option<PathBuf>,
    temporary: Option<PathBuf>,
    headers: Result<EngineHeaders, EngineHeaderProblem>,
    current: String,
}

/// The endpoint of a Docker Engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineEndpoint {
    /// The address in the form of `DOCKER_HOST`: `unix://…`, `tcp://…`, `ssh://…`.
    pub host: String,
    /// The TLS options; `None` for a plain connection.
    pub tls: Option<TlsOptions>,
}

impl Contexts {
    /// Reads the contexts of a configuration folder (`$DOCKER_CONFIG`, usually `~/.docker`), with
    /// the values of `DOCKER_HOST` and `DOCKER_CONTEXT`. The current context is the first of: the
    /// default one if `DOCKER_HOST` is set, `DOCKER_CONTEXT`, `currentContext` in `config.json`,
    /// the default one.
    ///
    /// # Errors
    /// [`Error::File`] if `config.json` cannot be read. Malformed JSON is ignored.
    pub fn new(
        folder: Option<PathBuf>,
        docker_host: Option<String>,
        docker_context: Option<String>,
    ) -> Result<Self, Error> {
        let docker_host = docker_host.filter(|host| !host.is_empty());
        let docker_context = docker_context.filter(|name| !name.is_empty());
        let configured = read_config(folder.as_ref());
        let (current, config) = match (&docker_host, docker_context) {
            (Some(_), _) => (None, configured.unwrap_or_default()),
            (None, Some(name)) => (Some(name), configured.unwrap_or_default()),
            (None, None) => {
                let mut config = configured?;
                (config.current_context.take(), config)
            }
        };
        let current = current.filter(|name| !name.is_empty());
        let headers = config.http_headers.iter().flatten();
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_str()));
        Ok(Self {
            folder,
            docker_host,
            default_tls: None,
            state: None,
            temporary: None,
            headers: EngineHeaders::new(headers),
            current: current.unwrap_or_else(|| DEFAULT_CONTEXT.to_owned()),
        })
    }

    /// Sets TLS for the default context: a folder with `ca.pem`, `cert.pem` and `key.pem`, as named
    /// by `DOCKER_CERT_PATH` if `DOCKER_TLS_VERIFY` is set.
    #[must_use]
    pub fn with_default_tls(mut self, folder: PathBuf) -> Self {
        self.default_tls = Some(folder);
        self
    }

    /// Sets the folder in which the `local` driver's daemons keep their state, each in its own
    /// subfolder.
    #[must_use]
    pub fn with_state_folder(mut self, folder: PathBuf) -> Self {
        self.state = Some(folder);
        self
    }

    /// The same, with the folder in which running daemons of the `local` driver have their sockets
    /// and logs.
    #[must_use]
    pub fn with_temporary_folder(mut self, folder: PathBuf) -> Self {
        self.temporary = Some(folder);
        self
    }

    /// Sets the headers for every request to an engine, instead of `HttpHeaders` in `config.json`.
    #[must_use]
    pub fn with_engine_headers(mut self, headers: EngineHeaders) -> Self {
        self.headers = Ok(headers);
        self
    }

    /// Returns the headers for every request to an engine.
    ///
    /// # Errors
    /// [`Error::EngineHeaders`] if those in `config.json` cannot be sent.
    pub fn engine_headers(&self) -> Result<EngineHeaders, Error> {
        let headers = self.headers.clone();
        headers.map_err(|source| Error::EngineHeaders { source })
    }

    pub(super) fn temporary_folder(&self) -> Option<&PathBuf> {
        self.temporary.as_ref()
    }

    pub(super) fn state_folder(&self) -> Option<&PathBuf> {
        self.state.as_ref()
    }

    /// Returns the name of the current context.
    pub fn current(&self) -> &str {
        &self.current
    }

    /// Returns the names of all contexts, sorted, including the default one. Names with control
    /// characters, which the docker CLI does not create, are omitted.
    pub fn names(&self) -> Vec<String> {
        let folder = self
            .folder
            .as_ref()
            .map(|folder| folder.join("contexts/meta"));
        let entries = folder.and_then(|folder| fs::read_dir(folder).ok());
        let found = entries.into_iter().flatten().flatten().filter_map(|entry| {
            let bytes = files::read(&entry.path().join("meta.json")).ok()??;
            let meta: Meta = serde_json::from_slice(&bytes).ok()?;
            let is_name = !meta.name.is_empty() && !meta.name.contains(is_unprintable);
            is_name.then_some(meta.name)
        });
        let mut names: Vec<String> = found.collect();
        names.push(DEFAULT_CONTEXT.to_owned());
        names.sort();
        names.dedup();
        names
    }

    /// Returns the key under which `use` stores its choice: the context's name, or the address of
    /// the default context's engine.
    pub fn key(&self) -> String {
        match self.current.as_str() {
            DEFAULT_CONTEXT => self.default_host().to_owned(),
            name => name.to_owned(),
        }
    }

    /// Returns the engine of a context; `None` if there is no such context.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::Broken`], and [`Error::Context`] if the context has no engine.
    pub fn engine(&self, name: &str) -> Result<Option<EngineEndpoint>, Error> {
        if name == DEFAULT_CONTEXT {
            return Ok(Some(EngineEndpoint {
                host: self.default_host().to_owned(),
                tls: self.default_tls()?,
            }));
        }
        let Some(folder) = &self.folder else {
            return Ok(None);
        };
        let id: String = Sha256::digest(name)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let path = folder.join("contexts/meta").join(&id).join("meta.json");
        let Some(bytes) = files::read(&path)? else {
            return Ok(None);
        };
        let meta: Meta =
            serde_json::from_slice(&bytes).map_err(|source| Error::Broken { path, source })?;
        let unusable = |source| Error::Context {
            name: name.to_owned(),
            source,
        };
        let docker = meta
            .endpoints
            .docker
            .ok_or_else(|| unusable(ContextProblem::NoEngine))?;
        if docker.skip_tls_verify {
            return Err(unusable(ContextProblem::SkipsVerification));
        }
        let tls = folder.join("contexts/tls").join(&id).join("docker");
        let host = match docker.host.as_str() {
            "" => DOCKER_ENGINE.to_owned(),
            host => host.to_owned(),
        };
        Ok(Some(EngineEndpoint {
            host,
            tls: tls.is_dir().then(|| tls_of(&tls)),
        }))
    }

    /// Returns the connection options for a context's engine, or for an address such as
    /// `unix:///var/run/docker.sock`.
    ///
    /// # Errors
    /// As [`Contexts::engine`] and [`Contexts::engine_headers`]; also if the address is malformed.
    pub fn connect_options(&self, endpoint: &str) -> Result<ConnectOptions, Error> {
        let endpoint = match endpoint {
            "" => self.current.as_str(),
            endpoint => endpoint,
        };
        let engine = match self.engine(endpoint)? {
            Some(engine) => engine,
            None if endpoint == self.default_host() => EngineEndpoint {
                host: endpoint.to_owned(),
                tls: self.default_tls()?,
            },
            None if endpoint.contains("://") => EngineEndpoint {
                host: endpoint.to_owned(),
                tls: None,
            },
            None => {
                return Err(Error::Context {
                    name: endpoint.to_owned(),
                    source: ContextProblem::Unknown,
                });
            }
        };
        let address = match engine.host.strip_prefix("docker://") {
            Some(_) => Address::parse(&engine.host)?,
            None => Address::parse(&format!("docker://{}", engine.host))?,
        };
        let mut options = ConnectOptions::new(address);
        options.tls = engine.tls;
        options.engine_headers = self.engine_headers()?;
        Ok(options)
    }

    fn default_tls(&self) -> Result<Option<TlsOptions>, Error> {
        let folder = self
            .default_tls
            .as_ref()
            .filter(|_| self.docker_host.is_some());
        Ok(folder
            .map(|folder| TlsOptions::from_folder(folder))
            .transpose()?)
    }

    fn default_host(&self) -> &str {
        self.docker_host.as_deref().unwrap_or(DOCKER_ENGINE)
    }
}

/// A context has only the files that it needs.
fn tls_of(folder: &std::path::Path) -> TlsOptions {
    let file = |name: &str| Some(folder.join(name)).filter(|path| path.is_file());
    TlsOptions {
        ca: file("ca.pem"),
        cert: file("cert.pem"),
        key: file("key.pem"),
        ..TlsOptions::default()
    }
}

fn read_config(folder: Option<&PathBuf>) -> Result<Config, Error> {
    let Some(path) = folder.map(|folder| folder.join("config.json")) else {
        return Ok(Config::default());
    };
    // Callers that need more of a broken file report it.
    let bytes = files::read(&path)?.unwrap_or_default();
    Ok(serde_json::from_slice(&bytes).unwrap_or_default())
}

#[derive(Default, Deserialize)]
struct Config {
    #[serde(rename = "currentContext")]
    current_context: Option<String>,
    #[serde(rename = "HttpHeaders")]
    http_headers: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    name: String,
    #[serde(default)]
    endpoints: Endpoints,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Endpoints {
    docker: Option<DockerEndpoint>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DockerEndpoint {
    host: String,
    #[serde(rename = "SkipTLSVerify")]
    skip_tls_verify: bool,
}

#[cfg(test)]
mod tests;
