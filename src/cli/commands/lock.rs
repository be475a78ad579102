//! `solvekit lock`: records the digests of a Dockerfile's base images.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use solvekit::dockerfile::{self, Linter};
use solvekit::lock::{Lock, LockedImage};
use solvekit::oci::{Platform, Reference};
use solvekit::translate::{
    self, Attributes, ImageFailure, ImageKind, ImageRequest, Options, Outcome, ResolvedImage,
    ResolvedImages, check,
};

use super::build;
use crate::cli::args::images::{Registries, read_lock};
use crate::cli::args::of_dockerfile::{DockerfileArgs, OfDockerfile};
use crate::cli::args::places;
use crate::cli::args::registries::RegistryArgs;
use crate::cli::environment::Environment;
use crate::cli::report::usage::LockUsage;
use crate::cli::report::{Failure, daemon_text};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct LockArgs {
    #[command(flatten)]
    dockerfile: DockerfileArgs,

    /// Write the lock to this file
    #[arg(short, long, value_name = "FILE", default_value = "solvekit.lock")]
    output: PathBuf,

    /// Look up images again that the lock already has: all, or only this one; repeatable
    #[arg(
        long,
        value_name = "NAME",
        num_args = 0..=1,
        default_missing_value = "",
        require_equals = false
    )]
    update: Vec<String>,

    #[command(flatten)]
    registries: RegistryArgs,
}

const EXAMPLES: &str = "\
Examples:
  solvekit lock --platform linux/amd64,linux/arm64 .
      write solvekit.lock, keep what it has already
  solvekit lock --update alpine:3.20 .                 look this image up again
  solvekit build --lock solvekit.lock .                build from exactly these images";

pub(crate) fn cmd_lock(args: &LockArgs, environment: &Environment) -> Result<(), Failure> {
    places::ready("--output", &args.output)?;
    let of = args.dockerfile.read(environment)?;
    let before = match args.output.exists() {
        // If everything is looked up again, an unreadable lock is simply replaced.
        true if args.update.iter().any(String::is_empty) => {
            read_lock(&args.output).unwrap_or_default()
        }
        true => read_lock(&args.output)?,
        false => Lock::new(),
    };
    let mut locking = Locking {
        kept: kept(&before, &args.update)?,
        lock: Lock::new(),
        registries: Registries::new(&args.registries, environment)?,
    };
    locking.go_through(&of)?;
    let text = locking.lock.to_text();
    build::write_file(&args.output, text.as_bytes())?;
    report(&args.output, &before, &locking.lock);
    Ok(())
}

/// The entries of the old lock, except those that are updated.
fn kept(before: &Lock, update: &[String]) -> Result<Lock, Failure> {
    let mut again = BTreeSet::new();
    for name in update {
        if name.is_empty() {
            return Ok(Lock::new());
        }
        let reference = Reference::parse(name).map_err(|error| Failure::from_error(&error))?;
        let reference = reference.with_default_tag().to_string();
        if before.images().all(|(known, _)| known != reference) {
            let known: Vec<&str> = before.images().map(|(known, _)| known).collect();
            let known = known.into_iter().map(str::to_owned).collect();
            return Err(LockUsage::Lacks {
                name: reference,
                known,
            }
            .into());
        }
        again.insert(reference);
    }
    let mut kept = Lock::new();
    for (name, image) in before.images().filter(|(name, _)| !again.contains(*name)) {
        if let Ok(reference) = Reference::parse(name) {
            kept.insert(&reference, image.clone());
        }
    }
    Ok(kept)
}

/// A lock that is being made.
struct Locking {
    kept: Lock,
    lock: Lock,
    registries: Registries,
}

impl Locking {
    /// Walks all stages, or those that the target needs, for all platforms.
    fn go_through(&mut self, of: &OfDockerfile) -> Result<(), Failure> {
        let dockerfile = dockerfile::parse(of.source.text()).map_err(|error| {
            let line = error.shown_span().map(|span| span.first.into());
            of.failed(&Failure::from_error(&error).into_message(), line.as_slice())
        })?;
        let Attributes {
            options, platforms, ..
        } = Attributes::read(&of.case.opts, "").map_err(|error| Failure::from_error(&error))?;
        let platforms = match platforms.is_empty() {
            true => vec![Platform::host()],
            false => platforms,
        };
        let mut known = ResolvedImages::new();
        loop {
            let mut missing = BTreeSet::new();
            for platform in &platforms {
                let options = Options {
                    platform: Some(platform.clone()),
                    build_platforms: vec![Platform::host()],
                    ..options.clone()
                };
                let checked = check(&dockerfile, &options, &known, &mut Linter::default());
                match checked.map_err(|error| failed(of, platform, &error))? {
                    Outcome::NeedsImages(requests) => missing.extend(requests),
                    Outcome::NeedsTime(request) => {
                        known.insert_time(request.identifier, translate::SourceTime::Unknown)
                    }
                    _ => {}
                }
            }
            if missing.is_empty() {
                return Ok(());
            }
            self.resolve(missing, &mut known);
        }
    }

