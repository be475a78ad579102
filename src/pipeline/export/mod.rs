//! The attributes of the daemon's exporters: types, names and the rest.

pub(super) mod engine;
pub(super) mod engine_push;
pub(super) mod layouts;
pub(super) mod place;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use solvekit_host::files;

use crate::client::{CacheEntry, Client, DaemonKind, Exporter};
use crate::pipeline::request::output::{is_by_digest, is_true};
use crate::pipeline::run::environment::{LoadTarget, OpenOutput};
use crate::pipeline::{
    BuildRequest, Destination, Entitlement, Error, Folders, Output, OutputKind, check_file,
    check_folder, make_parent,
};
use crate::session::Exports;

/// Checks that need no daemon.
pub(super) fn check(request: &BuildRequest) -> Result<(), Error> {
    let nameless = |output: &Output| output.pushes() && !output.attributes.contains_key("name");
    if request.tags.is_empty() && request.outputs.iter().any(nameless) {
        return Err(Error::PushWithoutName);
    }
    let archive =
        |output: &Output| output.kind == OutputKind::Docker && output.destination.is_some();
    if request.outputs.iter().any(archive) {
        check_docker_archive(request)?;
    }
    let to_standard_output =
        |output: &&Output| output.destination == Some(Destination::StandardOutput);
    if request.outputs.iter().filter(to_standard_output).count() > 1 {
        return Err(Error::SeveralToStandardOutput);
    }
    if request.outputs.iter().filter(|it| it.is_layout()).count() > 1 {
        return Err(Error::SeveralLayouts);
    }
    for output in &request.outputs {
        if let Some(Destination::Path(path)) = &output.destination {
            if output.deletes() && !request.entitlements.contains(&Entitlement::LocalDelete) {
                check_deletion(path, &request.folders)?;
            }
            let is_folder = output.kind == OutputKind::Local || output.is_layout();
            check_destination(is_folder, path)?;
        }
    }
    request.cache_to.iter().try_for_each(check_cache)
}

/// `docker load` takes one image and nothing else.
fn check_docker_archive(request: &BuildRequest) -> Result<(), Error> {
    if !request.attestations.is_empty() {
        return Err(Error::AttestationsForDocker);
    }
    if request.platforms.len() > 1 {
        return Err(Error::SeveralPlatformsForDocker {
            count: request.platforms.len(),
        });
    }
    match request.annotates_index() && request.index_for_annotations {
        true => Err(Error::IndexAnnotations {
            what: "an archive of type=docker",
        }),
        false => Ok(()),
    }
}

/// The destination of a local cache must be writable, unless its errors are ignored.
fn check_cache(cache: &CacheEntry) -> Result<(), Error> {
    let attribute = |key: &str| cache.attrs.get(key).map(String::as_str);
    let is_ignored = attribute("ignore-error").is_some_and(is_true);
    let Some(path) = attribute("dest").filter(|_| cache.kind == "local" && !is_ignored) else {
        return Ok(());
    };
    let path = Path::new(path);
    check_folder(path).map_err(|source| Error::CacheDestination {
        path: path.to_owned(),
        source,
    })
}

/// An engine with Docker's older image store exports one image and drops annotations of an index.
pub(super) async fn check_makes_indexes(client: &Client) -> Result<(), Error> {
    let daemon = client.address().daemon();
    if !daemon.keeps_images() {
        return Ok(());
    }
    match daemon.makes_indexes(&client.workers().await?) {
        true => Ok(()),
        false => Err(Error::IndexAnnotations {
            what: "an image in a Docker engine without containerd's image store",
        }),
    }
}

/// Files may be removed only below the working directory, unless that was allowed: as in buildx.
fn check_deletion(path: &Path, folders: &Folders) -> Result<(), Error> {
    let failed = |source: io::Error| Error::Destination {
        path: path.to_owned(),
        source: source.into(),
    };
    if let Some(here) = &folders.working {
        let here = files::canonical(here).map_err(failed)?;
        let there = resolved(path).map_err(failed)?;
        if there != here && there.starts_with(&here) {
            return Ok(());
        }
    }
    Err(Error::DeletionNotAllowed {
        path: path.to_owned(),
    })
}

/// The path without links and `..`. Its last parts need not exist.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let mut there = path.as_path();
    let mut rest = Vec::new();
    loop {
        match files::canonical(there) {
            Ok(found) => return Ok(rest.iter().rev().fold(found, |path, name| path.join(name))),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Err(error) => match (there.file_name(), there.parent()) {
                (Some(name), Some(parent)) => {
                    rest.push(name.to_owned());
                    there = parent;
                }
                // `..` below a folder that does not exist.
                _ => return Err(error),
            },
        }
    }
}

