//! The result of a comparison: plain values, also as JSON.

use serde::Serialize;
use serde_json::Value;

use crate::oci::{Descriptor, Platform};

/// The options of a comparison.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The platform to compare; `None` for all platforms.
    pub platform: Option<Platform>,
    /// True to look into every layer that differs, not only into the first.
    pub all_layers: bool,
    /// True to ignore times: those of files, of the config and of its history.
    pub ignore_times: bool,
    /// The most files listed for a layer; the others are counted.
    pub files: usize,
    /// The most small text files shown with their different lines.
    pub texts: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            platform: None,
            all_layers: false,
            ignore_times: false,
            files: 1000,
            texts: 10,
        }
    }
}

/// Two images and their differences. The first image is the left one.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ImageDiff {
    /// True if there is no difference, except ignored ones.
    pub same: bool,
    /// The root of the first image: its index or manifest.
    pub left: Descriptor,
    /// The root of the second image.
    pub right: Descriptor,
    /// Fields of the indexes that differ, without the manifests.
    pub index: Vec<FieldDiff>,
    /// The platforms that both images have.
    pub platforms: Vec<PlatformDiff>,
    /// The platforms that only the first image has.
    pub only_left: Vec<String>,
    /// The platforms that only the second image has.
    pub only_right: Vec<String>,
    /// The number of attestation manifests of each image; they are not compared.
    pub attestations: [usize; 2],
}

/// The images for one platform.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PlatformDiff {
    /// The platform, such as `linux/arm64`.
    pub platform: String,
    /// True if there is no difference, except ignored ones.
    pub same: bool,
    /// The first image's manifest.
    pub left: Descriptor,
    /// The second image's manifest.
    pub right: Descriptor,
    /// Fields of the manifests that differ, without the digests of config and layers.
    pub manifest: Vec<FieldDiff>,
    /// Fields of the configs that differ, without the digests of layers that differ.
    pub config: Vec<FieldDiff>,
    /// The number of further fields that differ.
    pub more_fields: usize,
    /// True if differences of times were ignored.
    pub times_ignored: bool,
    /// True if a manifest or config has the same fields in another encoding.
    pub rewritten: bool,
    /// The number of layers of each image.
    pub layer_counts: [usize; 2],
    /// The layers that differ, the lowest first.
    pub layers: Vec<LayerDiff>,
}

/// A field of a manifest or config that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FieldDiff {
    /// Its path, such as `config.Env[PATH]` or `history[3].created`.
    pub name: String,
    /// Its value in the first image, if it has one.
    pub left: Option<Value>,
    /// Its value in the second image, if it has one.
    pub right: Option<Value>,
}

/// A layer that differs.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LayerDiff {
    /// Its position, from 0.
    pub index: usize,
    /// The first image's layer, if it has that many.
    pub left: Option<Descriptor>,
    /// The second image's layer, if it has that many.
    pub right: Option<Descriptor>,
    /// The step that created the layer, for each image whose history names it.
    pub steps: [Option<String>; 2],
    /// The kind of difference.
    pub how: LayerHow,
    /// The files that differ.
    pub files: FilesDiff,
}

/// The kind of difference between two layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum LayerHow {
    /// Files were added, removed or changed.
    Files,
    /// Only times of files differ, which are ignored.
    Times,
    /// The files are the same, in another order.
    Order,
    /// The files are the same, but the archive's headers have other bytes.
    Headers,
    /// The archives are the same, but compressed differently.
    Compression,
    /// Only one of the images has this layer.
    Missing,
    /// The layers are not archives of files, or may not be distributed.
    Opaque,
    /// The layers were not compared, because a lower layer differs.
    NotCompared,
}

/// The files that differ between two layers.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FilesDiff {
    /// The files, at most [`Options::files`], by name; files with only different times come last.
    pub files: Vec<FileDiff>,
    /// The number of files that differ.
    pub total: usize,
    /// The number of files that differ only in their times.
    pub only_times: usize,
    /// The first files at which the order of the two archives differs.
    pub order: Option<[String; 2]>,
}

/// A file that differs.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FileDiff {
    /// The path. Bytes that are not UTF-8 are replaced.
    pub path: String,
    /// The kind of change.
    pub change: Change,
    /// The differences of a changed file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// The offset of the first different byte of a small file's content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte: Option<usize>,
    /// The different lines of a small text file, in the unified format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its path in bytes, and the number of earlier entries with that path.
    #[serde(skip)]
    pub(super) key: (Box<[u8]>, usize),
}

/// The kind of change of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Change {
    /// Only the second layer has the file.
    Added,
    /// Only the first layer has the file.
    Removed,
    /// Both layers have the file.
    Changed,
}

/// One difference of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// The property that differs.
    pub what: What,
    /// The value in the first layer.
    pub left: String,
    /// The value in the second layer.
    pub right: String,
}

/// A property of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum What {
    /// The type: file, folder, link or device.
    Type,
    /// The bytes; the values are digests.
    Content,
    /// The number of bytes.
    Size,
    /// The permissions, octal.
    Mode,
    /// User and group.
    Owner,
    /// The modification time, in seconds since 1970.
    Time,
    /// The target of a link.
    Link,
    /// The numbers of a device.
    Device,
    /// Extended attributes; the values are the names of those that differ.
    Attributes,
}

impl FileDiff {
    /// True if only the time differs.
    pub fn is_only_time(&self) -> bool {
        let is_time = |difference: &Difference| difference.what == What::Time;
        self.change == Change::Changed && self.differences.iter().all(is_time)
    }

    /// True if this property differs.
    pub fn has(&self, what: What) -> bool {
        self.differences
            .iter()
            .any(|difference| difference.what == what)
    }
}

impl PlatformDiff {
    /// Returns the first layer that differs, except in ignored properties.
    pub fn first_layer(&self) -> Option<&LayerDiff> {
        let mut layers = self.layers.iter();
        layers.find(|layer| layer.how != LayerHow::Times)
    }
}
