//! The environment of the process, read once. The library itself never reads it.

mod buildx;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use solvekit::builder::Contexts;
use solvekit::client::EngineHeaders;
use solvekit::files::read_at_most;
use solvekit::oci::Platform;
use solvekit::registry::{Credentials, Notifier, Proxies, Secret};
use solvekit::session::node_id;
use solvekit_host::files::is_program;
use solvekit_host::owner;

use crate::cli::commands::plugin::Invocation;
use crate::cli::identity::Identity;
use crate::cli::report::Failure;
use crate::cli::report::terminal::{talk, warn};
use crate::cli::report::usage::BuilderUsage;

pub(crate) use buildx::BuildxDefaults;

/// The size limit of a workflow's event file; GitHub's own is 25 MB.
const EVENT: u64 = 32 << 20;

/// The environment variables that the commands use.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    /// The program that the user called.
    pub(crate) identity: Identity,
    /// `--debug`, or buildx's variable `DEBUG`.
    pub(crate) debug: bool,
    pub(crate) buildkit_host: Option<String>,
    pub(crate) docker_host: Option<String>,
    pub(crate) runtime_dir: Option<PathBuf>,
    pub(crate) default_platform: Option<String>,
    /// The password of the signing key, from `COSIGN_PASSWORD`.
    pub(crate) cosign_password: Option<Secret>,
    pub(crate) progress: Option<String>,
    pub(crate) no_color: bool,
    pub(crate) colors: Option<String>,
    pub(crate) tty_log_lines: Option<String>,
    pub(crate) source_date_epoch: Option<String>,
    pub(crate) docker_config: Option<PathBuf>,
    pub(crate) docker_auth_config: Option<String>,
    /// The files with podman's credentials.
    pub(crate) auth_files: Vec<PathBuf>,
    /// `XDG_CONFIG_HOME`, usually `~/.config`.
    pub(crate) config_home: Option<PathBuf>,
    /// `XDG_CACHE_HOME`, usually `~/.cache`: the folder for data that can be recreated.
    pub(crate) cache_home: Option<PathBuf>,
    pub(crate) search_path: Option<OsString>,
    pub(crate) buildx_config: Option<PathBuf>,
    pub(crate) buildx_builder: Option<String>,
    pub(crate) buildx_defaults: BuildxDefaults,
    pub(crate) docker_context: Option<String>,
    /// HTTP headers for requests to the engine, replacing those in `config.json`.
    pub(crate) docker_headers: Option<String>,
    /// The kubeconfig: an absolute path or a list of them.
    pub(crate) kubeconfig: Option<String>,
    /// `solvekit` in `XDG_STATE_HOME`, usually `~/.local/state`: records of earlier builds.
    pub(crate) state: Option<PathBuf>,
    /// The folder of the TLS files for `DOCKER_HOST`, if TLS is on.
    pub(crate) docker_tls: Option<PathBuf>,
    pub(crate) source_policy: Option<PathBuf>,
    pub(crate) working_folder: Option<PathBuf>,
    /// True in a GitHub Actions job.
    pub(crate) github_actions: bool,
    /// `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`.
    pub(crate) proxies: Proxies,
}

/// Podman's files: the one that a variable names, else the one that is deleted at each boot and the
/// permanent one.
fn auth_files(
    path: &impl Fn(&str) -> Option<PathBuf>,
    config_home: Option<&PathBuf>,
) -> Vec<PathBuf> {
    if let Some(file) = path("REGISTRY_AUTH_FILE") {
        return vec![file];
    }
    let running = path("XDG_RUNTIME_DIR").map(|folder| folder.join("containers"));
    let of_user = |user| PathBuf::from(format!("/run/containers/{user}"));
    let running = running.or_else(|| owner::user_id().map(of_user));
    let configured = config_home.map(|folder| folder.join("containers"));
    let folders = [running, configured].into_iter().flatten();
    folders.map(|folder| folder.join("auth.json")).collect()
}

