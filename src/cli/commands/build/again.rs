//! Runs a build several times, each time without cache, to compare the results. It takes the flags
//! of `build`, and writes to an OCI layout instead of their outputs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use solvekit::frontend::Source;
use solvekit::oci::Digest;
use solvekit::pipeline::{
    Attestations, BuildRequest, MetadataProvenance, NoCache, Output, Prepared, StepLimit,
};
use solvekit::progress::{Mode, StepState, Summary};
use tokio_util::sync::CancellationToken;

use super::run::{Run, Shown};
use super::{BuildArgs, only_platform, prepare, request, unless_cancelled};
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::args::explain::{Explain, Recording};
use crate::cli::args::nodes::{self, Ready};
use crate::cli::environment::Environment;
use crate::cli::report::display::{self, Sink};
use crate::cli::report::usage::VerifyUsage;
use crate::cli::report::{Failure, hint, nodes_failure};

/// The attributes of an image output that change its content. The others are about its destination.
const KEPT: [&str; 9] = [
    "buildinfo",
    "buildinfo-attrs",
    "compression",
    "compression-level",
    "force-compression",
    "oci-artifact",
    "oci-mediatypes",
    "prefer-nondist-layers",
    "rewrite-timestamp",
];

/// A build that can be repeated.
pub(crate) struct Again<'a> {
    args: &'a BuildArgs,
    mode: Mode,
    sink: Sink,
    prepared: Prepared,
    ready: Ready,
    cancelled: &'a CancellationToken,
    connection: &'a ConnectionArgs,
    environment: &'a Environment,
}

/// The result of one run.
pub(crate) struct Once {
    /// The digest of the index or manifest in the layout.
    pub(crate) digest: Digest,
    /// The steps that came from a cache although the cache was disabled.
    pub(crate) cached: Vec<String>,
}

impl BuildArgs {
    /// Sets the lock for `--lock`.
    pub(crate) fn use_lock(&mut self, path: PathBuf) {
        self.lock = Some(path);
    }
}

impl<'a> Again<'a> {
    /// Reads the inputs and connects to the builder.
    pub(crate) async fn prepare(
        args: &'a BuildArgs,
        layout: &Path,
        connection: &'a ConnectionArgs,
        cancelled: &'a CancellationToken,
        environment: &'a Environment,
    ) -> Result<Self, Failure> {
        refuse_what_is_for_images(args)?;
        let mode = display::mode(&args.progress.mode, args.quiet, environment)?;
        let sink = args.progress.open(mode)?;
        args.legacy.warn(mode, environment.identity);
        let mut request = request::build_request(args, environment)?;
        only_to_compare(&mut request, layout)?;
        let preparing = prepare(args, request, mode, connection, environment);
        let (prepared, ready) = unless_cancelled(preparing, cancelled, mode).await?;
        if !prepared.is_repeatable() {
            return Err(VerifyUsage::Stdin.into());
        }
        Ok(Self {
            args,
            mode,
            sink,
            prepared,
            ready,
            cancelled,
            connection,
            environment,
        })
    }

    /// The request of the build.
    pub(crate) fn request(&self) -> &BuildRequest {
        self.prepared.request()
    }

    /// The Dockerfile, if it is on this machine.
    pub(crate) fn dockerfile(&self) -> Option<Source> {
        self.prepared.inputs().source()
    }

    /// True if messages about the progress may be written to stderr.
    pub(crate) fn shows_text(&self) -> bool {
        matches!(self.mode, Mode::Tty | Mode::Plain)
    }

    /// Runs all steps and exports the image to the layout.
    pub(crate) async fn build(&self) -> Result<Once, Failure> {
        let (prepared, ready) = (&self.prepared, &self.ready);
        let request = prepared.request();
        let insecure = nodes::insecure(request);
        let run = Run::new(
            &self.args.registries,
            &self.args.publishing.retries,
            insecure,
            self.connection,
            self.environment,
        )?;
        ready.warn(&run.progress);
        let registries = run.registries();
        let shown = Shown {
            mode: self.mode,
            sink: self.sink.clone(),
            platform: only_platform(request),
            used: &ready.used,
            environment: self.environment,
            hold: Default::default(),
        };
        let reconnect = self.args.reconnect.during_build();
        // With a record, the next build would find that everything was built before.
        let recording = Recording::new(Some(Explain::Off), self.environment);
        let (mut settings, running) = run.start(shown, None, reconnect, &recording, self.cancelled);
        let most = self.args.max_parallel_steps;
        settings.step_limit = most.map(|most| StepLimit::new(most.into()));
        let plan = ready.plan.clone();
        let built = ready
            .nodes
            .build(prepared, plan, &registries, settings)
            .await;
        let summary = running.end().await;
        let built = built.map_err(|error| nodes_failure::explain(&error, &summary, self.mode))?;
        let digest = built.outcome.digest().ok_or(VerifyUsage::NoDigest)?;
        Ok(Once {
            digest,
            cached: cached(&summary),
        })
    }
}

