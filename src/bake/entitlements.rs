//! Entitlements: privileges that targets need beyond a build of the working directory, and those
//! that the user grants.
//!
//! Follows buildx's `bake/entitlements.go`, with three differences: a granted device is not
//! requested again, a path that does not exist yet can be granted by itself, and image layouts need
//! a grant.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use solvekit_bake::remote::{is_git_over_ssh, is_remote};
use solvekit_bake::target::{Cache, Output, Secret, Ssh, Target, csv_fields};

use super::real_path::real_path;
use super::{Found, Machine, Plan};
use crate::layout::LayoutReference;

/// The prefix of a path in the working directory.
const WORKING_DIRECTORY: &str = "cwd://";
/// The type of a local output or cache.
const LOCAL: &str = "local";

/// Why the paths of targets cannot be compared with the granted ones.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntitlementError {
    /// A symbolic link or folder in the path cannot be read.
    #[error("cannot find out where the path {path} leads")]
    Path {
        /// The path as given.
        path: String,
        /// The cause.
        source: io::Error,
    },
    /// A device cannot be parsed.
    #[error("the device {device:?} cannot be read")]
    Device {
        /// The text after `device=`.
        device: String,
    },
}

/// A set of privileges: granted ones, or missing ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entitlements {
    /// Steps may use the network of the daemon's machine.
    pub network_host: bool,
    /// Steps may run privileged.
    pub security_insecure: bool,
    /// Steps may use any device.
    pub all_devices: bool,
    /// Steps may use these devices.
    pub devices: BTreeSet<String>,
    /// Steps may use the user's SSH agent.
    pub ssh: bool,
    /// Outputs may delete files in their folder.
    pub local_delete: bool,
    /// Files and folders that may be read; `*` means all.
    pub read: BTreeSet<String>,
    /// Files and folders that may be written; `*` means all.
    pub write: BTreeSet<String>,
}

impl Entitlements {
    /// Grants the privilege in a text such as `fs.read=/data`. False if it is unknown.
    pub fn grant(&mut self, text: &str) -> bool {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        let value = value.to_owned();
        match key {
            "network.host" => self.network_host = true,
            "security.insecure" => self.security_insecure = true,
            "ssh" => self.ssh = true,
            "buildx.local.delete" => self.local_delete = true,
            "device" if value.is_empty() => self.all_devices = true,
            "device" => match device_name(&value) {
                Some(name) => drop(self.devices.insert(name)),
                None => return false,
            },
            "fs.read" => drop(self.read.insert(value)),
            "fs.write" => drop(self.write.insert(value)),
            "fs" => {
                self.read.insert(value.clone());
                self.write.insert(value);
            }
            "image" | "image.push" | "image.load" => {}
            _ => return false,
        }
        true
    }

    /// Grants what an override `TARGET.KEY=VALUE` names, so that the user need not repeat it.
    pub fn grant_override(&mut self, text: &str) {
        let Some((left, value)) = text.split_once('=') else {
            return;
        };
        let key = left.strip_suffix('+').unwrap_or(left).split_once('.');
        let Some((_, key)) = key else { return };
        match key.split('.').next().unwrap_or_default() {
            "entitlements" if ["network.host", "security.insecure"].contains(&value) => {
                self.grant(value);
            }
            "cache-from" => self.read.extend(cache_paths(&entries(value), "src")),
            "cache-to" => self.write.extend(cache_paths(&entries(value), "dest")),
            "output" => self
                .write
                .extend(Output::parse(value).ok().and_then(written)),
            "ssh" => self.read.extend(Ssh::parse(value).paths),
            "secret" | "secrets" => {
                let secret = Secret::parse(value).ok().map(|secret| secret.path);
                self.read.extend(secret.filter(|path| !path.is_empty()));
            }
            _ => {}
        }
    }

    /// The privileges that the targets need and `self` lacks. The working directory is always
    /// granted.
    ///
    /// # Errors
    /// If a path cannot be resolved, or a device has no name.
    pub fn missing(
        &self,
        plan: &Plan,
        working_directory: &Path,
        machine: &dyn Machine,
    ) -> Result<Self, EntitlementError> {
        let mut asked = Self::default();
        for target in plan.targets.values() {
            asked.add_target(target, machine)?;
        }
        let lacks_device = |name: &String| !self.all_devices && !self.devices.contains(name);
        Ok(Self {
            network_host: asked.network_host && !self.network_host,
            security_insecure: asked.security_insecure && !self.security_insecure,
            all_devices: asked.all_devices && !self.all_devices,
            devices: asked.devices.into_iter().filter(lacks_device).collect(),
            ssh: asked.ssh && !self.ssh,
            local_delete: asked.local_delete && !self.local_delete,
            read: missing_paths(&self.read, &asked.read, working_directory)?,
            write: missing_paths(&self.write, &asked.write, working_directory)?,
        })
    }

    /// The same without the files and the SSH agent.
    pub fn without_files(self) -> Self {
        Self {
            ssh: false,
            read: BTreeSet::new(),
            write: BTreeSet::new(),
            ..self
        }
    }

