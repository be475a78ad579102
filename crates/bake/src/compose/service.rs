//! Services and secrets as typed values, with the attributes that a build needs.

use std::collections::BTreeMap;

use super::{
    canonical::wrong_type,
    fields::Fields,
    path::Path,
    yaml::{Node, Place},
};
use crate::diagnostic::Diagnostic;

/// A service.
pub(super) struct Service {
    pub(super) place: Place,
    pub(super) image: String,
    pub(super) build: Option<Build>,
    /// Variables; one without a value takes the project's.
    pub(super) environment: BTreeMap<String, Option<String>>,
    pub(super) env_files: Vec<EnvFile>,
}

/// A file of variables.
pub(super) struct EnvFile {
    pub(super) place: Place,
    pub(super) path: String,
    pub(super) is_required: bool,
    pub(super) format: String,
}

/// The `build` of a service. Empty text means unset.
pub(super) struct Build {
    pub(super) place: Place,
    pub(super) context: String,
    pub(super) dockerfile: String,
    pub(super) dockerfile_inline: String,
    pub(super) args: BTreeMap<String, Option<String>>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) additional_contexts: BTreeMap<String, String>,
    pub(super) extra_hosts: BTreeMap<String, Vec<String>>,
    /// Paths of keys by id; an empty path means the agent.
    pub(super) ssh: BTreeMap<String, String>,
    /// The names of secrets.
    pub(super) secrets: Vec<(Place, String)>,
    pub(super) cache_from: Vec<String>,
    pub(super) cache_to: Vec<String>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) platforms: Option<Vec<String>>,
    pub(super) no_cache: bool,
    pub(super) pull: bool,
    pub(super) network: String,
    pub(super) target: String,
    pub(super) provenance: String,
    pub(super) sbom: String,
    pub(super) shm_size: i64,
    /// Soft and hard limits by name.
    pub(super) ulimits: BTreeMap<String, (i64, i64)>,
    pub(super) x_bake: Option<Node>,
}

/// A secret of the project.
pub(super) struct Secret {
    pub(super) place: Place,
    pub(super) is_external: bool,
    pub(super) file: String,
    pub(super) environment: String,
}

impl Service {
    pub(super) fn read(node: &Node, path: &Path<'_>) -> Result<Service, Diagnostic> {
        let fields = Fields::of(node, path);
        let build = match fields.map.get("build") {
            None => None,
            Some(node) => Some(Build::read(node, &path.next("build"))?),
        };
        Ok(Service {
            place: node.place.clone(),
            image: fields.text("image")?,
            build,
            environment: fields.variables("environment")?,
            env_files: fields
                .list("env_file")
                .iter()
                .map(|node| EnvFile::read(node, path))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl EnvFile {
    fn read(node: &Node, path: &Path<'_>) -> Result<EnvFile, Diagnostic> {
        let path = &path.next("env_file");
        let fields = Fields::of(node, path);
        Ok(EnvFile {
            place: node.place.clone(),
            path: fields.text("path")?,
            is_required: fields.flag("required")?,
            format: fields.text("format")?,
        })
    }
}

impl Build {
    fn read(node: &Node, path: &Path<'_>) -> Result<Build, Diagnostic> {
        let fields = Fields::of(node, path);
        // Not used, but checked as in the reference.
        fields.flag("privileged")?;
        fields.text("isolation")?;
        Ok(Build {
            place: node.place.clone(),
            context: fields.text("context")?,
            dockerfile: fields.text("dockerfile")?,
            dockerfile_inline: fields.text("dockerfile_inline")?,
            args: fields.variables("args")?,
            labels: fields.texts_by_name("labels"),
            additional_contexts: fields.texts_by_name("additional_contexts"),
            extra_hosts: fields.hosts()?,
            ssh: fields.texts_by_name("ssh"),
            secrets: fields
                .list("secrets")
                .iter()
                .map(|node| secret_name(node, path))
                .collect::<Result<_, _>>()?,
            cache_from: fields.texts("cache_from")?,
            cache_to: fields.texts("cache_to")?,
            tags: fields.optional_texts("tags")?,
            platforms: fields.optional_texts("platforms")?,
            no_cache: fields.flag("no_cache")?,
            pull: fields.flag("pull")?,
            network: fields.text("network")?,
            target: fields.text("target")?,
            provenance: fields.text("provenance")?,
            sbom: fields.text("sbom")?,
            shm_size: fields.size("shm_size")?,
            ulimits: fields.ulimits()?,
            x_bake: fields.map.get("x-bake").cloned(),
        })
    }
}

impl Secret {
    pub(super) fn read(node: &Node, path: &Path<'_>) -> Result<Secret, Diagnostic> {
        let fields = Fields::of(node, path);
        Ok(Secret {
            place: node.place.clone(),
            is_external: fields.flag("external")?,
            file: fields.text("file")?,
            environment: fields.text("environment")?,
        })
    }
}

fn secret_name(node: &Node, path: &Path<'_>) -> Result<(Place, String), Diagnostic> {
    let path = &path.next("secrets");
    let fields = Fields::of(node, path);
    if let Some(mode) = fields.map.get("mode")
        && let Some(text) = mode.as_text()
        && i64::from_str_radix(text, 8).is_err()
    {
        return Err(wrong_type(mode, &path.next("mode"), "an octal number"));
    }
    Ok((node.place.clone(), fields.text("source")?))
}
