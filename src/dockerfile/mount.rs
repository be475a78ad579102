//! `RUN --mount`: its keys and what they mean for each type of mount.

use super::error::nearest;
use super::lexer::ExpandError;

/// A `RUN --mount` after its variables are expanded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    /// `type=`
    pub kind: MountType,
    /// `from=`: a stage, an image or a named context; the build context if absent.
    pub from: Option<String>,
    /// `source=`, `src=`; empty if absent.
    pub source: String,
    /// `target=`, `dst=`, `destination=`; empty if absent.
    pub target: String,
    /// `readonly`, `ro`, `readwrite`, `rw`; by default all but cache and tmpfs are read-only.
    pub read_only: bool,
    /// `size=` of a tmpfs, in bytes; 0 if absent.
    pub size_limit: i64,
    /// `id=` of a cache, secret or ssh agent; empty if absent.
    pub id: String,
    /// `sharing=` of a cache.
    pub sharing: Option<CacheSharing>,
    /// `required` of a secret or ssh agent.
    pub required: bool,
    /// `env=` of a secret: the name of the variable that carries it.
    pub env: Option<String>,
    /// `mode=`, written in octal.
    pub mode: Option<u32>,
    /// `uid=`
    pub uid: Option<u32>,
    /// `gid=`
    pub gid: Option<u32>,
}

/// What is mounted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MountType {
    /// A directory or file of the context, a stage or an image.
    #[default]
    Bind,
    /// A directory that the builder keeps between builds.
    Cache,
    /// Memory.
    Tmpfs,
    /// A secret of the client.
    Secret,
    /// The client's ssh agent.
    Ssh,
}

/// How concurrent users of a cache mount get along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheSharing {
    /// All write to the same directory.
    #[default]
    Shared,
    /// A second user gets a directory of its own.
    Private,
    /// A second user waits.
    Locked,
}

/// A `RUN --mount` that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields say what the messages print")]
pub enum MountError {
    /// The quotes of the comma-separated list are wrong, or there is nothing.
    #[error("{text:?} is no list of comma-separated options")]
    List { text: String },
    /// A key that needs a value stands alone.
    #[error("the option {field:?} needs a value")]
    NoValue { field: String },
    /// A value cannot be expanded.
    #[error("a value cannot be expanded")]
    Expand(#[from] ExpandError),
    /// A variable in `from=`.
    #[error("from= takes no variables: {value:?}")]
    FromVariable { value: String },
    /// No such type of mount.
    #[error("unknown type of mount {value:?}{}", suggestion(nearest.as_deref()))]
    UnknownType {
        value: String,
        nearest: Option<&'static str>,
    },
    /// No such sharing mode.
    #[error("unknown sharing mode {value:?}{}", suggestion(nearest.as_deref()))]
    UnknownSharing {
        value: String,
        nearest: Option<&'static str>,
    },
    /// No such key.
    #[error("unknown option {key:?}{}", suggestion(nearest.as_deref()))]
    UnknownKey {
        key: String,
        nearest: Option<&'static str>,
    },
    /// A key that this type of mount does not have.
    #[error("a mount of type {kind} has no option {key}")]
    KeyOfOtherType { key: &'static str, kind: MountType },
    /// A value that its key cannot have.
    #[error("{key}= cannot be {value:?}")]
    Value { key: &'static str, value: String },
    /// A secret with neither source, target nor id.
    #[error("a mount of type secret needs a source, a target or an id")]
    SecretWithoutName,
    /// A secret with both source and id.
    #[error("a mount of type secret has either a source or an id")]
    SecretWithTwoNames,
}

fn suggestion(nearest: Option<&str>) -> String {
    nearest
        .map(|name| format!("; did you mean {name}?"))
        .unwrap_or_default()
}

impl MountType {
    /// The name in `type=`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::Cache => "cache",
            Self::Tmpfs => "tmpfs",
            Self::Secret => "secret",
            Self::Ssh => "ssh",
        }
    }
}

impl std::fmt::Display for MountType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl CacheSharing {
    /// The name in `sharing=`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Private => "private",
            Self::Locked => "locked",
        }
    }
}

