//! The settings that the flags give a node: options, configuration, daemon flags, endpoint,
//! platforms.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use solvekit::builder::{
    DaemonConfig, Driver, Error, NodeSettings, kubernetes_endpoint, split_words,
};
use solvekit::oci::Platform;

use super::CreateArgs;
use crate::cli::args::builder::Builders;
use crate::cli::environment::Environment;
use crate::cli::report::terminal::warn;
use crate::cli::report::usage::BuilderUsage;
use crate::cli::report::{Failure, hint};

pub(super) fn settings(
    args: &CreateArgs,
    name: &str,
    driver: Driver,
    builders: &Builders,
    environment: &Environment,
) -> Result<NodeSettings, Failure> {
    let driver_opts = driver.parse_options(&args.driver_opt)?;
    let config = config(args, driver, builders)?;
    let flags = split_words(args.buildkitd_flags.as_deref().unwrap_or_default())?;
    let (endpoint, endpoint_given) = endpoint(args, name, driver, builders, environment)?;
    warn_without_effect(&driver_opts);
    Ok(NodeSettings {
        name: args.node.clone(),
        endpoint,
        endpoint_given,
        platforms: platforms(&args.platform)?,
        buildkitd_flags: match driver.is_isolated() {
            true => with_network(flags, &driver_opts, &config),
            false => flags,
        },
        driver_opts,
        files: config.files,
    })
}

/// The given configuration, or else the store's default one.
fn config(args: &CreateArgs, driver: Driver, builders: &Builders) -> Result<DaemonConfig, Failure> {
    let default = builders
        .store
        .default_config()
        .filter(|_| driver.has_daemon());
    let Some(path) = args.buildkitd_config.clone().or(default) else {
        return Ok(DaemonConfig::default());
    };
    let config = DaemonConfig::load(&path).map_err(|error| {
        let is_missing = matches!(
            &error,
            Error::File { source, .. } if source.kind() == ErrorKind::NotFound
        );
        let path = path.display();
        let words = is_missing.then(|| {
            format!(
                "buildkit configuration file not found: {path}: stat {path}: no such file or \
                 directory"
            )
        });
        Failure::from(error).in_buildx(words)
    })?;
    for unknown in &config.unknown {
        warn(&format!("{}: {unknown}", path.display()));
    }
    Ok(config)
}

/// Allows builds to use the daemon's network: always if it is the host's, and otherwise unless the
/// allowed entitlements are given.
fn with_network(
    mut flags: Vec<String>,
    options: &BTreeMap<String, String>,
    config: &DaemonConfig,
) -> Vec<String> {
    const ALLOW: &str = "--allow-insecure-entitlement";
    let allowed = |flag: &String| flag.starts_with(ALLOW);
    let has_network = flags
        .iter()
        .any(|flag| allowed(flag) && flag.ends_with("network.host"))
        || flags
            .windows(2)
            .any(|pair| pair[0] == ALLOW && pair[1] == "network.host");
    let is_on_host = options
        .get("network")
        .is_some_and(|network| network == "host");
    let in_config = config
        .entitlements
        .iter()
        .any(|name| name == "network.host");
    if (is_on_host && !has_network) || (!flags.iter().any(allowed) && !in_config) {
        flags.push(format!("{ALLOW}=network.host"));
    }
    flags
}

/// The endpoint of the node; true if it was given explicitly.
fn endpoint(
    args: &CreateArgs,
    name: &str,
    driver: Driver,
    builders: &Builders,
    environment: &Environment,
) -> Result<(String, bool), Failure> {
    match (driver, &args.endpoint) {
        (Driver::Remote, given) => {
            let address = given.as_ref().or(environment.buildkit_host.as_ref());
            let address = address.ok_or(BuilderUsage::RemoteWithoutAddress)?;
            Ok((address.clone(), true))
        }
        (Driver::Kubernetes, Some(endpoint)) => {
            Err(BuilderUsage::KubernetesEndpoint(endpoint.clone()).into())
        }
        (Driver::Kubernetes, None) => {
            let kubeconfig = environment.kubeconfig.as_deref();
            let node = args.node.as_deref();
            Ok((kubernetes_endpoint(name, node, kubeconfig), false))
        }
        (Driver::Local, Some(endpoint)) => Err(Failure::new(format!(
            "the local driver has no endpoint, {endpoint:?} is given"
        ))),
        (Driver::Local, None) => Ok(("local".to_owned(), false)),
        (_, Some(endpoint)) => {
            builders.contexts.connect_options(endpoint)?;
            let is_default = endpoint == solvekit::builder::DEFAULT_CONTEXT;
            let host = builders.contexts.engine(endpoint)?.filter(|_| is_default);
            Ok((
                host.map_or_else(|| endpoint.clone(), |engine| engine.host),
                true,
            ))
        }
        (_, None) => Ok((builders.contexts.key(), false)),
    }
}

fn platforms(given: &[String]) -> Result<Vec<Platform>, Failure> {
    let parse = |text: &String| match text.trim() {
        "local" => Ok(Platform::host()),
        text => Platform::parse(text)
            .map(|platform| platform.normalized())
            .map_err(|error| hint::for_platform(&error)),
    };
    given.iter().map(parse).collect()
}

fn warn_without_effect(options: &BTreeMap<String, String>) {
    if options.contains_key("allow-untrusted-image") {
        warn(
            "the option allow-untrusted-image has no effect: the image of BuildKit is used \
             without a look at its signature",
        );
    }
}
