//! Cache mounts on command lines: which mount, and the source or destination of its content.

use std::path::PathBuf;

use solvekit::cache_mount::{CacheMount, CacheOwner, Destination, Input};
use solvekit::llb::Sharing;
use solvekit::oci::Reference;
use solvekit::pipeline::csv_fields;

use super::registries::RegistryArgs;
use super::values;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::terminal::DataWriter;
use crate::cli::report::usage::CacheMountUsage;

/// The direction of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    From,
    To,
}

impl Direction {
    /// The attribute with the path, as for caches and outputs.
    fn path(self) -> &'static str {
        match self {
            Self::From => "src",
            Self::To => "dest",
        }
    }
}

/// The source or destination of a mount's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A tar archive on standard input or output.
    Standard,
    Folder(PathBuf),
    Archive(PathBuf),
    Registry(Reference),
}

/// A mount and a place: the value of `--cache-mount-from` and `--cache-mount-to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Copied {
    pub(crate) mount: CacheMount,
    pub(crate) place: Place,
    /// Replaces the content of the mount or the folder.
    pub(crate) replace: bool,
    /// Exports also if the build fails.
    pub(crate) on_failure: bool,
    /// A failed copy does not fail the build.
    pub(crate) ignore_error: bool,
}

/// The attributes of a value, in any order.
#[derive(Default)]
struct Attributes {
    id: Option<String>,
    namespace: Option<String>,
    sharing: Option<Sharing>,
    owner: Option<CacheOwner>,
    kind: Option<String>,
    path: Option<String>,
    reference: Option<String>,
    replace: bool,
    on_failure: bool,
    ignore_error: bool,
}

impl Copied {
    /// Parses `id=ID,type=…`, for a build with this namespace.
    pub(crate) fn parse(
        text: &str,
        direction: Direction,
        namespace: &str,
    ) -> Result<Self, Failure> {
        let invalid = |reason: String| wrong(text, direction, reason);
        let attributes = Attributes::parse(text, direction)?;
        let place = attributes.place(text, direction)?;
        if place == Place::Standard {
            return Err(invalid(
                "a build has no tar archive on stdin or stdout".to_owned(),
            ));
        }
        let id = attributes.id.filter(|id| !id.is_empty());
        let mut mount = CacheMount::new(id.ok_or_else(|| invalid("id= is missing".to_owned()))?);
        mount.namespace = attributes.namespace.unwrap_or_else(|| namespace.to_owned());
        mount.sharing = attributes.sharing.unwrap_or(mount.sharing);
        mount.owner = attributes.owner;
        Ok(Self {
            mount,
            place,
            replace: attributes.replace,
            on_failure: attributes.on_failure,
            ignore_error: attributes.ignore_error,
        })
    }
}

impl Place {
    /// Parses `-`, a path, or `type=registry,ref=NAME`, `type=tar,dest=FILE`,
    /// `type=local,dest=DIR`.
    pub(crate) fn parse(text: &str, direction: Direction) -> Result<Self, Failure> {
        let first = text.split(',').next().unwrap_or_default();
        if !["type=", "ref=", "src=", "dest="]
            .iter()
            .any(|key| first.starts_with(key))
        {
            return Self::of_path(text, direction);
        }
        let attributes = Attributes::parse(text, direction)?;
        let others = attributes.id.is_some() || attributes.sharing.is_some();
        if others || attributes.owner.is_some() || attributes.namespace.is_some() {
            let reason =
                "flags of their own select the mount: --id, --sharing, --namespace".to_owned();
            return Err(wrong(text, direction, reason));
        }
        attributes.place(text, direction)
    }

    /// Takes the path as an archive because of its name or because that file exists, or else as a
    /// folder.
    fn of_path(text: &str, direction: Direction) -> Result<Self, Failure> {
        check_ending(text, text, direction)?;
        let names = [".tar", ".tar.gz", ".tgz", ".tar.zst"];
        let is_archive = names.iter().any(|name| text.ends_with(name));
        let path = PathBuf::from(text);
        match text {
            "" => Err(wrong(text, direction, "it is empty".to_owned())),
            "-" => Ok(Self::Standard),
            _ if direction == Direction::From && path.is_dir() => Ok(Self::Folder(path)),
            _ if is_archive || (direction == Direction::From && path.exists()) => {
                Ok(Self::Archive(path))
            }
            _ => Ok(Self::Folder(path)),
        }
    }

