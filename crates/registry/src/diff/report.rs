//! The result of a comparison: plain values, also as JSON.

use serde::Serialize;
use serde_json::Value;

use crate::oci::{Descriptor, Platform};

/// How images are compared.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Compare the images for this platform only; `None` is all platforms.
    pub platform: Option<Platform>,
    /// Look into every layer that differs, not only into the first.
    pub all_layers: bool,
    /// Times alone are no difference: those of files, of the config and of its history.
    pub ignore_times: bool,
    /// How many files are named of a layer; the others are counted.
    pub files: usize,
    /// How many small text files are shown with the lines that differ.
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

/// Two images and where they differ. The first image is the left one.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ImageDiff {
    /// True if nothing differs that counts.
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
    /// How many manifests of attestations the images have; they are not compared.
    pub attestations: [usize; 2],
}

/// The images for one platform.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PlatformDiff {
    /// The platform, such as `linux/arm64`.
    pub platform: String,
    /// True if nothing differs that counts.
    pub same: bool,
    /// The first image's manifest.
    pub left: Descriptor,
    /// The second image's manifest.
    pub right: Descriptor,
    /// Fields of the manifests that differ, without the digests of config and layers.
    pub manifest: Vec<FieldDiff>,
    /// Fields of the configs that differ, without the digests of layers that differ.
    pub config: Vec<FieldDiff>,
    /// How many more fields differ.
    pub more_fields: usize,
    /// True if only times were different that do not count.
    pub times_ignored: bool,
    /// True if a manifest or config has the same fields, written in another way.
    pub rewritten: bool,
    /// How many layers the images have.
    pub layer_counts: [usize; 2],
    /// The layers that differ, the lowest first.
    pub layers: Vec<LayerDiff>,
}

/// A field of a manifest or config that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FieldDiff {
    /// Its place, such as `config.Env[PATH]` or `history[3].created`.
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
    /// Its place, from 0.
    pub index: usize,
    /// The first image's layer, if it has so many.
    pub left: Option<Descriptor>,
    /// The second image's layer, if it has so many.
    pub right: Option<Descriptor>,
    /// What made the layer, of both images, as far as their histories say.
    pub steps: [Option<String>; 2],
    /// How the layers differ.
    pub how: LayerHow,
    /// The files that differ.
    pub files: FilesDiff,
}

/// How two layers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum LayerHow {
    /// Files are added, removed or changed.
    Files,
    /// Only times of files differ, which do not count.
    Times,
    /// The same files in another order.
    Order,
    /// The same files, with other bytes in the headers of the archive.
    Headers,
    /// The same archive, compressed in another way.
    Compression,
    /// Only one of the images has this layer.
    Missing,
    /// The layers are not archives of files, or not for distribution.
    Opaque,
    /// The layers were not looked into, because one below differs.
    NotCompared,
}

/// The files by which two layers differ.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FilesDiff {
    /// The files, at most [`Options::files`]: by name, those last that differ only in their times.
    pub files: Vec<FileDiff>,
    /// How many files differ.
    pub total: usize,
    /// How many of them differ in nothing but their times.
    pub only_times: usize,
    /// The first files at which the orders of the two archives differ.
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
    /// How the file changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<Difference>,
    /// The first byte at which the content differs, of a small file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte: Option<usize>,
    /// The lines that differ, of a small text file, in the unified format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its path in bytes, and how many files of that path come before it in the archive.
    #[serde(skip)]
    pub(super) key: (Box<[u8]>, usize),
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Change {
    /// Only the second layer has it.
    Added,
    /// Only the first layer has it.
    Removed,
    /// Both have it.
    Changed,
}

/// One way in which a file differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// What differs.
    pub what: What,
    /// How it is in the first layer.
    pub left: String,
    /// How it is in the second layer.
    pub right: String,
}

/// What can differ of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum What {
    /// A file, folder, link or device.
    Type,
    /// The bytes; the values are digests.
    Content,
    /// The number of bytes.
    Size,
    /// The permissions, octal.
    Mode,
    /// User and group.
    Owner,
    /// When it was changed, in seconds since 1970.
    Time,
    /// Where a link leads.
    Link,
    /// The numbers of a device.
    Device,
    /// Extended attributes; the values are the names of those that differ.
    Attributes,
}

impl FileDiff {
    /// True if nothing differs but the time.
    pub fn is_only_time(&self) -> bool {
        let is_time = |difference: &Difference| difference.what == What::Time;
        self.change == Change::Changed && self.differences.iter().all(is_time)
    }

    /// True if this differs.
    pub fn has(&self, what: What) -> bool {
        self.differences
            .iter()
            .any(|difference| difference.what == what)
    }
}

impl PlatformDiff {
    /// Returns the first layer that differs in what counts.
    pub fn first_layer(&self) -> Option<&LayerDiff> {
        let mut layers = self.layers.iter();
        layers.find(|layer| layer.how != LayerHow::Times)
    }
}
