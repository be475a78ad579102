//! Platforms: parsing, normalising and printing as `containerd/platforms` does.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Error, PlatformReason, null_as_default};
use crate::suggest;
use crate::text::percent_decoded;

/// A platform of an image: operating system, architecture, variant.
///
/// Unset fields are empty; the JSON omits them, as in the OCI image specification.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Platform {
    /// The CPU architecture in Go's names: `amd64`, `arm64`, `arm`, `386` …
    #[serde(deserialize_with = "null_as_default")]
    pub architecture: String,
    /// The operating system in Go's names: `linux`, `windows` …
    #[serde(deserialize_with = "null_as_default")]
    pub os: String,
    /// The operating system's version, for Windows images.
    #[serde(
        rename = "os.version",
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub os_version: String,
    /// Mandatory features of the operating system, for example `win32k`.
    #[serde(
        rename = "os.features",
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub os_features: Vec<String>,
    /// The variant of the architecture, for example `v7`.
    #[serde(
        skip_serializing_if = "String::is_empty",
        deserialize_with = "null_as_default"
    )]
    pub variant: String,
}

const KNOWN_OS: &[&str] = &[
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "windows",
    "zos",
];

const KNOWN_ARCHITECTURES: &[&str] = &[
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "armbe",
    "arm64",
    "arm64be",
    "ppc64",
    "ppc64le",
    "loong64",
    "mips",
    "mipsle",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "ppc",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
];

impl Platform {
    /// Returns the known platform that was probably meant, if the operating system or architecture
    /// is unknown.
    ///
    /// ```
    /// use solvekit_core::oci::Platform;
    ///
    /// let typo: Platform = "linux/arm46".parse()?;
    /// assert_eq!(typo.probably_meant().unwrap().to_string(), "linux/arm64");
    /// # Ok::<(), solvekit_core::oci::Error>(())
    /// ```
    pub fn probably_meant(&self) -> Option<Self> {
        let meant = |word: &str, known: &[&str]| match known.contains(&word) {
            true => Some(word.to_owned()),
            false => suggest::nearest(word, known).map(str::to_owned),
        };
        let os = meant(&self.os, KNOWN_OS)?;
        let architecture = meant(&self.architecture, KNOWN_ARCHITECTURES)?;
        let known = Self {
            os,
            architecture,
            ..self.clone()
        };
        (known != *self).then_some(known)
    }