const TYPES: [MountType; 5] = [
    MountType::Bind,
    MountType::Cache,
    MountType::Tmpfs,
    MountType::Secret,
    MountType::Ssh,
];
const SHARINGS: [CacheSharing; 3] = [
    CacheSharing::Shared,
    CacheSharing::Private,
    CacheSharing::Locked,
];
const KEYS: [&str; 19] = [
    "type",
    "from",
    "source",
    "target",
    "readonly",
    "id",
    "sharing",
    "required",
    "size",
    "mode",
    "uid",
    "gid",
    "src",
    "dst",
    "destination",
    "ro",
    "rw",
    "readwrite",
    "env",
];

/// What is known of a mount before its variables are expanded: the stage or image of `from=`.
///
/// # Errors
/// The list cannot be read, or `from=` has a variable.
pub(super) fn mount_from(text: &str) -> Result<Option<String>, MountError> {
    let mut from = None;
    for field in fields(text)? {
        let Some((key, value)) = field.split_once('=') else {
            continue;
        };
        if !key.eq_ignore_ascii_case("from") {
            continue;
        }
        if value
            .find('$')
            .is_some_and(|position| position + 1 != value.len())
        {
            return Err(MountError::FromVariable {
                value: value.to_owned(),
            });
        }
        from = Some(value.to_owned()).filter(|value| !value.is_empty());
    }
    Ok(from)
}

/// Reads the value of a `RUN --mount`; each option's value goes through `expand` when it is met, in order.
///
/// # Errors
/// [`MountError`] for an unknown key, type or sharing mode, a value that cannot be, an option of another type of mount.
pub fn parse_mount(
    text: &str,
    expand: &mut dyn FnMut(&str) -> Result<String, ExpandError>,
) -> Result<Mount, MountError> {
    let mut mount = Mount::default();
    let mut read_only = None;
    for field in fields(text)? {
        match field.split_once('=') {
            None => set_switch(&mut mount, &mut read_only, &field)?,
            Some((key, value)) => {
                let value = expand(value)?;
                set_option(&mut mount, &mut read_only, &key.to_lowercase(), value)?;
            }
        }
    }
    mount.read_only =
        read_only.unwrap_or(!matches!(mount.kind, MountType::Cache | MountType::Tmpfs));
    check_owner(&mount)?;
    check_secret(&mount)?;
    if mount.sharing.is_some() && mount.kind != MountType::Cache {
        return Err(MountError::KeyOfOtherType {
            key: "sharing",
            kind: mount.kind,
        });
    }
    Ok(mount)
}

fn fields(text: &str) -> Result<Vec<String>, MountError> {
    super::csv::fields(text).map_err(|_| MountError::List {
        text: text.to_owned(),
    })
}

/// An option without a value.
fn set_switch(
    mount: &mut Mount,
    read_only: &mut Option<bool>,
    field: &str,
) -> Result<(), MountError> {
    match field.to_lowercase().as_str() {
        "readonly" | "ro" => *read_only = Some(true),
        "readwrite" | "rw" => *read_only = Some(false),
        "required" => set_required(mount, true)?,
        _ => {
            return Err(MountError::NoValue {
                field: field.to_owned(),
            });
        }
    }
    Ok(())
}

/// An option with a value; the key is in lower case.
fn set_option(
    mount: &mut Mount,
    read_only: &mut Option<bool>,
    key: &str,
    value: String,
) -> Result<(), MountError> {
    match key {
        "type" => mount.kind = parse_type(&value)?,
        "from" => mount.from = Some(value).filter(|value| !value.is_empty()),
        "source" | "src" => mount.source = value,
        "target" | "dst" | "destination" => mount.target = value,
        "readonly" | "ro" => *read_only = Some(parse_bool("readonly", value)?),
        "readwrite" | "rw" => *read_only = Some(!parse_bool("readwrite", value)?),
        "required" => set_required_value(mount, value)?,
        "size" => set_size(mount, value)?,
        "id" => mount.id = value,
        "sharing" => mount.sharing = Some(parse_sharing(&value)?),
        "mode" => mount.mode = Some(parse_number("mode", 8, value)?),
        "uid" => mount.uid = Some(parse_number("uid", 10, value)?),
        "gid" => mount.gid = Some(parse_number("gid", 10, value)?),
        "env" => mount.env = Some(value),
        _ => {
            return Err(MountError::UnknownKey {
                key: key.to_owned(),
                nearest: nearest(key, KEYS),
            });
        }
    }
    Ok(())
}

