//! Base images: resolves a stage's FROM to a file system and an image config.

use std::collections::HashSet;
use std::sync::Arc;

use super::error::{Error, Suggestion};
use super::graph::{self, SCRATCH};
use super::images::{ImageKind, ImageRequest, Needs, SourceRequest};
use super::lint::Lint;
use super::named_context::{self, Loaded, PendingLocal};
use super::onbuild;
use super::reason::Reason;
use super::scope::Scope;
use super::stage::{SharedImage, StageId, Stages};
use super::start;
use crate::oci::{Platform, Reference};

/// The resolved bases of the target, or the images that are missing.
pub(super) struct Bases {
    /// The stages that the target needs, by id.
    pub(super) reachable: Vec<bool>,
    /// Local folders whose used paths are not known yet, by stage.
    pub(super) pending: Vec<(StageId, PendingLocal)>,
    /// Images that must be resolved first.
    pub(super) missing: Vec<ImageRequest>,
    /// A source whose time must be resolved first, for a stage that is a named context.
    pub(super) time: Option<SourceRequest>,
}

/// Resolves bases and adds their triggers, which may need new bases, until nothing is new.
pub(super) fn resolve<'a>(
    scope: &Scope<'a>,
    lint: &mut Lint<'_>,
    stages: &mut Stages<'a>,
    target: StageId,
) -> Result<Bases, Error> {
    let mut pending = Vec::new();
    let own = stages.len();
    loop {
        let reachable = graph::reachable(stages, target);
        let (mut missing, mut known) = (Vec::new(), HashSet::new());
        let (mut failed, mut time) = (None, None);
        for id in 0..stages.len() {
            let stage = &stages[id];
            if stage.base.is_some() || stage.progress.dispatched || stage.progress.resolved {
                continue;
            }
            let needed = reachable[id] || scope.all_stages;
            let (span, mounted_at) = (stage.span, stage.mounted_at);
            match resolve_one(scope, lint, stages, id, needed) {
                Ok(Resolved::Missing(Needs::Images(requests))) => {
                    let new = |request: &ImageRequest| known.insert(request.clone());
                    missing.extend(requests.into_iter().filter(new));
                }
                Ok(Resolved::Missing(Needs::Time(request))) => time = Some(request),
                Ok(Resolved::Done(local)) => {
                    stages[id].progress.resolved = needed;
                    pending.extend(local.map(|local| (id, local)));
                }
                // Of several failures the reference reports the last stage's: its goroutines start
                // from the end.
                Err(error) => {
                    failed = Some(match span {
                        Some(_) => error.at(span),
                        None => error.at_our(mounted_at),
                    });
                }
            }
        }
        if let Some(error) = failed {
            return Err(Error { missing, ..error });
        }
        let is_waiting = time.is_some() || !missing.is_empty();
        if is_waiting || !onbuild::take_triggers(stages, &reachable, own)? {
            return Ok(Bases {
                reachable,
                pending,
                missing,
                time,
            });
        }
    }
}

enum Resolved {
    Done(Option<PendingLocal>),
    Missing(Needs),
}

fn resolve_one<'a>(
    scope: &Scope<'a>,
    lint: &mut Lint<'_>,
    stages: &mut Stages<'a>,
    id: StageId,
    needed: bool,
) -> Result<Resolved, Error> {
    let stage = &stages[id];
    if stage.base_name == SCRATCH && stage.replaced_by.is_none() {
        start::from_scratch(scope, stages, id);
        return Ok(Resolved::Done(None));
    }
    let name = stage.base_name.clone();
    let reference = match Reference::parse(&name) {
        Ok(reference) => reference.with_default_tag(),
        Err(source) => return Err(Reason::Base { name, source }.into()),
    };
    let stage = &mut stages[id];
    stage.progress.dispatched |= stage.implied;
    let platform = stage
        .platform
        .clone()
        .unwrap_or_else(|| scope.platforms.target.clone());
    if !needed {
        start::unneeded(scope, stages, id, &reference, platform);
        return Ok(Resolved::Done(None));
    }
    if let Some((context, named)) = stage.replaced_by.clone() {
        let own = stage.platform.clone();
        let loaded = named_context::load(scope, &context, named, own.as_deref())?;
        return Ok(replace_stage(stages, id, loaded));
    }
    if let Some((context, named)) =
        named_context::named(scope, &reference.to_string(), Some(&platform))?
    {
        let loaded = named_context::load(scope, &context, named, Some(&platform))?;
        return Ok(replace_image(stages, id, platform, loaded));
    }
    let request = request(scope, reference, &platform);
    match scope.images.image(&request) {
        None => Ok(Resolved::Missing(Needs::Images(vec![request]))),
        Some(Ok(image)) => {
            start::from_image(scope, lint, &mut stages[id], &request, image, platform);
            Ok(Resolved::Done(None))
        }
        Some(Err(failure)) => {
            let known = stages.labels().chain(COMMON_IMAGES.iter().copied());
            let suggestion = Suggestion::nearest(&name, known);
            Err(Reason::BaseImage {
                reference: name,
                suggestion,
                source: failure.clone(),
            }
            .into())
        }
    }
}

/// Names of common base images, for suggestions.
const COMMON_IMAGES: &[&str] = &[
    "alpine", "busybox", "centos", "debian", "golang", "ubuntu", "fedora",
];

fn request(scope: &Scope<'_>, reference: Reference, platform: &Platform) -> ImageRequest {
    let prefix = match scope.options.multi_platform {
        true => format!("[{} internal]", platform.format_all()),
        false => "[internal]".to_owned(),
    };
    ImageRequest {
        log_name: format!("{prefix} load metadata for {reference}"),
        reference,
        platform: Some(platform.clone()),
        mode: scope.options.resolve_mode,
        kind: ImageKind::Registry,
    }
}

/// Replaces a stage by the named context of the same name; nothing of the stage remains.
fn replace_stage(stages: &mut Stages<'_>, id: StageId, loaded: Loaded) -> Resolved {
    let (state, image, pending) = match loaded {
        Loaded::Needs(needs) => return Resolved::Missing(needs),
        Loaded::Ready {
            state,
            image,
            pending,
        } => (state, image, pending),
    };
    let stage = &mut stages[id];
    stage.progress.dispatched = true;
    stage.state = state;
    if let Some(image) = image {
        if !image.platform.architecture.is_empty() && !image.platform.os.is_empty() {
            stage.platform = Some(Arc::new(image.platform.clone()));
        }
        stage.image = SharedImage(image);
        stage.image_mut().created = None;
    }
    Resolved::Done(pending)
}

/// Replaces a base image by the named context of the same name.
fn replace_image(
    stages: &mut Stages<'_>,
    id: StageId,
    platform: Arc<Platform>,
    loaded: Loaded,
) -> Resolved {
    let (state, image, pending) = match loaded {
        Loaded::Needs(needs) => return Resolved::Missing(needs),
        Loaded::Ready {
            state,
            image,
            pending,
        } => (state, image, pending),
    };
    let stage = &mut stages[id];
    let image = image.unwrap_or_else(|| Arc::new(start::empty_image(&platform)));
    stage.image = SharedImage(image);
    if stage.image.created.is_some() {
        stage.image_mut().created = None;
    }
    stage.base_image = Some(stage.image.0.clone());
    stage.state = state.with_platform(&platform);
    stage.platform = Some(platform);
    Resolved::Done(pending)
}
