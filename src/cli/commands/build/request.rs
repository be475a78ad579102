//! Turns the flags of `build` into a request. Nothing else does.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::Arc;

use solvekit::frontend::ImageLock;
use solvekit::oci::{Platform, Reference};
use solvekit::pipeline::{
    self, BuildRequest, CacheDirection, Destination, Network, NoCache, Output, OutputKind,
};

use super::BuildArgs;
use crate::cli::args::{caches, git_source, images, policy, proxies, secrets, values};
use crate::cli::environment::Environment;
use crate::cli::identity::Identity;
use crate::cli::report::terminal::warn;
use crate::cli::report::usage::{BuildUsage, OutputUsage};
use crate::cli::report::{Failure, hint};

/// The request that the flags and the environment describe.
pub(super) fn build_request(
    args: &BuildArgs,
    environment: &Environment,
) -> Result<BuildRequest, Failure> {
    let mut request = args.contexts.request()?;
    // Any other word is the name of an image.
    let Ok(frontend) = args.frontend.parse();
    request.frontend = frontend;
    request.platforms = platforms(&args.platform, environment)?;
    request.tags = all_tags(args)?;
    request.outputs = outputs(args)?;
    request.target = args.target.clone();
    request.build_args = build_args(args, environment)?;
    request.labels = values::labels(args.label.clone());
    request.no_cache = no_cache(args)?;
    request.pull = args.pull;
    request.lock = lock(args)?;
    request.network = match args.network.as_str() {
        "host" => Network::Host,
        "none" => Network::None,
        _ => Network::Default,
    };
    request.extra_hosts = args.add_host.clone();
    request.shm_size = args.shm_size;
    request.ulimits = args.ulimit.clone();
    request.secrets = secrets::secrets(&args.secret, environment.identity)?;
    request.ssh_agents = secrets::agents(&args.ssh)?;
    request.cache_from = caches::of_flags(&args.cache_from, CacheDirection::From)?;
    request.cache_to = caches::of_flags(&args.cache_to, CacheDirection::To)?;
    pipeline::add_inline_cache(&mut request.cache_to, &request.build_args);
    args.permissions.apply(&mut request)?;
    args.resources.apply(&mut request)?;
    let metadata_file = args.results.wants_metadata();
    args.attestations
        .apply(&mut request, metadata_file, environment)?;
    request.policy = args.policy.parse(environment)?;
    request.annotations =
        pipeline::parse_annotations(&args.annotation).map_err(|error| hint::for_value(&error))?;
    request.source_policy = policy::of_environment(environment)?;
    request.node_id = environment.node_id();
    request.wording = environment.identity.wording();
    request.index_for_annotations = environment.identity != Identity::Buildx;
    git_source::apply([&mut request], environment);
    args.several.apply(&mut request);
    request.max_parallel_platforms = args.max_parallel_platforms.map(usize::from);
    Ok(request)
}

/// The arguments of the flags, and those that the environment adds.
fn build_args(
    args: &BuildArgs,
    environment: &Environment,
) -> Result<BTreeMap<String, String>, Failure> {
    let mut build_args = args.arguments.read()?;
    environment.add_epoch(&mut build_args);
    proxies::add(&mut build_args, environment)?;
    Ok(build_args)
}

fn no_cache(args: &BuildArgs) -> Result<NoCache, Failure> {
    Ok(match (args.no_cache, args.no_cache_filter.is_empty()) {
        (true, true) => NoCache::All,
        (true, false) => return Err(BuildUsage::TwoKindsOfNoCache.into()),
        (false, true) => NoCache::None,
        (false, false) => NoCache::Stages(args.no_cache_filter.clone()),
    })
}

fn lock(args: &BuildArgs) -> Result<Option<ImageLock>, Failure> {
    let Some(path) = &args.lock else {
        return Ok(None);
    };
    Ok(Some(ImageLock {
        lock: Arc::new(images::read_lock(path)?),
        resolve_missing: args.lock_missing == "resolve",
    }))
}

pub(crate) fn platforms(
    given: &[String],
    environment: &Environment,
) -> Result<Vec<Platform>, Failure> {
    let from_environment: Vec<String>;
    let given = match &environment.default_platform {
        Some(default) if given.is_empty() => {
            from_environment = default.split(',').map(str::to_owned).collect();
            &from_environment
        }
        _ => given,
    };
    let mut platforms: Vec<Platform> = Vec::new();
    for text in given {
        let platform = match text.trim() {
            "local" => Platform::host(),
            text => Platform::parse(text)
                .map_err(|error| hint::for_platform(&error))?
                .normalized(),
        };
        if let Some(meant) = platform.probably_meant() {
            warn(&format!(
                "{platform} is not a known platform; did you mean {meant}?"
            ));
        }
        if !platforms.contains(&platform) {
            platforms.push(platform);
        }
    }
    Ok(platforms)
}

/// The names of the flags, then those of files that the flags lack.
fn all_tags(args: &BuildArgs) -> Result<Vec<Reference>, Failure> {
    let mut all = tags(&args.tag)?;
    for tag in tags(&args.tag_files.read()?)? {
        if !all.contains(&tag) {
            all.push(tag);
        }
    }
    Ok(all)
}

fn tags(given: &[String]) -> Result<Vec<Reference>, Failure> {
    given
        .iter()
        .map(|tag| {
            let reference = Reference::parse(tag).map_err(BuildUsage::Tag)?;
            if reference.digest().is_some() {
                return Err(BuildUsage::TagWithDigest(tag.clone()).into());
            }
            Ok(reference.with_default_tag())
        })
        .collect()
}

fn outputs(args: &BuildArgs) -> Result<Vec<Output>, Failure> {
    let mut outputs = args
        .output
        .iter()
        .map(|text| {
            text.parse::<Output>()
                .map_err(|error| hint::for_value(&error))
        })
        .collect::<Result<Vec<_>, _>>()?;
    if args.push {
        let image = outputs
            .iter_mut()
            .find(|output| output.kind == OutputKind::Image);
        match image {
            Some(image) => {
                let push = ("push".to_owned(), "true".to_owned());
                image.attributes.extend([push]);
            }
            None => outputs.push(Output::push()),
        }
    }
    if args.load && !outputs.contains(&Output::load()) {
        outputs.push(Output::load());
    }
    refuse_terminal(&outputs)?;
    Ok(outputs)
}

impl BuildArgs {
    /// True if an archive goes to stdout.
    pub(super) fn writes_to_stdout(&self) -> bool {
        outputs(self).is_ok_and(|outputs| outputs.iter().any(to_stdout))
    }
}

fn to_stdout(output: &Output) -> bool {
    output.destination == Some(Destination::StandardOutput)
}

/// Rejects an archive as output to a terminal.
pub(crate) fn refuse_terminal(outputs: &[Output]) -> Result<(), Failure> {
    match outputs.iter().any(to_stdout) && std::io::stdout().is_terminal() {
        true => Err(OutputUsage::ArchiveToTerminal.into()),
        false => Ok(()),
    }
}
