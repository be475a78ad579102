//! The start of a stage: the file system and config of its base image.

use std::sync::Arc;

use super::images::{ImageRequest, ResolvedImage};
use super::lint::Lint;
use super::scope::Scope;
use super::stage::{SharedImage, Stage, StageId, Stages};
use crate::dockerfile::Place;
use crate::llb::{self, Constraints, DEFAULT_PATH, State};
use crate::oci::{Image, Platform, Reference, RootFs};

/// The key of the vertex description that holds the command.
pub(super) const COMMAND: &str = "com.docker.dockerfile.v1.command";

/// Starts with the empty file system.
pub(super) fn from_scratch(scope: &Scope<'_>, stages: &mut Stages<'_>, id: StageId) {
    let stage = &mut stages[id];
    stage.state = State::scratch();
    stage.image = scope.empty_image();
    // The reference ignores FROM's own platform here.
    stage.platform = Some(scope.platforms.target.clone());
    stage.progress.dispatched |= stage.implied;
}

/// Starts with an image whose config is not resolved. Its vertex counts: a later trigger may use
/// the stage after all.
pub(super) fn unneeded(
    scope: &Scope<'_>,
    stages: &mut Stages<'_>,
    id: StageId,
    reference: &Reference,
    platform: Arc<Platform>,
) {
    let stage = &mut stages[id];
    stage.base_name = reference.to_string();
    let name = format!("FROM {reference}");
    let name = stage.steps.next(&name, Some(&platform), None);
    stage.state = source(scope, stage, &reference.to_string(), name, &platform);
    stage.platform = Some(platform);
}

/// Starts with a resolved image.
pub(super) fn from_image(
    scope: &Scope<'_>,
    lint: &mut Lint<'_>,
    stage: &mut Stage<'_>,
    request: &ImageRequest,
    image: &ResolvedImage,
    mut platform: Arc<Platform>,
) {
    if stage.platform.is_none() && scope.platforms.implicit {
        platform = detected(&image.config.platform, &platform, &scope.platforms.build);
    }
    let reference = image
        .reference
        .as_ref()
        .unwrap_or(&request.reference)
        .clone();
    let reference = match &image.digest {
        Some(digest) => reference.with_digest(digest.clone()),
        None => reference,
    };
    let written = std::mem::replace(&mut stage.base_name, reference.to_string());
    stage.base_image = Some(image.config.clone());
    stage.image = SharedImage(image.config.clone());
    stage.image_mut().created = None;
    if is_empty(&image.config) {
        stage.state = State::scratch();
    } else {
        let name = format!("FROM {}", stage.base_name);
        let name = stage.steps.next(&name, Some(&platform), None);
        stage.state = source(scope, stage, &stage.base_name, name, &platform);
        let place = Place::lines(stage.span.unwrap_or_default());
        lint.base_platform(place, &written, &platform, &image.config.platform);
    }
    stage.platform = Some(platform);
}

fn source(
    scope: &Scope<'_>,
    stage: &Stage<'_>,
    reference: &str,
    name: String,
    platform: &Arc<Platform>,
) -> State {
    let constraints = Constraints::new()
        .described(COMMAND, stage.from_text)
        .named(name)
        .at(scope.location(stage.span))
        .on(platform.clone());
    llb::image(reference, scope.options.resolve_mode, constraints)
}

/// True for an image without layers. Old images have no list of layers, only their history.
fn is_empty(image: &Image) -> bool {
    let no_layers = image.rootfs.diff_ids.as_ref().is_none_or(Vec::is_empty);
    no_layers && image.history.iter().all(|entry| entry.empty_layer)
}

/// Returns the platform to build for if none is requested: the image's, if the worker supports it.
fn detected(image: &Platform, target: &Arc<Platform>, worker: &[Platform]) -> Arc<Platform> {
    let same = |platform: &Platform| {
        platform.os == image.os && platform.architecture == image.architecture
    };
    match worker.iter().find(|platform| same(platform)) {
        Some(platform) if !same(target) => Arc::new(platform.clone()),
        _ => target.clone(),
    }
}

/// Returns the config of the empty file system.
pub(super) fn empty_image(platform: &Platform) -> Image {
    let mut image = Image {
        platform: platform.clone(),
        rootfs: RootFs {
            kind: "layers".to_owned(),
            diff_ids: None,
        },
        ..Image::default()
    };
    "/".clone_into(&mut image.config.working_dir);
    if platform.os != "windows" {
        image.config.env.push(format!("PATH={DEFAULT_PATH}"));
    }
    image
}

/// The default PATH of images without one; Windows has none.
pub(super) fn default_path(os: &str) -> Option<&'static str> {
    match os {
        "windows" => None,
        _ => Some(DEFAULT_PATH),
    }
}
