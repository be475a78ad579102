//! Reports of a build that has ended, for people and programs. Pure: no I/O.
//!
//! A [`BuildReport`] is made of what a [`Display`](crate::progress::Display) has seen (its
//! [`Summary`](crate::progress::Summary)) and of the build's outcome. It is rendered as one of the
//! [`Format`]s: a page of HTML that needs no network, Markdown for `$GITHUB_STEP_SUMMARY`, JSON,
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

/// How a build ended.
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

/// What a report says of a build.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct BuildReport {
    /// What was built, for example the image's first name.
    pub title: String,
    /// How it ended.
    pub status: Status,
    /// The steps and their times.
    pub timeline: Timeline,
    /// The platforms.
    pub platforms: Vec<String>,
    /// The names that the image was given.
    pub names: Vec<String>,
    /// The digest of what was exported.
    pub digest: Option<String>,
    /// The builds by the names of the daemons' histories.
    pub build_refs: Vec<String>,
    /// The images that were exported, with their layers.
    pub images: Vec<ImageReport>,
    /// How it was built, in the words of its provenance.
    pub provenance: Vec<ProvenanceReport>,
    /// What the build read from elsewhere: a URI and a digest each, as the provenance has them.
    pub sources: Vec<BuildSource>,
    /// The warnings.
    pub warnings: Vec<Warning>,
    /// Why it failed.
    pub failure: Option<FailureReport>,
}

/// An image of one platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageReport {
    /// The target of a bake file; empty for a build alone.
    pub target: String,
    /// The platform; empty if unknown.
    pub platform: String,
    /// The digest of its manifest, or its id in a store that has no manifests.
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
    /// The instruction that made it, as the image's history has it; empty if unknown.
    pub created_by: String,
}

/// How a build of one platform was made. Fields are empty if the provenance lacks them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvenanceReport {
    /// The platform; empty if unknown.
    pub platform: String,
    /// Its version, for example `https://slsa.dev/provenance/v1`.
    pub predicate_type: String,
    /// The digest of the document.
    pub digest: String,
    /// The id of the builder.
    pub builder: String,
    /// What kind of build it was, a URI.
    pub build_type: String,
    /// The builder's id of the build.
    pub invocation: String,
}

/// Something that a build read from elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct BuildSource {
    /// For example `pkg:docker/alpine@3?platform=linux%2Famd64`.
    pub uri: String,
    /// For example `sha256:…`; empty if unknown.
    pub digest: String,
}

/// Why a build failed.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct FailureReport {
    /// The error.
    pub message: String,
    /// The lines of the Dockerfile, or others that explain the error; may be empty.
    pub excerpt: String,
    /// The steps that failed, with the end of their output.
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

    /// Returns the format with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Returns the format that a file's name asks for.
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

    /// Returns the steps that the length of the build depends on, from its start to its end.
    pub fn critical_path(&self) -> Vec<&TimelineStep> {
        critical::path(&self.timeline.steps)
    }

    /// The steps by their group: those of no platform first.
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