/// Reports a destination of the wrong kind before the build, not after it.
fn check_destination(is_folder: bool, path: &Path) -> Result<(), Error> {
    let checked = match is_folder {
        true => check_folder(path),
        false => check_file(path),
    };
    checked.map_err(|source| Error::Destination {
        path: path.to_owned(),
        source,
    })
}

/// Receivers for the files of the daemon's exporters; each number is an index into [`exporters`].
pub(super) fn receivers(
    outputs: &[Output],
    standard_output: Option<&Arc<OpenOutput>>,
    load: Option<&LoadTarget>,
) -> Result<Exports, Error> {
    let mut exports = Exports::new();
    for (number, output) in (0..).zip(outputs) {
        exports = match (&output.destination, output.kind) {
            (None, OutputKind::Docker | OutputKind::Oci) => match load.cloned() {
                Some(engine) => exports.with_writer(number, move |_| (engine.open)()),
                None => exports,
            },
            (None, _) => exports,
            // The daemon writes it through the content store.
            (Some(_), _) if output.is_layout() => exports,
            (Some(Destination::Path(path)), OutputKind::Local) if output.deletes() => {
                exports.with_mirror(number, path)
            }
            (Some(Destination::Path(path)), OutputKind::Local) => {
                exports.with_directory(number, path)
            }
            (Some(Destination::Path(path)), _) => {
                let made = make_parent(path);
                made.map_err(|source| Error::Destination {
                    path: path.clone(),
                    source: source.into(),
                })?;
                exports.with_file(number, path)
            }
            (Some(Destination::StandardOutput), _) => {
                let open = standard_output.ok_or(Error::NoStandardOutput)?.clone();
                exports.with_writer(number, move |_| open())
            }
        };
    }
    Ok(exports)
}

/// The outputs that need an exporter, in order. An engine keeps a tagged image even without an
/// output.
///
/// # Errors
/// [`Error::NoEngineToLoad`] for an image to load if the daemon is not an engine and there is no
/// other engine to load it into; [`Error`] also for features that the other engine lacks, such as
/// attestations.
pub(super) fn outputs(
    request: &BuildRequest,
    daemon: DaemonKind,
    load: Option<&LoadTarget>,
) -> Result<Vec<Output>, Error> {
    let mut outputs = request.outputs.clone();
    let is_kept = !request.tags.is_empty() || request.keep_unnamed;
    if outputs.is_empty() && is_kept && daemon.keeps_images() {
        outputs.push(Output::load());
    }
    outputs.retain(|output| output.kind != OutputKind::CacheOnly);
    let loads = |output: &Output| output.kind == OutputKind::Docker && output.destination.is_none();
    if !daemon.keeps_images() && outputs.iter().any(loads) {
        let engine = load.ok_or(Error::NoEngineToLoad)?;
        if !engine.takes_oci {
            check_docker_archive(request)?;
        }
        for output in outputs
            .iter_mut()
            .filter(|it| loads(it) && engine.takes_oci)
        {
            output.kind = OutputKind::Oci;
        }
    }
    // An engine that pushes an image also keeps it, unless the image has no name.
    let is_image =
        |output: &Output| output.kind == OutputKind::Image && !is_by_digest(&output.attributes);
    if daemon.keeps_images() && outputs.iter().any(is_image) {
        outputs.retain(|output| !loads(output));
    }
    Ok(outputs)
}

/// The exporters of the outputs. A Docker engine's own BuildKit exports images with `moby`, which
/// also unpacks them so that containers can be run from them.
pub(super) fn exporters(
    request: &BuildRequest,
    outputs: &[Output],
    daemon: DaemonKind,
) -> Vec<Exporter> {
    let exporter = |output: &Output| {
        let mut attrs = output.attributes.clone();
        let is_image = !matches!(output.kind, OutputKind::Local | OutputKind::Tar);
        if is_image && !attrs.contains_key("name") && !request.tags.is_empty() {
            let names: Vec<String> = request
                .names(output)
                .iter()
                .map(ToString::to_string)
                .collect();
            attrs.insert("name".to_owned(), names.join(","));
        }
        if is_image {
            attrs.extend(request.annotations.clone());
            attrs.retain(|key, _| !Output::OWN.contains(&key.as_str()));
        }
        let kind = match (output.kind, &output.destination) {
            // An engine's own exporter gives every name a tag, but a push by digest must have none.
            (OutputKind::Image, _) if is_by_digest(&attrs) => OutputKind::Image.name(),
            (OutputKind::Image, _) => daemon.image_exporter(),
            (OutputKind::Docker, None) if daemon.keeps_images() => daemon.image_exporter(),
            (kind, _) => kind.name(),
        };
        Exporter {
            kind: kind.to_owned(),
            attrs,
        }
    };
    outputs.iter().map(exporter).collect()
}

#[cfg(test)]
mod tests;