fn set_required(mount: &mut Mount, required: bool) -> Result<(), MountError> {
    if !matches!(mount.kind, MountType::Secret | MountType::Ssh) {
        return Err(MountError::KeyOfOtherType {
            key: "required",
            kind: mount.kind,
        });
    }
    mount.required = required;
    Ok(())
}

fn set_required_value(mount: &mut Mount, value: String) -> Result<(), MountError> {
    set_required(mount, false)?;
    mount.required = parse_bool("required", value)?;
    Ok(())
}

fn set_size(mount: &mut Mount, value: String) -> Result<(), MountError> {
    if mount.kind != MountType::Tmpfs {
        return Err(MountError::KeyOfOtherType {
            key: "size",
            kind: mount.kind,
        });
    }
    mount.size_limit = parse_size(&value).ok_or(MountError::Value { key: "size", value })?;
    Ok(())
}

fn parse_type(value: &str) -> Result<MountType, MountError> {
    let name = value.to_lowercase();
    TYPES
        .into_iter()
        .find(|kind| kind.as_str() == name)
        .ok_or_else(|| MountError::UnknownType {
            value: value.to_owned(),
            nearest: nearest(value, TYPES.map(MountType::as_str)),
        })
}

fn parse_sharing(value: &str) -> Result<CacheSharing, MountError> {
    let name = value.to_lowercase();
    SHARINGS
        .into_iter()
        .find(|sharing| sharing.as_str() == name)
        .ok_or_else(|| MountError::UnknownSharing {
            value: value.to_owned(),
            nearest: nearest(value, SHARINGS.map(CacheSharing::as_str)),
        })
}

fn parse_bool(key: &'static str, value: String) -> Result<bool, MountError> {
    go_bool(&value).ok_or(MountError::Value { key, value })
}

/// Digits without a sign, up to 32 bits.
fn parse_number(key: &'static str, radix: u32, value: String) -> Result<u32, MountError> {
    let number = Some(&value)
        .filter(|value| !value.starts_with('+'))
        .and_then(|value| u32::from_str_radix(value, radix).ok());
    number.ok_or(MountError::Value { key, value })
}