    fn resolve(&mut self, requests: BTreeSet<ImageRequest>, known: &mut ResolvedImages) {
        let (requests, others): (Vec<_>, Vec<_>) = requests
            .into_iter()
            .partition(|request| request.kind == ImageKind::Registry);
        for request in others {
            let reason = "an OCI layout has a digest of its own and needs no lock";
            let reason: Box<dyn std::error::Error + Send + Sync> = reason.into();
            known.insert_failure(request, reason.into());
        }
        let mut asked = Vec::new();
        for request in requests {
            let platform = request.platform.clone().unwrap_or_else(Platform::host);
            match self.keep(&request.reference, &platform) {
                Some(image) => known.insert(request, image),
                None => asked.push((request, platform)),
            }
        }
        let questions = asked.iter().map(|(request, platform)| {
            let reference = request.reference.clone();
            // Another platform of a locked image is taken from the same image.
            let reference = match self.kept.get(&reference) {
                Some(old) => reference.with_digest(old.digest.clone()),
                None => reference,
            };
            (reference, platform.clone())
        });
        let found = self.registries.find(questions.collect());
        for ((request, platform), found) in asked.into_iter().zip(found) {
            let found = found.map_err(|error| Arc::new(error) as ImageFailure);
            let image = found.and_then(|found| {
                let config: serde_json::Value = serde_json::from_slice(&found.config)
                    .map_err(|error| Arc::new(error) as ImageFailure)?;
                let image = ResolvedImage::parse(Some(found.digest.clone()), &found.config)
                    .map_err(|error| Arc::new(error) as ImageFailure)?;
                self.add(&request.reference, &platform, found.digest, config);
                Ok(image)
            });
            match image {
                Ok(image) => known.insert(request, image),
                Err(reason) => known.insert_failure(request, reason),
            }
        }
    }

    /// The unchanged entry of the old lock, if it has the platform.
    fn keep(&mut self, reference: &Reference, platform: &Platform) -> Option<ResolvedImage> {
        let old = self.kept.get(reference)?;
        if self.lock.get(reference).is_none() {
            self.lock.insert(reference, old.clone());
        }
        old.get(platform)?;
        self.kept.image(reference, platform).ok()
    }

    fn add(
        &mut self,
        reference: &Reference,
        platform: &Platform,
        digest: solvekit::oci::Digest,
        config: serde_json::Value,
    ) {
        let mut image = match self.lock.get(reference) {
            Some(image) if image.digest == digest => image.clone(),
            _ => LockedImage::new(digest),
        };
        image.insert(platform, config);
        self.lock.insert(reference, image);
    }
}

fn failed(of: &OfDockerfile, platform: &Platform, error: &translate::Error) -> Failure {
    let lines: Vec<u64> = error.spans.iter().map(|span| span.first.into()).collect();
    let cause = Failure::from_error(error).into_message();
    let failure = of.failed(&format!("[{platform}] {cause}"), &lines);
    failure.advised(daemon_text::for_error(error))
}

/// Prints the changes.
fn report(path: &Path, before: &Lock, after: &Lock) {
    let digests = |lock: &Lock| -> BTreeMap<String, (String, usize)> {
        lock.images()
            .map(|(name, image)| {
                let platforms = image.platforms().count();
                (name.to_owned(), (image.digest.to_string(), platforms))
            })
            .collect()
    };
    let (before, after) = (digests(before), digests(after));
    let mut text = String::new();
    for (name, (digest, platforms)) in &after {
        let what = match before.get(name) {
            None => "added",
            Some((old, _)) if old != digest => "changed",
            Some((_, old)) if old != platforms => "extended",
            Some(_) => "kept",
        };
        text.push_str(&format!("{what:<9} {name} {digest}\n"));
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        text.push_str(&format!("{:<9} {name}\n", "dropped"));
    }
    text.push_str(&format!("wrote {}\n", path.display()));
    crate::cli::report::terminal::talk(&text);
}
