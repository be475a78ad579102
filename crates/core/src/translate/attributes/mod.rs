//! The options of a build request: typed, or parsed from the attributes of BuildKit's Dockerfile
//! frontend (`build-arg:NAME`, `platform`, `target` …).

mod attestations;
mod caches;
mod capabilities;
mod limits;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::attestations::{AttestationError, Attestations, Sbom};
pub use self::caches::CacheImport;
pub use self::capabilities::UnsupportedCapability;
use self::limits::{check_limits, extra_hosts, linux_resources, number, ulimits};
use super::options::{Context, LocalContext, NamedContext, NoCache, Options};
use crate::dockerfile::{LintConfig, LintConfigError};
use crate::llb::{Network, ResolveMode};
use crate::oci::{Error as PlatformError, Platform};

/// The options of a build request.
#[derive(Clone, Debug)]
pub struct Attributes {
    /// The options, without a platform.
    pub options: Options,
    /// The platforms to build for, normalised; empty if none is given.
    pub platforms: Vec<Platform>,
    /// The attestations to add.
    pub attestations: Attestations,
    /// Caches that the daemon looks into before it runs a step.
    pub cache_imports: Vec<CacheImport>,
    /// The lint options that replace the Dockerfile's own, if attributes were read.
    pub checks: Option<LintConfig>,
}