    /// The name for messages.
    pub(crate) fn named(&self, direction: Direction) -> String {
        match (self, direction) {
            (Self::Standard, Direction::From) => "stdin".to_owned(),
            (Self::Standard, Direction::To) => "stdout".to_owned(),
            (place, _) => place.to_string(),
        }
    }

    /// The destination of an export.
    pub(crate) fn destination(
        &self,
        replace: bool,
        registries: &RegistryArgs,
        environment: &Environment,
    ) -> Result<Destination, Failure> {
        Ok(match self.clone() {
            Self::Standard => Destination::Stream(Box::new(DataWriter::new())),
            Self::Folder(path) => Destination::Folder { path, replace },
            Self::Archive(path) => Destination::Archive(path),
            Self::Registry(reference) => Destination::Registry {
                client: Box::new(registries.client(environment)?),
                reference,
                temporary: std::env::temp_dir(),
            },
        })
    }

    /// The source of an import.
    pub(crate) fn input(
        &self,
        registries: &RegistryArgs,
        environment: &Environment,
    ) -> Result<Input, Failure> {
        Ok(match self.clone() {
            Self::Standard => Input::Stream(Box::new(std::io::stdin())),
            Self::Folder(path) => Input::Folder(path),
            Self::Archive(path) => Input::Archive(path),
            Self::Registry(reference) => {
                Input::Registry(Box::new(registries.client(environment)?), reference)
            }
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Standard => f.write_str("-"),
            Self::Folder(path) | Self::Archive(path) => write!(f, "{}", path.display()),
            Self::Registry(reference) => f.write_str(&reference.familiar()),
        }
    }
}

impl Attributes {
    fn parse(text: &str, direction: Direction) -> Result<Self, Failure> {
        let invalid = |reason: String| wrong(text, direction, reason);
        let fields = csv_fields(text).map_err(|error| invalid(error.to_string()))?;
        let mut found = Self::default();
        for field in fields {
            let (key, value) = field.split_once('=').unwrap_or((&field, "true"));
            let boolean =
                || values::boolean(value).map_err(|error| invalid(format!("{key}: {error}")));
            let in_field = |error: String| invalid(format!("{key}: {error}"));
            let id = || values::number(0..=u32::MAX.into(), 1000)(value).map_err(in_field);
            let mut owner = found.owner.unwrap_or_default();
            match key {
                "id" => found.id = Some(value.to_owned()),
                "namespace" => found.namespace = Some(value.to_owned()),
                "sharing" => found.sharing = Some(sharing(value).map_err(invalid)?),
                "uid" => owner.uid = id()?,
                "gid" => owner.gid = id()?,
                "mode" => owner.mode = values::octal(value).map_err(in_field)?,
                "type" => found.kind = Some(value.to_owned()),
                "ref" => found.reference = Some(value.to_owned()),
                "replace" => found.replace = boolean()?,
                "ignore-error" => found.ignore_error = boolean()?,
                "on-failure" if direction == Direction::To => found.on_failure = boolean()?,
                key if key == direction.path() => found.path = Some(value.to_owned()),
                other => return Err(invalid(format!("unknown attribute {other:?}"))),
            }
            if matches!(key, "uid" | "gid" | "mode") {
                found.owner = Some(owner);
            }
        }
        Ok(found)
    }