/// Makes the paths of a kubeconfig list absolute, so that they work in every folder.
fn absolute_list(list: &str) -> String {
    let absolute = std::env::split_paths(list).filter_map(|path| std::path::absolute(path).ok());
    let joined = std::env::join_paths(absolute).ok();
    let text = joined.and_then(|joined| joined.into_string().ok());
    text.unwrap_or_else(|| list.to_owned())
}

impl Environment {
    /// Flags of the docker CLI take precedence over its variables.
    pub(crate) fn from_process(invocation: &Invocation) -> Self {
        let os = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let text = |name: &str| os(name).and_then(|value| value.into_string().ok());
        let path = |name: &str| os(name).map(|value: OsString| PathBuf::from(value));
        let folder = |name: &str, usual: &str| {
            let inside = || usual.split('/').collect::<PathBuf>();
            path(name).or_else(|| path(owner::HOME).map(|home| home.join(inside())))
        };
        let docker_config = invocation.config.clone();
        let docker_config = docker_config.or_else(|| folder("DOCKER_CONFIG", ".docker"));
        let config_home = folder("XDG_CONFIG_HOME", ".config");
        // Flags of the docker CLI take precedence over addresses in variables.
        let (buildkit_host, docker_host) = match (&invocation.host, &invocation.context) {
            (Some(host), _) => (None, Some(host.clone())),
            (None, Some(_)) => (None, None),
            (None, None) => (text("BUILDKIT_HOST"), text("DOCKER_HOST")),
        };
        let docker_context = invocation.context.clone();
        Self {
            identity: invocation.identity,
            debug: invocation.debug || os("DEBUG").is_some(),
            buildkit_host,
            docker_host,
            runtime_dir: path("XDG_RUNTIME_DIR"),
            default_platform: text("DOCKER_DEFAULT_PLATFORM"),
            // An empty password is valid.
            cosign_password: std::env::var("COSIGN_PASSWORD").ok().map(Secret::new),
            progress: text("BUILDKIT_PROGRESS"),
            no_color: os("NO_COLOR").is_some(),
            colors: text("BUILDKIT_COLORS"),
            tty_log_lines: text("BUILDKIT_TTY_LOG_LINES"),
            source_date_epoch: text("SOURCE_DATE_EPOCH"),
            docker_auth_config: text("DOCKER_AUTH_CONFIG"),
            buildx_config: path("BUILDX_CONFIG")
                .or_else(|| docker_config.as_ref().map(|config| config.join("buildx"))),
            buildx_builder: text("BUILDX_BUILDER"),
            buildx_defaults: BuildxDefaults::from_variables(text),
            docker_context: docker_context.or_else(|| text("DOCKER_CONTEXT")),
            docker_headers: text("DOCKER_CUSTOM_HEADERS"),
            kubeconfig: text("KUBECONFIG").map(|list| absolute_list(&list)),
            state: folder("XDG_STATE_HOME", ".local/state").map(|state| state.join("solvekit")),
            docker_tls: os("DOCKER_TLS_VERIFY")
                .and_then(|_| path("DOCKER_CERT_PATH").or_else(|| docker_config.clone())),
            docker_config,
            auth_files: auth_files(&path, config_home.as_ref()),
            cache_home: folder("XDG_CACHE_HOME", ".cache"),
            config_home,
            search_path: os("PATH"),
            source_policy: path("EXPERIMENTAL_BUILDKIT_SOURCE_POLICY"),
            working_folder: std::env::current_dir().ok(),
            github_actions: text("GITHUB_ACTIONS").is_some_and(|value| value == "true"),
            proxies: Proxies::from_variables(|name| std::env::var(name).ok()),
        }
    }

    /// True if a variable has a value. For reports about the environment itself.
    pub(crate) fn is_set(name: &str) -> bool {
        std::env::var_os(name).is_some_and(|value| !value.is_empty())
    }

    /// Adds `SOURCE_DATE_EPOCH` to build arguments that do not set it.
    pub(crate) fn add_epoch(&self, build_args: &mut BTreeMap<String, String>) {
        if let Some(epoch) = &self.source_date_epoch {
            build_args
                .entry("SOURCE_DATE_EPOCH".to_owned())
                .or_insert_with(|| epoch.clone());
        }
    }

