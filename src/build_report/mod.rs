//! Reports about finished builds, for people and programs. Pure: no I/O.
//!
//! A [`BuildReport`] is made from the result of a [`Display`](crate::progress::Display) (its
//! [`Summary`](crate::progress::Summary)) and from the build's outcome. It is rendered in one of
//! the [`Format`]s: an HTML page that needs no network, Markdown for `$GITHUB_STEP_SUMMARY`, JSON,
//! JUnit XML, and GitLab's code quality report.

mod code_quality;
mod critical;
mod html;
mod json;
mod junit;
mod layers;
mod markdown;
mod text;

use std::path::Path;

use crate::progress::{FailedStep, Timeline, TimelineStep, Warning};

/// The result of a build.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// It succeeded.
    #[default]
    Succeeded,
    /// It failed.
    Failed,
    /// It was cancelled.
    Cancelled,
}

/// The content of a report.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct BuildReport {
    /// The title, for example the image's first name.
    pub title: String,
    /// The result of the build.
    pub status: Status,
    /// The steps and their times.
    pub timeline: Timeline,
    /// The platforms.
    pub platforms: Vec<String>,
    /// The names of the image.
    pub names: Vec<String>,
    /// The digest of the exported image.
    pub digest: Option<String>,
    /// The ids of the builds in the daemons' histories.
    pub build_refs: Vec<String>,
    /// The images that were exported, with their layers.
    pub images: Vec<ImageReport>,
    /// The provenance of the build.
    pub provenance: Vec<ProvenanceReport>,
    /// The remote sources of the build with their digests, from the provenance.
    pub sources: Vec<BuildSource>,
    /// The warnings.
    pub warnings: Vec<Warning>,
    /// The failure, if the build failed.
    pub failure: Option<FailureReport>,
}

/// An image of one platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageReport {
    /// The target of a bake file; empty for a single build.
    pub target: String,
    /// The platform; empty if unknown.
    pub platform: String,
    /// The digest of its manifest, or its id in a store without manifests.
    pub digest: String,
    /// True if the sizes are those of unpacked files, not of compressed layers.
    pub is_unpacked: bool,
    /// Its layers, lowest first.
    pub layers: Vec<LayerReport>,
}

/// A layer of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerReport {
    /// The digest; empty if unknown.
    pub digest: String,
    /// The size in bytes.
    pub size: u64,
    /// The instruction that made it, from the image's history; empty if unknown.
    pub created_by: String,
}

/// The provenance of a build for one platform. Fields that it lacks are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvenanceReport {
    /// The platform; empty if unknown.
    pub platform: String,
    /// The version of the provenance, for example `https://slsa.dev/provenance/v1`.
    pub predicate_type: String,
    /// The digest of the document.
    pub digest: String,
    /// The id of the builder.
    pub builder: String,
    /// The kind of build, a URI.
    pub build_type: String,
    /// The builder's id of the build.
    pub invocation: String,
}

/// A remote source of a build.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct BuildSource {
    /// The URI, for example `pkg:docker/alpine@3?platform=linux%2Famd64`.
    pub uri: String,
    /// The digest, for example `sha256:…`; empty if unknown.
    pub digest: String,
}

/// The failure of a build.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct FailureReport {
    /// The error.
    pub message: String,
    /// The lines of the Dockerfile, or others that explain the error; may be empty.
    pub excerpt: String,
    /// The failed steps, with the end of their output.
    pub steps: Vec<FailedStep>,
}

/// The formats of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// One page, `.html`.
    Html,
    /// `.md`, as GitHub renders it.
    Markdown,
    /// `.json`.
    Json,
    /// JUnit XML, `.junit` or `.xml`: a test suite per platform, a test case per step.
    Junit,
    /// GitLab's code quality report, `.codequality.json`: the warnings with their lines.
    CodeQuality,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [
        Self::Html,
        Self::Markdown,
        Self::Json,
        Self::Junit,
        Self::CodeQuality,
    ];

    /// Returns the format's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Markdown => "md",
            Self::Json => "json",
            Self::Junit => "junit",
            Self::CodeQuality => "codequality",
        }
    }

    /// Returns the format with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Returns the format for a file's name.
    pub fn of_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let (stem, suffix) = name.rsplit_once('.')?;
        match suffix {
            "html" | "htm" => Some(Self::Html),
            "md" | "markdown" => Some(Self::Markdown),
            "json" if stem.ends_with(".codequality") || stem == "gl-code-quality-report" => {
                Some(Self::CodeQuality)
            }
            "json" => Some(Self::Json),
            "xml" | "junit" => Some(Self::Junit),
            _ => None,
        }
    }
}

impl BuildReport {
    /// Renders the report.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Html => html::render(self),
            Format::Markdown => markdown::render(self),
            Format::Json => json::render(self),
            Format::Junit => junit::render(self),
            Format::CodeQuality => code_quality::render(self),
        }
    }

    /// Returns the critical path: the steps that determine the length of the build, from its start
    /// to its end.
    pub fn critical_path(&self) -> Vec<&TimelineStep> {
        critical::path(&self.timeline.steps)
    }

    /// The steps by their group. Steps without a platform come first.
    fn groups(&self) -> Vec<(&str, Vec<&TimelineStep>)> {
        let mut groups: Vec<(&str, Vec<&TimelineStep>)> = Vec::new();
        for step in &self.timeline.steps {
            let name = step.group.as_deref().unwrap_or_default();
            match groups.iter_mut().find(|(known, _)| *known == name) {
                Some((_, steps)) => steps.push(step),
                None => groups.push((name, vec![step])),
            }
        }
        groups.sort_by_key(|(name, _)| !name.is_empty());
        groups
    }
}

#[cfg(test)]
mod tests;