    /// Parses `os`, `arch`, `os/arch` or `os/arch/variant`; the os may have `(version+feature…)`.
    ///
    /// Follows containerd's `platforms.Parse`: names are lower-cased and aliases resolved
    /// (`x86_64`, `aarch64`, `macos`), `arm/v7` loses its variant in the two-part form only, and
    /// `arm64` gets `v8` in the three-part form. A missing half comes from the platform of this
    /// program.
    ///
    /// # Errors
    /// [`Error::Platform`] with the rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let invalid = |reason| Error::Platform {
            input: text.to_owned(),
            reason,
        };
        if text.contains('*') {
            return Err(invalid(PlatformReason::Wildcard));
        }
        let parts: Vec<&str> = text.split('/').collect();
        let (os, os_version, os_features) = parse_os(parts[0]).map_err(invalid)?;
        if let Some(part) = parts[1..].iter().find(|part| !is_component(part)) {
            return Err(invalid(PlatformReason::Part {
                part: (*part).to_owned(),
            }));
        }
        let mut platform = Self {
            os,
            os_version,
            os_features,
            ..Self::default()
        };
        match parts.as_slice() {
            [_] if KNOWN_OS.contains(&platform.os.as_str()) => {
                platform.architecture = host_architecture().to_owned();
            }
            [only] => {
                platform.set_architecture(only, "");
                platform.drop_default_arm_variant();
                if !KNOWN_ARCHITECTURES.contains(&platform.architecture.as_str()) {
                    return Err(invalid(PlatformReason::Unknown));
                }
                platform.os = host_os().to_owned();
            }
            [_, architecture] => {
                platform.set_architecture(architecture, "");
                platform.drop_default_arm_variant();
            }
            [_, architecture, variant] => {
                platform.set_architecture(architecture, variant);
                if platform.architecture == "arm64" && platform.variant.is_empty() {
                    platform.variant = "v8".to_owned();
                }
            }
            _ => return Err(invalid(PlatformReason::TooManyParts)),
        }
        Ok(platform)
    }

    /// Returns the platform of this program: its operating system and architecture in Go's names.
    pub fn host() -> Self {
        Self {
            os: host_os().to_owned(),
            architecture: host_architecture().to_owned(),
            ..Self::default()
        }
        .normalized()
    }

    /// Returns the canonical form: `arm` becomes `arm/v7`, `arm64/v8` becomes `arm64`, `amd64/v1`
    /// becomes `amd64`; features are sorted.
    #[must_use]
    pub fn normalized(&self) -> Self {
        let mut platform = self.clone();
        platform.os = normalize_os(&self.os);
        platform.set_architecture(&self.architecture, &self.variant);
        platform.os_features.sort();
        platform.os_features.dedup();
        platform
    }

    /// Formats like [`Display`](fmt::Display), with the version and features of the operating
    /// system: `windows(10.0.17763+win32k)/amd64`.
    pub fn format_all(&self) -> String {
        if self.os.is_empty() {
            return "unknown".to_owned();
        }
        let mut text = String::with_capacity(32);
        text.push_str(&self.os);
        if !self.os_version.is_empty() || !self.os_features.is_empty() {
            text.push('(');
            text.push_str(&escape(&self.os_version));
            for feature in &self.os_features {
                text.push('+');
                text.push_str(&escape(feature));
            }
            text.push(')');
        }
        self.push_architecture(&mut text);
        text
    }

    fn push_architecture(&self, text: &mut String) {
        for part in [&self.architecture, &self.variant] {
            if !part.is_empty() {
                text.push('/');
                text.push_str(part);
            }
        }
    }

    fn set_architecture(&mut self, architecture: &str, variant: &str) {
        let (architecture, variant) = normalize_architecture(architecture, variant);
        self.architecture = architecture;
        self.variant = variant;
    }

    fn drop_default_arm_variant(&mut self) {
        if self.architecture == "arm" && self.variant == "v7" {
            self.variant.clear();
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.os.is_empty() {
            return f.pad("unknown");
        }
        let mut text = String::with_capacity(32);
        text.push_str(&self.os);
        self.push_architecture(&mut text);
        f.pad(&text)
    }
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

type OsParts = (String, String, Vec<String>);

fn parse_os(part: &str) -> Result<OsParts, PlatformReason> {
    let (name, options) = match part.split_once('(') {
        None => (part, None),
        Some((name, rest)) => match rest.strip_suffix(')') {
            Some(options) => (name, Some(options)),
            None => return Err(PlatformReason::OpenParenthesis),
        },
    };
    if name.is_empty()
        || !name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
    {
        let name = name.to_owned();
        return Err(PlatformReason::OsName { name });
    }
    let mut version = String::new();
    let mut features = Vec::new();
    for (i, option) in options.unwrap_or("").split('+').enumerate() {
        if !option
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_.%-".contains(&b))
        {
            let option = option.to_owned();
            return Err(PlatformReason::OsOption { option });
        }
        let option = unescape(option)?;
        match i {
            0 => version = option,
            _ if option.is_empty() => return Err(PlatformReason::EmptyFeature),
            _ => features.push(option),
        }
    }
    Ok((normalize_os(name), version, features))
}

fn is_component(part: &str) -> bool {
    !part.is_empty()
        && part
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

fn normalize_os(os: &str) -> String {
    if os.is_empty() {
        return host_os().to_owned();
    }
    match os.to_ascii_lowercase().as_str() {
        "macos" => "darwin".to_owned(),
        other => other.to_owned(),
    }
}

fn normalize_architecture(architecture: &str, variant: &str) -> (String, String) {
    let architecture = architecture.to_ascii_lowercase();
    let variant = variant.to_ascii_lowercase();
    let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
        ("i386", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64" | "amd64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
        ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9"),
        ("aarch64" | "arm64", variant) => ("arm64", variant),
        ("armhf", _) => ("arm", "v7"),
        ("armel", _) => ("arm", "v6"),
        ("arm", "" | "7") => ("arm", "v7"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "6") => ("arm", "v6"),
        ("arm", "8") => ("arm", "v8"),
        other => other,
    };
    (architecture.to_owned(), variant.to_owned())
}

fn host_os() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        os => os,
    }
}

fn host_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86" => "386",
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
        "powerpc64" => "ppc64",
        "mips64" if cfg!(target_endian = "little") => "mips64le",
        "loongarch64" => "loong64",
        architecture => architecture,
    }
}

/// Percent-encodes characters that would end a version or feature inside the parentheses.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '%' | '+' | '(' | ')' | '/' => escaped.push_str(&format!("%{:02X}", c as u32)),
            _ => escaped.push(c),
        }
    }
    escaped
}

fn unescape(text: &str) -> Result<String, PlatformReason> {
    let text = text.to_owned();
    match percent_decoded(&text).map(String::from_utf8) {
        Some(Ok(decoded)) => Ok(decoded),
        Some(Err(_)) => Err(PlatformReason::NotUtf8 { text }),
        None => Err(PlatformReason::Escape { text }),
    }
}

#[cfg(test)]
mod tests;
