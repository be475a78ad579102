//! The attributes of BuildKit's Dockerfile frontend (`build-arg:NAME`, `platform`, `target` …) as options.

mod limits;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::limits::{extra_hosts, linux_resources, number, ulimits};
use super::options::{Context, LocalContext, NamedContext, NoCache, Options};
use super::{git_url, url};
use crate::llb::{Network, ResolveMode};
use crate::oci::{Error as PlatformError, Platform};

/// What a frontend is asked for.
#[derive(Clone, Debug)]
pub struct Attributes {
    /// The options, without a platform.
    pub options: Options,
    /// The platforms to build for, normalised; none means: not said.
    pub platforms: Vec<Platform>,
}

/// An attribute that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttributeError {
    /// A platform that is not one.
    #[error("the attribute platform cannot be used")]
    Platform(#[source] PlatformError),
    /// Any other value that is not what it should be.
    #[error("the attribute {name} cannot be {value:?}: expected {expected}")]
    Value {
        /// The attribute.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
    /// `multi-platform=false` with several platforms.
    #[error("several platforms are asked for, and multi-platform is false")]
    SeveralPlatforms,
}

impl Attributes {
    /// Reads attributes by name. `session_id` serves local folders. Unknown attributes are left alone.
    ///
    /// # Errors
    /// [`AttributeError`] for a value that cannot be read. Named contexts are looked at when they are used.
    pub fn read(
        given: &BTreeMap<String, String>,
        session_id: &str,
    ) -> Result<Self, AttributeError> {
        let get = |name: &str| given.get(name).map(String::as_str).unwrap_or_default();
        let platforms = platforms(get("platform"))?;
        let prefixed = |prefix: &str| -> BTreeMap<String, String> {
            let named = given
                .iter()
                .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)));
            named
                .map(|(name, value)| (name.to_owned(), value.clone()))
                .collect()
        };
        let build_args = prefixed("build-arg:");
        let argument = |name: &str| build_args.get(name).map(String::as_str).unwrap_or_default();
        let hostname = [argument("BUILDKIT_SANDBOX_HOSTNAME"), get("hostname")];
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
            hostname: hostname
                .into_iter()
                .find(|name| !name.is_empty())
                .map(str::to_owned),
            cache_mount_namespace: argument("BUILDKIT_CACHE_MOUNT_NS").to_owned(),
            resolve_mode: resolve_mode(get("image-resolve-mode"))?,
            multi_platform: multi_platform(
                argument("BUILDKIT_MULTI_PLATFORM"),
                get("multi-platform"),
                platforms.len(),
            )?,
            session_id: session_id.to_owned(),
            context: main_context(given, &build_args),
            contexts: contexts(given, &prefixed("context:")),
            build_args: build_args.clone(),
            ..Options::default()
        };
        Ok(Self { options, platforms })
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
    let parse = |text| {
        Platform::parse(text)
            .map(|platform| platform.normalized())
            .map_err(AttributeError::Platform)
    };
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

fn multi_platform(
    argument: &str,
    attribute: &str,
    platforms: usize,
) -> Result<bool, AttributeError> {
    let text = if argument.is_empty() {
        attribute
    } else {
        argument
    };
    let several = platforms > 1;
    match (text, crate::dockerfile::go_bool(text)) {
        ("", _) => Ok(several),
        (_, None) => Err(value_error("multi-platform", text, "true or false")),
        (_, Some(false)) if several => Err(AttributeError::SeveralPlatforms),
        (_, Some(wanted)) => Ok(wanted),
    }
}

/// A git or http URL in `context`, else the folder that the session calls so.
fn main_context(
    given: &BTreeMap<String, String>,
    build_args: &BTreeMap<String, String>,
) -> Context {
    let key = given.get("contextkey").map_or("context", String::as_str);
    let specifier = given.get(key).map(String::as_str).unwrap_or_default();
    let subdir = given.get("contextsubdir").cloned();
    let keep = build_args
        .get("BUILDKIT_CONTEXT_KEEP_GIT_DIR")
        .map(String::as_str)
        .unwrap_or_default();
    if git_url::parse(specifier).is_some() {
        let keep_git_dir = crate::dockerfile::go_bool(keep) == Some(true);
        return Context::Git {
            url: specifier.to_owned(),
            keep_git_dir,
            subdir,
        };
    }
    if url::is_http(specifier) {
        return Context::Http {
            url: specifier.to_owned(),
            archive: true,
            subdir,
        };
    }
    Context::Local(LocalContext {
        session_id: given.get("local-sessionid:context").cloned(),
        ..LocalContext::new("context")
    })
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
mod tests {
    use super::*;
    use crate::llb::HostIp;

    fn read(pairs: &[(&str, &str)]) -> Result<Attributes, AttributeError> {
        let given = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Attributes::read(&given, "session")
    }

    #[test]
    fn attributes_become_options() {
        let read = read(&[
            ("platform", "linux/arm64/v8,linux/amd64"),
            ("add-hosts", "A=1.2.3.4,b=::FFFF:1.2.3.4"),
            ("ulimit", "nofile=1024:2048,nproc=-1"),
            ("no-cache", "a,B"),
            ("build-arg:A", "1"),
            ("memswap", "-1"),
            ("cpusetcpus", "0-3, 5"),
            ("context:x", "local:y"),
            ("local-sessionid:y", "other"),
        ]);
        let Attributes { options, platforms } = read.unwrap();
        assert_eq!(
            platforms
                .iter()
                .map(Platform::to_string)
                .collect::<Vec<_>>(),
            ["linux/arm64", "linux/amd64"]
        );
        assert!(options.multi_platform);
        assert_eq!(
            options.extra_hosts[1],
            HostIp {
                host: "b".into(),
                ip: "1.2.3.4".into()
            }
        );
        assert_eq!(options.ulimits[1].hard, -1);
        assert!(options.no_cache.covers(Some("b")) && !options.no_cache.covers(None));
        assert_eq!(options.linux_resources.unwrap().memory_swap, -1);
        let NamedContext::Local(local) = &options.contexts["x"] else {
            panic!()
        };
        assert_eq!(local.session_id.as_deref(), Some("other"));
    }

    #[test]
    fn wrong_values_are_refused() {
        for (name, value) in [
            ("platform", "bad/"),
            ("force-network-mode", "bad"),
            ("add-hosts", "a=b"),
            ("add-hosts", "a"),
            ("ulimit", "foo=1"),
            ("ulimit", "nofile=2:1"),
            ("ulimit", "nofile=1:2:3"),
            ("shm-size", "1m"),
            ("memory", "0"),
            ("cpushares", "-1"),
            ("cpusetmems", "3-1"),
            ("image-resolve-mode", "x"),
            ("multi-platform", "x"),
        ] {
            assert!(read(&[(name, value)]).is_err(), "{name}={value}");
        }
        let both = [
            ("platform", "linux/arm64,linux/amd64"),
            ("multi-platform", "false"),
        ];
        assert_eq!(read(&both).unwrap_err(), AttributeError::SeveralPlatforms);
    }
}