    /// True if `PATH` has a program of this name.
    pub(crate) fn has_program(&self, name: &str) -> bool {
        let Some(path) = &self.search_path else {
            return false;
        };
        std::env::split_paths(path).any(|folder| is_program(&folder.join(name)))
    }

    /// Prints a line if `--debug` is on.
    pub(crate) fn tell_debug(&self, line: impl FnOnce() -> String) {
        if self.debug {
            talk(&format!("DEBUG: {}\n", line()));
        }
    }

    /// The contexts of the docker CLI.
    pub(crate) fn contexts(&self) -> Result<Contexts, Failure> {
        let contexts = Contexts::new(
            self.docker_config.clone(),
            self.docker_host.clone(),
            self.docker_context.clone(),
        )?;
        let contexts = match &self.docker_tls {
            Some(folder) => contexts.with_default_tls(folder.clone()),
            None => contexts,
        };
        let contexts = match &self.docker_headers {
            Some(headers) => {
                let headers = EngineHeaders::parse(headers);
                contexts.with_engine_headers(headers.map_err(BuilderUsage::EngineHeaders)?)
            }
            None => contexts,
        };
        let contexts = contexts.with_temporary_folder(std::env::temp_dir());
        Ok(match &self.cache_home {
            Some(cache) => contexts.with_state_folder(cache.join("solvekit/buildkitd")),
            None => contexts,
        })
    }

    /// The GitHub Actions workflow of this process, for the provenance. An unreadable event file
    /// causes a warning, but does not fail the build.
    pub(crate) fn workflow(&self) -> Option<Vec<u8>> {
        let variable = |name: &str| std::env::var(name).ok();
        let read = |path: &str| {
            let bytes = read_at_most(path.as_ref(), EVENT).map_err(|error| error.to_string())?;
            String::from_utf8(bytes).map_err(|error| error.to_string())
        };
        crate::cli::args::github::workflow(variable, read).unwrap_or_else(|reason| {
            warn(&format!("{reason}; it is missing in the provenance"));
            None
        })
    }

    /// Credentials of the docker CLI and of podman.
    pub(crate) fn credentials(&self) -> Result<Credentials, Failure> {
        let credentials = match &self.docker_config {
            Some(folder) => Credentials::new(folder),
            None => Credentials::none(),
        };
        let credentials = self
            .auth_files
            .iter()
            .fold(credentials, Credentials::with_auth_file)
            .with_notifier(Notifier::new(|line| talk(&format!("{line}\n"))));
        match &self.docker_auth_config {
            Some(json) => credentials
                .with_auth_config(json)
                .map_err(|error| Failure::from_error(&error)),
            None => Ok(credentials),
        }
    }

    /// `DOCKER_DEFAULT_PLATFORM`, else the platform of this machine.
    pub(crate) fn own_platform(&self) -> Result<Platform, Failure> {
        match &self.default_platform {
            None => Ok(Platform::host()),
            Some(text) => Platform::parse(text).map_err(|error| Failure::from_error(&error)),
        }
    }

    /// The folders with docker's and podman's certificates for registries: the user's first.
    pub(crate) fn certificate_folders(&self) -> Vec<PathBuf> {
        let own = self.config_home.iter();
        let own = own.flat_map(|home| ["docker", "containers"].map(|tool| home.join(tool)));
        let all = ["/etc/docker", "/etc/containers"].map(PathBuf::from);
        own.chain(all)
            .map(|folder| folder.join("certs.d"))
            .collect()
    }

    /// The id by which daemons recognise this user's transfers; generated for the first build and
    /// shared with buildx. `None` if it can be neither read nor written: the daemon then receives
    /// every context in full.
    pub(crate) fn node_id(&self) -> Option<String> {
        node_id(self.buildx_config.as_ref()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kubeconfig_of_a_list_is_absolute() {
        let here = std::env::current_dir().unwrap();
        let here = here.display();
        assert_eq!(absolute_list("config"), format!("{here}/config"));
        assert_eq!(
            absolute_list("/etc/kube:clusters/a:b"),
            format!("/etc/kube:{here}/clusters/a:{here}/b")
        );
    }
}