/// An invalid attribute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttributeError {
    /// The platform is invalid.
    #[error("the attribute platform cannot be used")]
    Platform(#[source] PlatformError),
    /// Another value is invalid.
    #[error("the attribute {name} cannot be {value:?}: expected {expected}")]
    Value {
        /// The attribute.
        name: &'static str,
        /// Its value.
        value: String,
        /// The allowed values.
        expected: &'static str,
    },
    /// An attribute that BuildKit no longer supports.
    #[error("{name} is no longer supported: BuildKit removed it in version 0.11")]
    Removed {
        /// The attribute.
        name: &'static str,
    },
    /// The lint options are malformed.
    #[error("the build argument BUILDKIT_DOCKERFILE_CHECK cannot be used")]
    Checks(#[source] LintConfigError),
    /// The attestation is invalid.
    #[error("the attribute {name} cannot be used")]
    Attestation {
        /// The attribute.
        name: String,
        /// The cause.
        source: AttestationError,
    },
    /// `multi-platform=false` with several platforms.
    #[error("several platforms are given, but multi-platform is false")]
    SeveralPlatforms,
}

impl Default for Attributes {
    /// Returns default options, for the Dockerfile alone.
    fn default() -> Self {
        Self {
            options: Options::default(),
            platforms: Vec::new(),
            attestations: Attestations::default(),
            cache_imports: Vec::new(),
            checks: None,
        }
    }
}

impl Attributes {
    /// Returns the options, adjusted by the build arguments that BuildKit's frontend itself uses:
    /// `BUILDKIT_MULTI_PLATFORM`, `BUILDKIT_SANDBOX_HOSTNAME`, `BUILDKIT_CACHE_MOUNT_NS`,
    /// `BUILDKIT_CONTEXT_KEEP_GIT_DIR` and `BUILDKIT_ATTEST_TYPE`. Without `multi_platform`, the
    /// result is multi-platform if there are several platforms.
    ///
    /// # Errors
    /// [`AttributeError`] for an invalid limit or build argument.
    pub fn new(
        options: Options,
        platforms: &[Platform],
        attestations: Attestations,
        multi_platform: Option<bool>,
    ) -> Result<Self, AttributeError> {
        let mut asked = Self {
            options,
            platforms: platforms.iter().map(Platform::normalized).collect(),
            attestations,
            ..Self::default()
        };
        check_limits(&asked.options)?;
        asked.obey_build_args(multi_platform)?;
        Ok(asked)
    }

    fn obey_build_args(&mut self, multi_platform: Option<bool>) -> Result<(), AttributeError> {
        let options = &mut self.options;
        let build_args = &options.build_args;
        let argument = |name: &str| build_args.get(name).map(String::as_str).unwrap_or_default();
        if crate::dockerfile::go_bool(argument("BUILDKIT_DISABLE_FILEOP")) == Some(true) {
            return Err(AttributeError::Removed {
                name: "BUILDKIT_DISABLE_FILEOP",
            });
        }
        let several = argument("BUILDKIT_MULTI_PLATFORM");
        let several = multi_platform_argument(several, multi_platform, self.platforms.len())?;
        let hostname = argument("BUILDKIT_SANDBOX_HOSTNAME");
        let hostname = Some(hostname.to_owned()).filter(|name| !name.is_empty());
        let cache_mount_namespace = argument("BUILDKIT_CACHE_MOUNT_NS").to_owned();
        if let Context::Git { keep_git_dir, .. } = &mut options.context {
            let keep = argument("BUILDKIT_CONTEXT_KEEP_GIT_DIR");
            *keep_git_dir = crate::dockerfile::go_bool(keep) == Some(true);
        }
        self.attestations.obey_build_args(build_args)?;
        options.multi_platform = several;
        options.hostname = hostname.or(options.hostname.take());
        options.cache_mount_namespace = cache_mount_namespace;
        Ok(())
    }

    /// Parses attributes by name. `session_id` serves local folders. Unknown attributes are
    /// ignored.
    ///
    /// # Errors
    /// [`AttributeError`] for an invalid value. Named contexts are parsed only when they are used.
    pub fn read(
        given: &BTreeMap<String, String>,
        session_id: &str,
    ) -> Result<Self, AttributeError> {
        let get = |name: &str| given.get(name).map(String::as_str).unwrap_or_default();
        refuse_removed(&get)?;
        let platforms = platforms(get("platform"))?;
        let prefixed = |prefix: &str| -> BTreeMap<String, String> {
            let named = given
                .iter()
                .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)));
            named
                .map(|(name, value)| (name.to_owned(), value.clone()))
                .collect()
        };
        let options = Options {
            target: Some(get("target").to_owned()).filter(|target| !target.is_empty()),
            labels: prefixed("label:"),
            no_cache: no_cache(given.get("no-cache").map(String::as_str)),
            network: network(get("force-network-mode"))?,
            extra_hosts: extra_hosts(get("add-hosts"))?,
            shm_size: number("shm-size", get("shm-size"))?.unwrap_or(0),
            ulimits: ulimits(get("ulimit"))?,
            cgroup_parent: Some(Arc::from(get("cgroup-parent")))
                .filter(|parent: &Arc<str>| !parent.is_empty()),
            linux_resources: linux_resources(&get)?.map(Arc::new),
            hostname: Some(get("hostname").to_owned()).filter(|name| !name.is_empty()),
            resolve_mode: resolve_mode(get("image-resolve-mode"))?,
            session_id: session_id.to_owned(),
            context: main_context(given),
            contexts: contexts(given, &prefixed("context:")),
            build_args: prefixed("build-arg:"),
            ..Options::default()
        };
        let several = match (get("multi-platform"), &options.build_args) {
            ("", _) => None,
            // The build argument wins, and the attribute may then be invalid.
            (_, arguments) if is_set(arguments, "BUILDKIT_MULTI_PLATFORM") => None,
            (text, _) => Some(boolean("multi-platform", text)?),
        };
        let attested = Attestations::of_attributes(given)?;
        let asked = Self::new(options, &platforms, attested, several)?;
        let checks = given.get("build-arg:BUILDKIT_DOCKERFILE_CHECK");
        let checks = checks.map(|text| LintConfig::parse(text)).transpose();
        Ok(Self {
            cache_imports: caches::imports(&get)?,
            checks: checks.map_err(AttributeError::Checks)?,
            ..asked
        })
    }
}