/// A bool as Go's strconv.ParseBool reads it.
pub(super) fn go_bool(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// Bytes, or a number with a binary unit: `64m`, `1.5 GiB`.
fn parse_size(text: &str) -> Option<i64> {
    let last = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ')?;
    let number = if text.as_bytes()[last] == b' ' {
        &text[..last]
    } else {
        &text[..=last]
    };
    let number: f64 = number.parse().ok().filter(|number| *number >= 0.0)?;
    let unit = text[last + 1..].to_ascii_lowercase();
    let factor = match unit.as_bytes() {
        [] | [b'b'] => 1.0,
        [prefix] | [prefix, b'b'] | [prefix, b'i', b'b'] => binary_prefix(*prefix)?,
        _ => return None,
    };
    Some((number * factor) as i64)
}

fn binary_prefix(prefix: u8) -> Option<f64> {
    let exponent = b"kmgtp".iter().position(|&known| known == prefix)?;
    Some(1024f64.powi(exponent as i32 + 1))
}

/// Owner and mode are for what BuildKit itself creates.
fn check_owner(mount: &Mount) -> Result<(), MountError> {
    if matches!(
        mount.kind,
        MountType::Secret | MountType::Ssh | MountType::Cache
    ) {
        return Ok(());
    }
    let given = [("mode", mount.mode), ("uid", mount.uid), ("gid", mount.gid)];
    match given.into_iter().find(|(_, value)| value.is_some()) {
        Some((key, _)) => Err(MountError::KeyOfOtherType {
            key,
            kind: mount.kind,
        }),
        None => Ok(()),
    }
}

fn check_secret(mount: &Mount) -> Result<(), MountError> {
    if mount.kind != MountType::Secret {
        return Ok(());
    }
    if mount.from.is_some() {
        return Err(MountError::KeyOfOtherType {
            key: "from",
            kind: mount.kind,
        });
    }
    if mount.source.is_empty() && mount.target.is_empty() && mount.id.is_empty() {
        return Err(MountError::SecretWithoutName);
    }
    if !mount.source.is_empty() && !mount.id.is_empty() {
        return Err(MountError::SecretWithTwoNames);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Mount, MountError> {
        parse_mount(text, &mut |value| Ok(value.replace("$v", "value")))
    }

    #[test]
    fn each_type_has_its_defaults() {
        let bind = parse("target=/x,from=$v,SRC=a").unwrap();
        assert_eq!(
            (
                bind.kind,
                bind.read_only,
                bind.from.as_deref(),
                bind.source.as_str()
            ),
            (MountType::Bind, true, Some("value"), "a")
        );
        assert!(!parse("type=cache,target=/x").unwrap().read_only);
        assert!(!parse("type=tmpfs,target=/x").unwrap().read_only);
        assert!(parse("type=tmpfs,target=/x,ro").unwrap().read_only);
        assert!(!parse("rw,target=/x").unwrap().read_only);
        assert!(!parse("readonly=false,target=/x").unwrap().read_only);
        let secret = parse("type=secret,id=a,required,env=,mode=0440,uid=1").unwrap();
        assert_eq!(
            (
                secret.required,
                secret.env.as_deref(),
                secret.mode,
                secret.uid
            ),
            (true, Some(""), Some(0o440), Some(1))
        );
    }

    #[test]
    fn sizes_have_binary_units() {
        let size = |text: &str| {
            parse(&format!("type=tmpfs,target=/x,size={text}"))
                .map(|mount| mount.size_limit)
                .ok()
        };
        assert_eq!(size("10"), Some(10));
        assert_eq!(size("1.5k"), Some(1536));
        assert_eq!(size("2 MiB"), Some(2 << 20));
        assert_eq!(size("1GB"), Some(1 << 30));
        assert_eq!(
            (size(""), size("-1"), size("1x"), size("1kbb"), size("m")),
            (None, None, None, None, None)
        );
    }

    #[test]
    fn wrong_options_are_rejected() {
        use MountError::*;
        assert!(matches!(parse(""), Err(List { .. })));
        assert!(matches!(parse("a\"b"), Err(List { .. })));
        assert!(matches!(parse("target"), Err(NoValue { .. })));
        assert!(matches!(
            parse("form=x"),
            Err(UnknownKey {
                nearest: Some("from"),
                ..
            })
        ));
        assert!(matches!(
            parse("type=cach"),
            Err(UnknownType {
                nearest: Some("cache"),
                ..
            })
        ));
        assert!(matches!(
            parse("type=cache,sharing=x"),
            Err(UnknownSharing { .. })
        ));
        assert!(matches!(
            parse("sharing=shared"),
            Err(KeyOfOtherType { key: "sharing", .. })
        ));
        assert!(matches!(
            parse("required,type=secret,id=a"),
            Err(KeyOfOtherType {
                key: "required",
                ..
            })
        ));
        assert!(matches!(
            parse("size=1"),
            Err(KeyOfOtherType { key: "size", .. })
        ));
        assert!(matches!(
            parse("uid=1"),
            Err(KeyOfOtherType { key: "uid", .. })
        ));
        assert!(matches!(
            parse("type=cache,uid=+1"),
            Err(Value { key: "uid", .. })
        ));
        assert!(matches!(
            parse("type=cache,mode=8"),
            Err(Value { key: "mode", .. })
        ));
        assert!(matches!(
            parse("ro=maybe"),
            Err(Value {
                key: "readonly",
                ..
            })
        ));
        assert_eq!(parse("type=secret"), Err(SecretWithoutName));
        assert_eq!(parse("type=secret,id=a,src=b"), Err(SecretWithTwoNames));
        assert!(matches!(
            parse("type=secret,id=a,from=b"),
            Err(KeyOfOtherType { key: "from", .. })
        ));
    }

    #[test]
    fn from_is_known_before_expansion() {
        assert_eq!(
            mount_from("type=$t,FROM=base,x").unwrap().as_deref(),
            Some("base")
        );
        assert_eq!(mount_from("from=").unwrap(), None);
        assert_eq!(mount_from("from=a$").unwrap().as_deref(), Some("a$"));
        assert!(matches!(
            mount_from("from=$a"),
            Err(MountError::FromVariable { .. })
        ));
    }
}
