//! Compares two images: their indexes, then the images of each platform.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{Fields, is_time};
use super::images::{Image, Images, config};
use super::layers::{Sources, unequal};
use super::{Error, FieldDiff, ImageDiff, LayerDiff, LayerHow, Options, PlatformDiff};
use crate::oci;
use crate::transfer::Source;

/// Compares two images. Only layers that differ are read.
///
/// # Errors
/// If one of the images cannot be read, or does not have the platform.
pub async fn compare(left: &Source, right: &Source, options: &Options) -> Result<ImageDiff, Error> {
    let platform = options.platform.as_ref();
    let (a, b) = tokio::try_join!(Images::of(left, platform), Images::of(right, platform))?;
    let index = match (&a.index, &b.index) {
        // An index of one image and the image alone have different digests.
        (Some(a), Some(b)) => index_fields(a, b, options),
        _ => Vec::new(),
    };
    let mut diff = ImageDiff {
        same: false,
        left: a.root,
        right: b.root,
        index,
        platforms: Vec::new(),
        only_left: Vec::new(),
        only_right: Vec::new(),
        attestations: [a.attestations, b.attestations],
    };
    let sources = Sources { left, right };
    // Images selected for a platform are compared, whatever platform they name themselves.
    let name = |image: &Image| match &options.platform {
        Some(platform) => platform.normalized().format_all(),
        None => image.platform.normalized().format_all(),
    };
    let mut others: BTreeMap<String, Vec<Image>> = BTreeMap::new();
    // Several images can have one platform: they are paired in their order.
    for image in b.images.into_iter().rev() {
        others.entry(name(&image)).or_default().push(image);
    }
    for image in a.images {
        let name = name(&image);
        let other = others.get_mut(&name).and_then(Vec::pop);
        match other {
            Some(other) => {
                let compared = sources.images(name, &image, &other, options).await?;
                diff.platforms.push(compared);
            }
            None => diff.only_left.push(name),
        }
    }
    let left_over = others.into_iter();
    let left_over =
        left_over.flat_map(|(name, images)| images.into_iter().map(move |_| name.clone()));
    diff.only_right = left_over.collect();
    diff.same = diff.index.is_empty()
        && diff.only_left.is_empty()
        && diff.only_right.is_empty()
        && diff.platforms.iter().all(|platform| platform.same);
    Ok(diff)
}

/// Compares the fields of indexes, except their manifests, which are compared one by one.
fn index_fields(left: &Value, right: &Value, options: &Options) -> Vec<FieldDiff> {
    let [left, right] = [left, right].map(|index| {
        let mut index = index.clone();
        if let Value::Object(fields) = &mut index {
            fields.remove("manifests");
        }
        index
    });
    let mut found = Fields::between(&left, &right).fields;
    found.retain(|field| !(options.ignore_times && is_time(&field.name)));
    found
}

impl Sources<'_> {
    async fn images(
        &self,
        platform: String,
        left: &Image,
        right: &Image,
        options: &Options,
    ) -> Result<PlatformDiff, Error> {
        let mut diff = PlatformDiff {
            platform,
            same: left.descriptor.digest == right.descriptor.digest,
            left: left.descriptor.clone(),
            right: right.descriptor.clone(),
            manifest: Vec::new(),
            config: Vec::new(),
            more_fields: 0,
            times_ignored: false,
            rewritten: false,
            layer_counts: [left.manifest.layers.len(), right.manifest.layers.len()],
            layers: Vec::new(),
        };
        if diff.same {
            return Ok(diff);
        }
        let (a, b) = tokio::try_join!(
            config(self.left, left.manifest.config.as_ref()),
            config(self.right, right.manifest.config.as_ref()),
        )?;
        let steps = [steps(&a), steps(&b)];
        let (layers, others) = (&left.manifest.layers, &right.manifest.layers);
        diff.layers = unequal(layers, others, [&steps[0], &steps[1]]);
        let both = layers.len().min(others.len());
        let [a_json, b_json] = [left, right].map(|image| without_blobs(&image.json, both));
        let manifests = Fields::between(&a_json, &b_json);
        let configs = Fields::between(&a, &b);
        let digest = |image: &Image| image.manifest.config.as_ref().map(|it| it.digest.clone());
        let same_config = digest(left) == digest(right);
        let config_is_rewritten = !same_config && configs.fields.is_empty();
        let manifest_is_rewritten =
            same_config && diff.layers.is_empty() && manifests.fields.is_empty();
        diff.rewritten = config_is_rewritten || manifest_is_rewritten;
        diff.take_fields(manifests, configs, options);
        self.layers(&mut diff.layers, options).await?;
        let is_ignored = |layer: &LayerDiff| layer.how == LayerHow::Times;
        diff.times_ignored |= diff.layers.iter().any(is_ignored);
        diff.same = diff.times_ignored
            && !diff.rewritten
            && diff.manifest.is_empty()
            && diff.config.is_empty()
            && diff.more_fields == 0
            && diff.layers.iter().all(is_ignored);
        Ok(diff)
    }

    /// Looks into the first layer that differs, or into all.
    async fn layers(&self, layers: &mut [LayerDiff], options: &Options) -> Result<(), Error> {
        for layer in layers {
            if layer.how == LayerHow::NotCompared {
                self.look_into(layer, options).await?;
            }
            if layer.how != LayerHow::Times && !options.all_layers {
                return Ok(());
            }
        }
        Ok(())
    }
}

impl PlatformDiff {
    fn take_fields(&mut self, mut manifest: Fields, mut config: Fields, options: &Options) {
        let layers: Vec<usize> = self.layers.iter().map(|layer| layer.index).collect();
        let [a, b] = self.layer_counts;
        let mut times = false;
        let mut keep = |field: &FieldDiff| {
            let is_ignored = options.ignore_times && is_time(&field.name);
            times |= is_ignored;
            // The digests of layers follow from the layers.
            let follows = field.name == "rootfs.diff_ids" && (a != b || !layers.is_empty());
            !is_ignored && !follows
        };
        manifest.fields.retain(&mut keep);
        config.fields.retain(&mut keep);
        self.times_ignored = times;
        self.more_fields = manifest.more + config.more;
        (self.manifest, self.config) = (manifest.fields, config.fields);
    }
}

/// Returns a manifest without the digests and sizes of its blobs, which are compared as blobs, and
/// with at most `layers` layers.
fn without_blobs(manifest: &Value, layers: usize) -> Value {
    let mut manifest = manifest.clone();
    let strip = |blob: &mut Value| {
        if let Value::Object(fields) = blob {
            fields.retain(|key, _| !matches!(key.as_str(), "digest" | "size" | "data"));
        }
    };
    // A manifest that is not an object has neither.
    if let Some(config) = manifest.get_mut("config") {
        strip(config);
    }
    if let Some(Value::Array(all)) = manifest.get_mut("layers") {
        all.truncate(layers);
        all.iter_mut().for_each(strip);
    }
    manifest
}

/// Returns the step that created each layer, if the history has an entry for each of them.
fn steps(config: &Value) -> Vec<String> {
    let config: oci::Image = serde_json::from_value(config.clone()).unwrap_or_default();
    let count = config.rootfs.diff_ids.map_or(0, |layers| layers.len());
    let steps = config
        .history
        .into_iter()
        .filter(|entry| !entry.empty_layer);
    let steps: Vec<String> = steps.map(|entry| entry.created_by).collect();
    match steps.len() == count {
        true => steps,
        false => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
