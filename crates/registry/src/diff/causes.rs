//! Common causes of differences between images, deduced from the names of files and fields. Pure.

use std::collections::BTreeSet;

use super::{Change, FileDiff, ImageDiff, LayerHow, PlatformDiff, What};

/// A common cause of a difference between two builds of the same Dockerfile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Cause {
    /// The steps of the images differ: another Dockerfile, base image or arguments.
    OtherSteps,
    /// The times in the config and its history.
    CreationTime,
    /// The times of files.
    FileTimes,
    /// Labels, annotations or variables have other values.
    Metadata,
    /// Only the media types of manifests or layers.
    MediaTypes,
    /// Only the compression of layers.
    Compression,
    /// The order of files, or the headers of the archive.
    Order,
    /// The database of the package manager: other versions were installed.
    Packages,
    /// Lists and caches of the package manager.
    PackageCaches,
    /// Log files.
    Logs,
    /// Compiled Python files.
    PythonBytecode,
    /// Caches of the dynamic linker, fonts or manual pages.
    SystemCaches,
    /// Dates of passwords in `/etc/shadow`.
    Passwords,
    /// Randomly generated keys and identifiers.
    Random,
    /// Archives, which contain the times of their files.
    Archives,
    /// Caches of compilers and package managers of languages.
    UserCaches,
    /// The content of other files.
    Content,
    /// The inline cache in the config, which contains times.
    InlineCache,
}

/// Returns the likely causes of the differences between two builds, the most general first.
pub fn causes(diff: &ImageDiff) -> BTreeSet<Cause> {
    let mut causes = BTreeSet::new();
    for platform in diff.platforms.iter().filter(|platform| !platform.same) {
        of_fields(platform, &mut causes);
        of_layers(platform, &mut causes);
    }
    if !diff.index.is_empty() {
        causes.insert(Cause::Metadata);
    }
    causes
}

fn of_fields(platform: &PlatformDiff, causes: &mut BTreeSet<Cause>) {
    for field in &platform.config {
        let name = field.name.as_str();
        if name == "created" || (name.starts_with("history[") && name.ends_with("].created")) {
            causes.insert(Cause::CreationTime);
        } else if name.starts_with("history[") {
            causes.insert(Cause::OtherSteps);
        } else if name.starts_with("moby.buildkit.cache") {
            causes.insert(Cause::InlineCache);
        } else if name != "rootfs.diff_ids" {
            causes.insert(Cause::Metadata);
        }
    }
    for field in &platform.manifest {
        causes.insert(match field.name.ends_with("mediaType") {
            true => Cause::MediaTypes,
            false => Cause::Metadata,
        });
    }
}

fn of_layers(platform: &PlatformDiff, causes: &mut BTreeSet<Cause>) {
    if platform.layer_counts[0] != platform.layer_counts[1] {
        causes.insert(Cause::OtherSteps);
    }
    for layer in &platform.layers {
        match layer.how {
            LayerHow::Compression => drop(causes.insert(Cause::Compression)),
            LayerHow::Order | LayerHow::Headers => drop(causes.insert(Cause::Order)),
            _ => {}
        }
        if layer.steps[0] != layer.steps[1] {
            causes.insert(Cause::OtherSteps);
        }
        for file in &layer.files.files {
            if file.has(What::Time) {
                causes.insert(Cause::FileTimes);
            }
            // The time of a folder changes with the files in it.
            if file.change != Change::Changed || file.has(What::Content) {
                causes.insert(of_file(file));
            }
        }
    }
}

/// Returns the cause that the name of a file suggests.
fn of_file(file: &FileDiff) -> Cause {
    let path = file.path.as_str();
    let is_in = |folders: &[&str]| folders.iter().any(|folder| path.starts_with(folder));
    let ends = |ends: &[&str]| ends.iter().any(|end| path.ends_with(end));
    match path {
        _ if ends(&[".pyc", ".pyo"]) || path.contains("__pycache__") => Cause::PythonBytecode,
        _ if is_in(&[
            "var/lib/dpkg/",
            "lib/apk/db/",
            "usr/lib/apk/db/",
            "var/lib/rpm/",
            "usr/lib/sysimage/rpm/",
        ]) =>
        {
            Cause::Packages
        }
        _ if is_in(&[
            "var/lib/apt/",
            "var/cache/apt/",
            "var/cache/apk/",
            "etc/apk/cache/",
            "var/cache/dnf/",
            "var/cache/yum/",
            "var/lib/dnf/",
            "var/cache/debconf/",
        ]) =>
        {
            Cause::PackageCaches
        }
        _ if is_in(&["var/log/"]) || ends(&[".log"]) || path.contains("/_logs/") => Cause::Logs,
        _ if is_in(&[
            "var/cache/ldconfig/",
            "var/cache/fontconfig/",
            "var/cache/man/",
            "usr/lib/locale/",
        ]) || path == "etc/ld.so.cache" =>
        {
            Cause::SystemCaches
        }
        "etc/shadow" | "etc/shadow-" => Cause::Passwords,
        "etc/machine-id" | "var/lib/dbus/machine-id" => Cause::Random,
        _ if is_in(&["etc/ssh/ssh_host_", "etc/ssl/private/"]) || ends(&["_rsa", "_ed25519"]) => {
            Cause::Random
        }
        _ if ends(&[
            ".jar", ".war", ".zip", ".whl", ".gz", ".tgz", ".tar", ".xz", ".bz2", ".a",
        ]) =>
        {
            Cause::Archives
        }
        _ if path.contains(".cache/")
            || path.contains(".npm/")
            || path.contains(".cargo/registry")
            || is_in(&["tmp/", "root/.m2/"]) =>
        {
            Cause::UserCaches
        }
        _ => Cause::Content,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_tells_its_cause() {
        let cause = |path: &str| {
            of_file(&FileDiff {
                path: path.to_owned(),
                change: Change::Added,
                differences: Vec::new(),
                first_byte: None,
                text: None,
                key: Default::default(),
            })
        };
        for (path, expected) in [
            (
                "usr/lib/python3/__pycache__/a.cpython-311.pyc",
                Cause::PythonBytecode,
            ),
            ("var/lib/dpkg/status", Cause::Packages),
            ("lib/apk/db/installed", Cause::Packages),
            ("var/lib/apt/lists/lock", Cause::PackageCaches),
            ("var/log/apt/history.log", Cause::Logs),
            ("root/.npm/_logs/x", Cause::Logs),
            ("var/cache/ldconfig/aux-cache", Cause::SystemCaches),
            ("etc/shadow", Cause::Passwords),
            ("etc/ssh/ssh_host_rsa_key", Cause::Random),
            ("app/app.jar", Cause::Archives),
            ("root/.cache/go-build/x", Cause::UserCaches),
            ("stamp", Cause::Content),
        ] {
            assert_eq!(cause(path), expected, "{path}");
        }
    }
}
