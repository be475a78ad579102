//! Finds the steps of the timeline that made the layers of an image.

mod steps;

use self::steps::Steps;
use super::{BuildReport, ImageReport, LayerReport};
use crate::client::EngineImage;
use crate::oci::{Image, Manifest, history_key};
use crate::progress::TimelineStep;

impl ImageReport {
    /// An image with its layers. They have instructions if the config's history has an entry for
    /// each of them.
    pub fn new(digest: impl Into<String>, manifest: &Manifest, config: &Image) -> Self {
        let history = config.history.iter().filter(|entry| !entry.empty_layer);
        let made_by: Vec<&str> = history.map(|entry| entry.created_by.as_str()).collect();
        let is_known = made_by.len() == manifest.layers.len();
        let layers = manifest.layers.iter().enumerate().map(|(at, layer)| {
            let made_by = made_by.get(at).filter(|_| is_known);
            LayerReport {
                digest: layer.digest.to_string(),
                size: layer.size,
                created_by: made_by.copied().unwrap_or_default().to_owned(),
            }
        });
        Self {
            target: String::new(),
            platform: config.platform.normalized().format_all(),
            digest: digest.into(),
            is_unpacked: false,
            layers: layers.collect(),
        }
    }

    /// An image of an engine's older store.
    pub fn of_engine(image: EngineImage) -> Self {
        let layers = image.layers.into_iter().map(|layer| LayerReport {
            digest: String::new(),
            size: layer.size,
            created_by: layer.created_by,
        });
        Self {
            target: String::new(),
            platform: image.platform.normalized().format_all(),
            digest: image.id,
            is_unpacked: true,
            layers: layers.collect(),
        }
    }

    /// The kind of its sizes, as text.
    pub(super) fn sizes(&self) -> &'static str {
        match self.is_unpacked {
            true => "unpacked",
            false => "compressed",
        }
    }

    /// Its name among the images of a report: target and platform.
    pub(super) fn name(&self) -> String {
        let words = [&*self.target, &*self.platform];
        let words: Vec<&str> = words.into_iter().filter(|it| !it.is_empty()).collect();
        words.join(" ")
    }

    /// The size of all layers in bytes.
    pub fn size(&self) -> u64 {
        let sizes = self.layers.iter().map(|layer| layer.size);
        sizes.fold(0, u64::saturating_add)
    }
}

/// An image, with the steps that made its layers.
pub(super) struct Placed<'a> {
    pub(super) image: &'a ImageReport,
    /// The steps by their layers; `None` if unknown, as for those of the base image.
    steps: Vec<Option<&'a TimelineStep>>,
    /// The number of lowest layers that belong to a base image.
    pub(super) base: usize,
}

/// The images of a report with their steps.
pub(super) fn of(report: &BuildReport) -> Vec<Placed<'_>> {
    let images = report.images.iter();
    let placed = images.map(|image| {
        let steps = steps(report, image);
        let base = steps.iter().take_while(|step| step.is_none()).count();
        Placed {
            image,
            // Without any step, the end of the base image is unknown.
            base: if base == steps.len() { 0 } else { base },
            steps,
        }
    });
    placed.collect()
}

impl<'a> Placed<'a> {
    /// The layers above the base image, with their names as text.
    pub(super) fn own(&self) -> impl Iterator<Item = (&'a str, &'a LayerReport)> {
        let layers = self.image.layers.iter().zip(&self.steps).skip(self.base);
        layers.map(|(layer, step)| {
            let name = match step {
                Some(step) => step.name.as_str(),
                None if layer.created_by.is_empty() => layer.digest.as_str(),
                None => layer.created_by.as_str(),
            };
            (name, layer)
        })
    }

    /// All layers with their steps.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'a LayerReport, Option<&'a TimelineStep>)> {
        let steps = self.steps.iter().copied();
        self.image.layers.iter().zip(steps)
    }

    /// The size of the base image's layers in bytes.
    pub(super) fn base_size(&self) -> u64 {
        let layers = self.image.layers.iter().take(self.base);
        layers.map(|layer| layer.size).fold(0, u64::saturating_add)
    }
}

/// Walks through the layers from the last one down. The last step of the last stage made the last
/// layer, the step that it is based on the layer below, and so on to the base image.
fn steps<'a>(report: &'a BuildReport, image: &'a ImageReport) -> Vec<Option<&'a TimelineStep>> {
    let steps = Steps::of(&report.timeline.steps, image);
    let mut found = vec![None; image.layers.len()];
    let mut above = None;
    for (layer, place) in image.layers.iter().zip(&mut found).rev() {
        let key = history_key(&layer.created_by);
        let step = match above {
            None => steps.last(&key),
            Some(above) => steps.below(above, &key),
        };
        *place = step.map(|step| steps.step(step));
        above = step.or(above);
    }
    found
}

#[cfg(test)]
mod tests;