    fn place(&self, text: &str, direction: Direction) -> Result<Place, Failure> {
        let invalid = |reason: String| wrong(text, direction, reason);
        let kind = match (self.kind.as_deref(), &self.reference) {
            (Some(kind), _) => kind,
            (None, Some(_)) => "registry",
            (None, None) => "",
        };
        let key = direction.path();
        if self.path.is_some() && self.reference.is_some() {
            let reason = format!("ref= and {key}= are two places: give one of them");
            return Err(invalid(reason));
        }
        let path = || {
            let path = self.path.as_deref().filter(|path| !path.is_empty());
            path.ok_or_else(|| invalid(format!("{key}= is missing")))
        };
        match kind {
            "registry" => {
                let name = self.reference.as_deref().unwrap_or_default();
                if name.is_empty() {
                    return Err(invalid("ref= is missing".to_owned()));
                }
                let parsed = Reference::parse(name).map_err(|error| invalid(error.to_string()))?;
                Ok(Place::Registry(parsed.with_default_tag()))
            }
            "local" => Ok(Place::Folder(path()?.into())),
            "tar" => {
                let path = path()?;
                check_ending(path, text, direction)?;
                Ok(match path {
                    "-" => Place::Standard,
                    path => Place::Archive(path.into()),
                })
            }
            "" => Place::of_path(path()?, direction),
            other => Err(invalid(format!("unknown type {other:?}"))),
        }
    }
}

/// Endings of archive formats that are not written: the file's name would be wrong.
const NOT_WRITTEN: [&str; 10] = [
    ".zst", ".tzst", ".xz", ".txz", ".bz2", ".tbz2", ".tbz", ".lz4", ".zip", ".7z",
];

fn check_ending(path: &str, text: &str, direction: Direction) -> Result<(), Failure> {
    let ending = NOT_WRITTEN.iter().find(|ending| path.ends_with(**ending));
    match (ending, direction) {
        (Some(ending), Direction::To) => {
            let reason = format!("{ending} is not written; .tar and .tar.gz are");
            Err(wrong(text, direction, reason))
        }
        _ => Ok(()),
    }
}

/// Parses the value of `sharing=`.
pub(crate) fn sharing(text: &str) -> Result<Sharing, String> {
    match text {
        "locked" => Ok(Sharing::Locked),
        "shared" => Ok(Sharing::Shared),
        "private" => Ok(Sharing::Private),
        other => Err(format!("{other:?} is not locked, shared or private")),
    }
}

fn wrong(text: &str, direction: Direction, reason: String) -> Failure {
    let text = text.to_owned();
    CacheMountUsage::Place {
        text,
        reason,
        key: direction.path(),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_outputs_and_caches_are() {
        let to = |text: &str| Place::parse(text, Direction::To).map_err(Failure::into_message);
        assert_eq!(to("-"), Ok(Place::Standard));
        assert_eq!(to("type=tar,dest=-"), Ok(Place::Standard));
        assert_eq!(Place::Standard.named(Direction::To), "stdout");
        assert_eq!(Place::Standard.named(Direction::From), "stdin");
        assert_eq!(to("out"), Ok(Place::Folder("out".into())));
        assert_eq!(to("out.tar.gz"), Ok(Place::Archive("out.tar.gz".into())));
        assert_eq!(
            to("type=local,dest=x.tar"),
            Ok(Place::Folder("x.tar".into()))
        );
        let Ok(Place::Registry(name)) = to("type=registry,ref=example.com/a") else {
            panic!("no registry");
        };
        assert_eq!(name.to_string(), "example.com/a:latest");
        for (text, reason) in [
            ("type=registry", "ref= is missing"),
            ("type=tar,src=x", "unknown attribute \"src\""),
            ("type=gha,dest=x", "unknown type \"gha\""),
            ("type=local", "dest= is missing"),
            ("type=tar,dest=x,id=a", "flags of their own"),
            ("x.tar.zst", ".zst is not written"),
            ("type=tar,dest=x.tar.xz", ".xz is not written"),
            ("x.zip", ".zip is not written"),
        ] {
            assert!(to(text).unwrap_err().contains(reason), "{text}");
        }
    }

    #[test]
    fn values_of_builds_name_their_mount() {
        let text = "id=go,uid=1000,mode=0700,sharing=shared,ref=r.io/c:1,on-failure=true";
        let copied = Copied::parse(text, Direction::To, "ns").map_err(Failure::into_message);
        let copied = copied.unwrap();
        let owner = CacheOwner {
            uid: 1000,
            gid: 0,
            mode: 0o700,
        };
        assert_eq!(copied.mount.owner, Some(owner));
        assert_eq!(copied.mount.namespace, "ns");
        assert_eq!(copied.mount.sharing, Sharing::Shared);
        assert!(copied.on_failure && !copied.replace);
        for (text, reason) in [
            ("dest=x", "id= is missing"),
            ("id=,dest=x", "id= is missing"),
            ("id=a,type=tar,dest=-", "stdin or stdout"),
            ("id=a,uid=x,dest=x", "uid: \"x\" is not a whole number"),
            ("id=a,sharing=x,dest=x", "not locked, shared or private"),
            ("id=a,replace=maybe,dest=x", "replace"),
            ("id=a,ref=r.io/c,dest=x", "ref= and dest= are two places"),
            (
                "id=a,type=local,dest=x,ref=r.io/c",
                "ref= and dest= are two places",
            ),
        ] {
            let error = Copied::parse(text, Direction::To, "").unwrap_err();
            assert!(error.into_message().contains(reason), "{text}");
        }
    }
}