    /// True if the set is empty.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn add_target(
        &mut self,
        target: &Target,
        machine: &dyn Machine,
    ) -> Result<(), EntitlementError> {
        for text in &target.entitlements {
            match text.split_once('=').unwrap_or((text, "")) {
                ("network.host", _) => self.network_host = true,
                ("security.insecure", _) => self.security_insecure = true,
                ("buildx.local.delete", _) => self.local_delete = true,
                ("device", "") => self.all_devices = true,
                ("device", device) => {
                    let name = device_name(device).ok_or_else(|| EntitlementError::Device {
                        device: device.to_owned(),
                    })?;
                    self.devices.insert(name);
                }
                _ => {}
            }
        }
        self.network_host |= target.network.as_deref() == Some("host");
        self.read.extend(context_paths(target, machine));
        let from = target.cache_from.iter().flatten();
        self.read.extend(from.flat_map(|it| cache_path(it, "src")));
        let to = target.cache_to.iter().flatten();
        self.write.extend(to.flat_map(|it| cache_path(it, "dest")));
        let secrets = target.secrets.iter();
        self.read
            .extend(secrets.filter_map(|it| secret_path(it, machine)));
        let context = target.context.as_deref().unwrap_or_default();
        self.ssh |= target.ssh.is_empty() && is_git_over_ssh(context);
        for agent in &target.ssh {
            self.ssh |= agent.paths.iter().all(String::is_empty);
            self.read.extend(agent.paths.iter().cloned());
        }
        for output in target.outputs.iter().flatten() {
            let mode = output.attributes.get("mode");
            let deletes = mode.is_some_and(|mode| mode == "delete");
            self.local_delete |= output.kind == LOCAL && deletes;
            self.write.extend(written(output.clone()));
        }
        Ok(())
    }
}

/// The name of a device without its alias.
fn device_name(text: &str) -> Option<String> {
    let name = csv_fields(text).ok()?.into_iter().next()?;
    (!name.is_empty()).then_some(name)
}

/// The local contexts and the local Dockerfile of a target.
fn context_paths(target: &Target, machine: &dyn Machine) -> Vec<String> {
    let main = local(target.context.as_deref().unwrap_or("."), machine);
    let dockerfile = target.dockerfile.as_deref().unwrap_or("Dockerfile");
    let own = dockerfile.strip_prefix(WORKING_DIRECTORY);
    let dockerfile = match (own, main) {
        _ if is_remote(dockerfile) || target.dockerfile_inline.is_some() => None,
        (Some(path), _) => Some(path.to_owned()),
        (None, Some(folder)) => Some(Path::new(folder).join(dockerfile).display().to_string()),
        // An absolute path is local even if the context is remote.
        (None, None) => Some(dockerfile.to_owned()).filter(|path| path.starts_with('/')),
    };
    let named = target.contexts.values();
    let named = named.filter_map(|text| local(text, machine));
    let folders = main.into_iter().chain(named).map(str::to_owned);
    let layouts = target.contexts.values().filter_map(|text| layout(text));
    folders.chain(layouts).chain(dockerfile).collect()
}

/// The folder of an image layout, which needs a grant like any other. (buildx takes the whole text
/// as a path in the working directory, so it never asks.)
fn layout(context: &str) -> Option<String> {
    let layout = LayoutReference::parse(context).ok()?;
    Some(layout.path.display().to_string())
}

/// The path of a local context. An existing folder is local, even if its name looks like a URL.
fn local<'a>(context: &'a str, machine: &dyn Machine) -> Option<&'a str> {
    let path = context.strip_prefix(WORKING_DIRECTORY).unwrap_or(context);
    if matches!(machine.look(path), Ok(Found::Folder)) {
        return Some(path);
    }
    let elsewhere = ["target:", "docker-image:"];
    let is_elsewhere = elsewhere.iter().any(|start| context.starts_with(start));
    (!is_elsewhere && !is_remote(context)).then_some(path)
}

fn entries(text: &str) -> Vec<Cache> {
    Cache::parse_entries(text).unwrap_or_default()
}

fn cache_paths<'a>(caches: &'a [Cache], key: &'a str) -> impl Iterator<Item = String> + 'a {
    caches
        .iter()
        .filter_map(move |cache| cache_path(cache, key))
}

fn cache_path(cache: &Cache, key: &str) -> Option<String> {
    let path = cache.attributes.get(key);
    path.filter(|_| cache.kind == LOCAL).cloned()
}

/// The file or folder that an output writes; `None` for the standard output.
fn written(output: Output) -> Option<String> {
    let path = Some(output.destination);
    path.filter(|path| !path.is_empty() && path != "-")
}

/// The file of a secret. A secret with only an id is the variable of that name if it is set, else
/// the file.
fn secret_path(secret: &Secret, machine: &dyn Machine) -> Option<String> {
    let path = match (secret.path.as_str(), secret.variable.as_str()) {
        ("", "") if machine.variable(&secret.id).is_none() => &secret.id,
        (path, _) => path,
    };
    (!path.is_empty()).then(|| path.to_owned())
}

/// The paths outside of all granted ones. The content of a listed folder is not listed.
fn missing_paths(
    granted: &BTreeSet<String>,
    asked: &BTreeSet<String>,
    working_directory: &Path,
) -> Result<BTreeSet<String>, EntitlementError> {
    if granted.contains("*") {
        return Ok(BTreeSet::new());
    }
    let real = |path: &String| {
        let found = real_path(&working_directory.join(path));
        found.map_err(|source| EntitlementError::Path {
            path: path.clone(),
            source,
        })
    };
    let granted = granted.iter().map(real);
    let mut granted: BTreeSet<PathBuf> = granted.collect::<Result<_, _>>()?;
    granted.insert(real(&String::new())?);
    let is_in = |set: &BTreeSet<PathBuf>, path: &Path| path.ancestors().any(|it| set.contains(it));
    let asked = asked.iter().map(real);
    // In sorted order a folder comes before its content.
    let asked: BTreeSet<PathBuf> = asked.collect::<Result<_, _>>()?;
    let mut missing = BTreeSet::new();
    for path in asked {
        if !is_in(&granted, &path) && !is_in(&missing, &path) {
            missing.insert(path);
        }
    }
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    Ok(missing.into_iter().map(text).collect())
}

#[cfg(test)]
mod tests;