/// Rejects flags for results that `verify` does not make.
fn refuse_what_is_for_images(args: &BuildArgs) -> Result<(), VerifyUsage> {
    let publishing = args.publishing.asked_for();
    let asked = [
        (args.call != "build", "--call"),
        (args.check, "--check"),
        (args.dry_run.is_some(), "--dry-run"),
        (args.debug.is_asked_for(), "--debug"),
        (args.results.wants_id(), "--iidfile"),
        (args.results.wants_metadata(), "--metadata-file"),
        (!args.reports.is_empty(), "--report"),
        (args.explain == Some(Explain::On), "--explain"),
        (args.propagate_exit_code, "--propagate-exit-code"),
        (
            args.cache_mounts.is_asked_for(),
            "--cache-mount-from or --cache-mount-to",
        ),
        (publishing.is_some(), publishing.unwrap_or_default()),
    ];
    match asked.iter().find(|(is_asked, _)| *is_asked) {
        Some((_, flag)) => Err(VerifyUsage::NotForVerify(flag)),
        None => Ok(()),
    }
}

/// Removes caches, names and attestations from the request, and makes a layout its only output.
fn only_to_compare(request: &mut BuildRequest, layout: &Path) -> Result<(), Failure> {
    let images = request.outputs.iter().find(|output| output.is_image());
    let attributes = images.map(|output| output.attributes.clone());
    let mut attributes: BTreeMap<String, String> = attributes.unwrap_or_default();
    attributes.retain(|name, _| KEPT.contains(&name.as_str()) || name.starts_with("annotation"));
    attributes.insert("tar".to_owned(), "false".to_owned());
    let folder = layout.display().to_string();
    let output = Output::new("oci", attributes, Some(folder));
    request.outputs = vec![output.map_err(|error| hint::for_value(&error))?];
    request.tags.clear();
    request.keep_unnamed = false;
    request.no_cache = NoCache::All;
    request.cache_from.clear();
    // An inline cache is part of the image.
    request.cache_to.retain(|cache| cache.kind == "inline");
    // Attestations contain times and machines, so they always differ.
    let none = Attestations::parse(&[], Some("false"), Some("false"));
    request.attestations = none.map_err(|error| hint::for_value(&error))?;
    request.metadata_provenance = MetadataProvenance::Disabled;
    Ok(())
}

/// The steps of the Dockerfile that came from the cache. Base images and contexts do not count: all
/// runs share them.
fn cached(summary: &Summary) -> Vec<String> {
    let steps = summary.timeline.steps.iter();
    let cached = steps.filter(|step| step.state == StepState::Cached);
    let cached = cached.filter(|step| runs(&step.name));
    cached.map(|step| step.name.clone()).collect()
}

/// True for the name of a RUN or COPY step: `[linux/arm64 build 2/3] RUN make`.
fn runs(name: &str) -> bool {
    let Some((place, instruction)) = name.split_once("] ") else {
        return false;
    };
    let instruction = instruction.split(' ').next().unwrap_or_default();
    place.starts_with('[') && matches!(instruction, "RUN" | "COPY" | "ADD" | "WORKDIR")
}

#[cfg(test)]
mod tests {
    use solvekit::pipeline::OutputKind;

    use super::*;

    #[test]
    fn a_build_to_compare_goes_nowhere_else_and_keeps_what_changes_its_bytes() {
        let mut request = BuildRequest::new(".");
        request.tags = vec!["registry.test/app:1".parse().unwrap()];
        request.outputs = [
            "dist",
            "type=image,name=a,push=true,rewrite-timestamp=true,compression=zstd,unpack=true,\
             annotation.a=b",
        ]
        .map(|text| text.parse().unwrap())
        .into();
        only_to_compare(&mut request, Path::new("/tmp/layout")).unwrap();
        let [output] = request.outputs.as_slice() else {
            panic!("{:?}", request.outputs);
        };
        assert_eq!(output.kind, OutputKind::Oci);
        assert!(output.is_layout() && !output.pushes());
        let names: Vec<&str> = output.attributes.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["annotation.a", "compression", "rewrite-timestamp", "tar"]
        );
        assert!(request.tags.is_empty() && request.pushes().is_empty());
        assert_eq!(request.no_cache, NoCache::All);
    }

    #[test]
    fn steps_are_distinguished_from_images_and_contexts() {
        for (name, expected) in [
            ("[2/3] RUN make", true),
            ("[linux/arm64 build 2/3] COPY a b", true),
            ("[1/3] FROM docker.io/library/alpine", false),
            ("[internal] load build context", false),
            ("exporting to image", false),
        ] {
            assert_eq!(runs(name), expected, "{name}");
        }
    }
}
