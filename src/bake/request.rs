//! Turns a target into a build request, attribute by attribute.

use std::path::Path;

use solvekit_bake::target::{Attest, Cache, Resources, Secret, Ssh, Target};
use solvekit_core::units::parse_size;
use solvekit_host::sockets::SSH_AGENT;

use super::{CheckError, Found, Machine, check};
use crate::client::CacheEntry;
use crate::oci::{self, Platform, Reference};
use crate::pipeline::{
    self, Attestations, BuildRequest, CacheDirection, DockerfileFrom, Entitlement, HostAddress,
    InputStream, MainContext, NamedContext, Network, NoCache, Output, Ulimit, add_inline_cache,
    cache_entry, context_name, parse_annotations, with_credentials,
};
use crate::session::{self, Secrets, SshAgents};

/// The prefix of a context that another target makes.
const TARGET: &str = "target:";
/// The prefix of a path in the working directory, even if the bake file is remote.
const WORKING_DIRECTORY: &str = "cwd://";

/// The name of an inline Dockerfile in messages.
const INLINE: &str = "dockerfile-inline";

/// Why a target cannot become a build request.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// An attribute has a value that a build cannot use.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// A build does not support an attribute.
    #[error(transparent)]
    Build(#[from] pipeline::Error),
    /// The name of an image is invalid.
    #[error("tags: {0}")]
    Tag(#[source] oci::Error),
    /// The network mode is unknown to BuildKit.
    #[error("network: there is no mode {mode:?} in a build; the modes are default, host and none")]
    Network {
        /// The mode.
        mode: String,
    },
    /// A secret or an agent is invalid.
    #[error(transparent)]
    Session(#[from] session::Error),
    /// A secret is a variable that is not set.
    #[error("the secret {id:?} is the environment variable {variable}, which is not set")]
    NoVariable {
        /// The secret's id.
        id: String,
        /// The variable.
        variable: String,
    },
}

/// The request of a target. Contexts that other targets make are not in it; see [`links`].
///
/// # Errors
/// The first attribute that a build does not support.
pub fn request(target: &Target, machine: &dyn Machine) -> Result<BuildRequest, RequestError> {
    check(target, machine)?;
    let context = target.context.as_deref().unwrap_or(".");
    let mut request = BuildRequest::new(main_context(context)?);
    request.dockerfile = dockerfile(target, context, &request.context)?;
    for (name, text) in &target.contexts {
        if !text.starts_with(TARGET) {
            request
                .contexts
                .insert(context_name(name)?, named_context(text)?);
        }
    }
    request.platforms = platforms(target)?;
    request.tags = tags(target)?;
    for output in target.outputs.iter().flatten() {
        let destination = Some(output.destination.clone()).filter(|path| !path.is_empty());
        let output = Output::new(&output.kind, output.attributes.clone(), destination)?;
        request.outputs.push(output);
    }
    request.target = target.target.clone().filter(|stage| !stage.is_empty());
    request.build_args = target.args.clone();
    request.labels = target.labels.clone();
    request.no_cache = match (target.no_cache, target.no_cache_filter.as_slice()) {
        (Some(true), _) => NoCache::All,
        (_, []) => NoCache::None,
        (_, stages) => NoCache::Stages(stages.to_vec()),
    };
    request.pull = target.pull == Some(true);
    request.network = network(target)?;
    let hosts = target.extra_hosts.iter();
    request.extra_hosts = hosts
        .map(|(host, address)| Ok((host.clone(), host_address(host, address)?)))
        .collect::<Result<_, CheckError>>()?;
    request.shm_size = shm_size(target)?;
    request.ulimits = ulimits(target)?;
    request.secrets = secrets(&target.secrets, machine)?;
    request.ssh_agents = agents(target, machine)?;
    request.cache_from = caches(target.cache_from.as_deref(), CacheDirection::From, machine)?;
    request.cache_to = caches(target.cache_to.as_deref(), CacheDirection::To, machine)?;
    add_inline_cache(&mut request.cache_to, &request.build_args);
    for name in &target.entitlements {
        request.entitlements.push(name.parse::<Entitlement>()?);
    }
    request.annotations = parse_annotations(&target.annotations)?;
    request.policy.configs = target.policy.iter().map(crate::policy::config).collect();
    let attested: Vec<String> = target.attest.iter().map(attestation).collect();
    request.attestations = Attestations::parse(&attested, None, None)?;
    if let Some(resources) = &target.resources {
        set_resources(&mut request, resources)?;
    }
    Ok(request)
}

/// The contexts that other targets make: the name of each context and of its target.
pub fn links(target: &Target) -> impl Iterator<Item = (&str, &str)> {
    target.contexts.iter().filter_map(|(name, text)| {
        let linked = text.strip_prefix(TARGET)?;
        Some((name.as_str(), linked))
    })
}

/// An existing folder is local, even if its name looks like a URL.
fn main_context(text: &str) -> Result<MainContext, pipeline::Error> {
    let text = text.strip_prefix(WORKING_DIRECTORY).unwrap_or(text);
    match text {
        "" => Ok(".".into()),
        _ if Path::new(text).is_dir() => Ok(text.into()),
        _ => text.parse(),
    }
}

fn named_context(text: &str) -> Result<NamedContext, pipeline::Error> {
    let text = text.strip_prefix(WORKING_DIRECTORY).unwrap_or(text);
    match Path::new(text).is_dir() {
        true => Ok(text.into()),
        false => text.parse(),
    }
}

/// The Dockerfile of a target; a relative path is in the context. The default name is left to the
/// build, which opens it below the context.
fn dockerfile(
    target: &Target,
    context: &str,
    main: &MainContext,
) -> Result<Option<DockerfileFrom>, pipeline::Error> {
    if let Some(text) = &target.dockerfile_inline {
        let stream = InputStream::of_bytes(INLINE, text.clone().into_bytes());
        return Ok(Some(DockerfileFrom::Stream(stream)));
    }
    let given = target.dockerfile.as_deref().unwrap_or_default();
    if let Some(path) = given.strip_prefix(WORKING_DIRECTORY) {
        // In a fetched context a relative path would be looked up there.
        let absolute = std::path::absolute(path);
        return Ok(Some(absolute.unwrap_or_else(|_| path.into()).into()));
    }
    if given.is_empty() || given == "Dockerfile" {
        return Ok(None);
    }
    let is_path = matches!(given.parse()?, DockerfileFrom::Path(_));
    let folder = context.strip_prefix(WORKING_DIRECTORY).unwrap_or(context);
    Ok(Some(match (is_path, main) {
        (true, MainContext::Directory(_)) => Path::new(folder).join(given).into(),
        (true, _) => given.into(),
        (false, _) => given.parse()?,
    }))
}

fn platforms(target: &Target) -> Result<Vec<Platform>, CheckError> {
    let texts = target.platforms.iter().flatten();
    let mut platforms: Vec<Platform> = Vec::new();
    for text in texts.flat_map(|text| text.split(',')) {
        let platform = match text.trim().eq_ignore_ascii_case("local") {
            true => Platform::host(),
            false => Platform::parse(text.trim()).map_err(CheckError::Platform)?,
        };
        let platform = platform.normalized();
        if !platforms.contains(&platform) {
            platforms.push(platform);
        }
    }
    Ok(platforms)
}

fn tags(target: &Target) -> Result<Vec<Reference>, RequestError> {
    let tags = target.tags.iter().flatten().filter(|tag| !tag.is_empty());
    tags.map(|tag| {
        let reference = Reference::parse(tag).map_err(RequestError::Tag)?;
        Ok(reference.with_default_tag())
    })
    .collect()
}

fn network(target: &Target) -> Result<Network, RequestError> {
    match target.network.as_deref() {
        None | Some("" | "default") => Ok(Network::Default),
        Some("host") => Ok(Network::Host),
        Some("none") => Ok(Network::None),
        Some(mode) => Err(RequestError::Network {
            mode: mode.to_owned(),
        }),
    }
}

fn host_address(host: &str, text: &str) -> Result<HostAddress, CheckError> {
    match text {
        "host-gateway" => Ok(HostAddress::Gateway),
        address => match address.parse() {
            Ok(address) => Ok(HostAddress::Ip(address)),
            Err(_) => Err(CheckError::HostAddress {
                host: host.to_owned(),
                address: address.to_owned(),
            }),
        },
    }
}

fn shm_size(target: &Target) -> Result<Option<u64>, CheckError> {
    let size = target.shm_size.as_deref().filter(|text| !text.is_empty());
    let size = size.map(parse_size).transpose();
    let size = size.map_err(CheckError::SharedMemory)?;
    Ok(size.and_then(|size| u64::try_from(size).ok()))
}

fn ulimits(target: &Target) -> Result<Vec<Ulimit>, CheckError> {
    let limits = target.ulimits.iter();
    let limits = limits.map(|text| Ulimit::parse(text).map_err(CheckError::Ulimit));
    limits.collect()
}

fn secrets(given: &[Secret], machine: &dyn Machine) -> Result<Secrets, RequestError> {
    let mut secrets = Secrets::new();
    for secret in given {
        let by_id = secret.path.is_empty() && secret.variable.is_empty();
        let variable = match by_id {
            true => &secret.id,
            false => &secret.variable,
        };
        let value = match variable.is_empty() {
            true => None,
            false => machine.variable(variable),
        };
        let path = match by_id {
            true => secret.id.as_str(),
            false => secret.path.as_str(),
        };
        let is_folder = || matches!(machine.look(path), Ok(Found::Folder));
        secrets = match (value, path) {
            (Some(value), _) => secrets.with_value(&secret.id, value)?,
            (None, "") => {
                return Err(RequestError::NoVariable {
                    id: secret.id.clone(),
                    variable: variable.clone(),
                });
            }
            (None, path) if machine.accepts_secret_folders() && is_folder() => {
                secrets.with_unchecked_file(&secret.id, path)
            }
            (None, path) => secrets.with_file(&secret.id, path)?,
        };
    }
    Ok(secrets)
}

/// The agents of the target, with the user's own agent for a git context over SSH.
fn agents(target: &Target, machine: &dyn Machine) -> Result<SshAgents, RequestError> {
    let own = [Ssh::parse("default")];
    let context = target.context.as_deref().unwrap_or_default();
    let given = match target.ssh.as_slice() {
        [] if solvekit_bake::remote::is_git_over_ssh(context) => &own,
        given => given,
    };
    let mut agents = SshAgents::new();
    for agent in given {
        let paths: Vec<_> = agent.paths.iter().filter(|path| !path.is_empty()).collect();
        let own = machine.variable("SSH_AUTH_SOCK");
        let own = own.or_else(|| SSH_AGENT.map(ToOwned::to_owned));
        let own = own.unwrap_or_default();
        let is_socket = |path: &str| matches!(machine.look(path), Ok(Found::Socket));
        agents = match paths.as_slice() {
            [] => agents.with_socket(&agent.id, own)?,
            [path] if is_socket(path) => agents.with_socket(&agent.id, path)?,
            keys => {
                let keys: Vec<_> = keys.iter().map(Into::into).collect();
                agents.with_keys(&agent.id, &keys)?
            }
        };
    }
    Ok(agents)
}

fn caches(
    given: Option<&[Cache]>,
    direction: CacheDirection,
    machine: &dyn Machine,
) -> Result<Vec<CacheEntry>, pipeline::Error> {
    let entries = given.unwrap_or_default().iter();
    let entries = entries.map(|it| cache_entry(&it.kind, it.attributes.clone(), direction));
    let entries = entries.collect::<Result<Vec<_>, _>>()?;
    let completed = entries.into_iter().flat_map(|entry| {
        let with_token = entry.kind != "gha" || is_of_runner(&entry, machine);
        let allowed = |name: &str| with_token || name != RUNNER_TOKEN;
        with_credentials(vec![entry], |name| {
            machine.variable(name).filter(|_| allowed(name))
        })
    });
    Ok(completed.collect())
}

/// The variable with the token of GitHub's runner.
const RUNNER_TOKEN: &str = "ACTIONS_RUNTIME_TOKEN";

/// True if a GitHub cache uses the runner's URLs: the runner's token must not be sent to a URL from
/// a bake file.
fn is_of_runner(entry: &CacheEntry, machine: &dyn Machine) -> bool {
    let known = ["ACTIONS_CACHE_URL", "ACTIONS_RESULTS_URL"].map(|name| machine.variable(name));
    let given = ["url", "url_v2"].map(|key| entry.attrs.get(key));
    let mut given = given.into_iter().flatten();
    given.all(|url| known.iter().flatten().any(|known| known == url))
}

/// The attestation in the syntax of `--attest`: values with commas are quoted.
fn attestation(attest: &Attest) -> String {
    let mut text = format!("type={}", attest.kind);
    if attest.disabled {
        text.push_str(",disabled=true");
    }
    for (key, value) in &attest.attributes {
        let field = format!("{key}={value}");
        match field.contains([',', '"']) {
            true => text.push_str(&format!(",\"{}\"", field.replace('"', "\"\""))),
            false => text.push_str(&format!(",{field}")),
        }
    }
    text
}

fn set_resources(request: &mut BuildRequest, given: &Resources) -> Result<(), pipeline::Error> {
    let number = |value: Option<i64>| value.map(|value| value.to_string());
    let limits = [
        ("memory", given.memory.clone()),
        ("memory-swap", given.memory_swap.clone()),
        ("cpu-shares", number(given.cpu_shares)),
        ("cpu-period", number(given.cpu_period)),
        ("cpu-quota", number(given.cpu_quota)),
        ("cpuset-cpus", given.cpuset_cpus.clone()),
        ("cpuset-mems", given.cpuset_mems.clone()),
    ];
    for (name, value) in limits {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            request.resources.set(&format!("{name}={value}"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