/// Rejects attributes that BuildKit removed, before all others.
fn refuse_removed<'g>(get: &impl Fn(&str) -> &'g str) -> Result<(), AttributeError> {
    const COPY_IMAGE: &str = "override-copy-image";
    if !get(COPY_IMAGE).is_empty() {
        return Err(AttributeError::Removed { name: COPY_IMAGE });
    }
    match crate::dockerfile::go_bool(get("build-arg:BUILDKIT_DISABLE_FILEOP")) {
        Some(true) => Err(AttributeError::Removed {
            name: "BUILDKIT_DISABLE_FILEOP",
        }),
        _ => Ok(()),
    }
}

fn value_error(name: &'static str, value: &str, expected: &'static str) -> AttributeError {
    AttributeError::Value {
        name,
        value: value.to_owned(),
        expected,
    }
}

fn platforms(text: &str) -> Result<Vec<Platform>, AttributeError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let parse = |text| Platform::parse(text).map_err(AttributeError::Platform);
    text.split(',').map(parse).collect()
}

fn resolve_mode(text: &str) -> Result<ResolveMode, AttributeError> {
    match text {
        "" | "default" => Ok(ResolveMode::Default),
        "pull" => Ok(ResolveMode::ForcePull),
        "local" => Ok(ResolveMode::PreferLocal),
        _ => Err(value_error(
            "image-resolve-mode",
            text,
            "default, pull or local",
        )),
    }
}

fn network(text: &str) -> Result<Network, AttributeError> {
    match text {
        "" | "sandbox" => Ok(Network::Sandbox),
        "host" => Ok(Network::Host),
        "none" => Ok(Network::None),
        _ => Err(value_error(
            "force-network-mode",
            text,
            "sandbox, host or none",
        )),
    }
}

fn no_cache(text: Option<&str>) -> NoCache {
    match text {
        None => NoCache::Nothing,
        Some("") => NoCache::All,
        Some(names) => NoCache::Stages(names.split(',').map(str::to_owned).collect()),
    }
}

fn is_set(build_args: &BTreeMap<String, String>, name: &str) -> bool {
    build_args.get(name).is_some_and(|value| !value.is_empty())
}

fn boolean(name: &'static str, text: &str) -> Result<bool, AttributeError> {
    crate::dockerfile::go_bool(text).ok_or_else(|| value_error(name, text, "true or false"))
}

fn multi_platform_argument(
    argument: &str,
    asked: Option<bool>,
    platforms: usize,
) -> Result<bool, AttributeError> {
    let several = platforms > 1;
    let asked = match argument {
        "" => asked,
        text => Some(boolean("multi-platform", text)?),
    };
    match asked {
        Some(false) if several => Err(AttributeError::SeveralPlatforms),
        asked => Ok(asked.unwrap_or(several)),
    }
}

/// Returns the git or http URL in `context`, else the local folder that the session serves under
/// that name.
fn main_context(given: &BTreeMap<String, String>) -> Context {
    let key = given.get("contextkey").map_or("context", String::as_str);
    let specifier = given.get(key).map(String::as_str).unwrap_or_default();
    match Context::from_specifier(specifier) {
        Context::Git { url, .. } => Context::Git {
            url,
            keep_git_dir: false,
            subdir: given.get("contextsubdir").cloned(),
        },
        Context::Http { url, archive, .. } => Context::Http {
            url,
            archive,
            subdir: given.get("contextsubdir").cloned(),
        },
        Context::Local(local) => Context::Local(LocalContext {
            session_id: given.get("local-sessionid:context").cloned(),
            ..local
        }),
        state @ Context::State(_) => state,
    }
}

fn contexts(
    given: &BTreeMap<String, String>,
    specifiers: &BTreeMap<String, String>,
) -> BTreeMap<String, NamedContext> {
    let read = |(name, specifier): (&String, &String)| {
        let mut context = NamedContext::from_specifier(specifier);
        if let NamedContext::Local(local) = &mut context {
            local.session_id = given
                .get(&format!("local-sessionid:{}", local.name))
                .cloned();
            local.shared_key = given
                .get(&format!("sharedkey:localdir:{name}"))
                .cloned()
                .unwrap_or_default();
        }
        (name.clone(), context)
    };
    specifiers.iter().map(read).collect()
}

#[cfg(test)]
mod tests;
