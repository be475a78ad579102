//! The inputs of the crate: bake files, the environment, and traits for access to the outside.

use std::collections::BTreeMap;

/// The files that bake reads if none is named, in this order, as far as they exist.
pub const DEFAULT_FILES: [&str; 8] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
    "docker-bake.json",
    "docker-bake.hcl",
    "docker-bake.override.json",
    "docker-bake.override.hcl",
];

/// One bake file with its name and content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// The name as given (`docker-bake.hcl`, `-` for stdin), for errors.
    pub name: String,
    /// The content.
    pub bytes: Vec<u8>,
}

/// The language of a file, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// `.yml` or `.yaml`, in any case.
    Compose,
    /// `.hcl`
    Hcl,
    /// `.json`: HCL in its JSON form.
    Json,
    /// Any other name: tried as compose, then HCL, then JSON.
    Unknown,
}

impl InputFile {
    /// Returns the kind of this file, by the suffix of its name.
    pub fn kind(&self) -> FileKind {
        let lower = self.name.to_lowercase();
        if lower.ends_with(".yml") || lower.ends_with(".yaml") {
            FileKind::Compose
        } else if self.name.ends_with(".hcl") {
            FileKind::Hcl
        } else if self.name.ends_with(".json") {
            FileKind::Json
        } else {
            FileKind::Unknown
        }
    }
}

/// Variables and settings that a bake file sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Environment variables. Empty if environment look-up is disabled
    /// (`BUILDX_BAKE_DISABLE_VARS_ENV_LOOKUP`).
    pub variables: BTreeMap<String, String>,
    /// True if environment look-up is disabled: `--set x.args.NAME` without a value is then empty.
    pub lookup_disabled: bool,
    /// The values of `--var`, which override the environment.
    pub overrides: BTreeMap<String, String>,
    /// `BAKE_CMD_CONTEXT`: the context of the command (`cwd://` for a local one).
    pub command_context: String,
    /// `BAKE_LOCAL_PLATFORM`: the platform of this machine, such as `linux/amd64`.
    pub local_platform: String,
}

/// The variables that bake itself defines.
pub const BUILTINS: [&str; 2] = ["BAKE_CMD_CONTEXT", "BAKE_LOCAL_PLATFORM"];

impl Environment {
    /// Returns the value of a variable that bake itself defines.
    pub fn builtin(&self, name: &str) -> Option<&str> {
        match name {
            "BAKE_CMD_CONTEXT" => Some(&self.command_context),
            "BAKE_LOCAL_PLATFORM" => Some(&self.local_platform),
            _ => None,
        }
    }

    /// Returns the text that overrides the variable `name`, from `--var` or else from the
    /// environment.
    pub fn lookup(&self, name: &str) -> Option<&str> {
        let text = self.overrides.get(name);
        let text = text.or_else(|| {
            let visible = (!self.lookup_disabled).then_some(&self.variables);
            visible.and_then(|variables| variables.get(name))
        });
        text.map(String::as_str)
    }
}

/// Reads the files that a bake file refers to: includes, `extends`, `env_file`, `.env`.
pub trait FileReader {
    /// Returns the content of the file at `path`, absolute or relative to the working directory.
    ///
    /// # Errors
    /// If the file is missing, is a directory, cannot be read, or is too large.
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError>;

    /// Returns the absolute path of the working directory.
    fn working_directory(&self) -> &str;
}

/// The reason a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file does not exist.
    #[error("no such file")]
    NotFound,
    /// The path is a directory.
    #[error("is a directory")]
    IsDirectory,
    /// Any other reason, with the system's message.
    #[error("{0}")]
    Other(String),
}

/// Sources besides files: clock, random numbers, home directory.
pub trait Host {
    /// Returns the time in seconds and nanoseconds since the Unix epoch.
    fn now(&self) -> (i64, u32);

    /// Fills `bytes` with unpredictable bytes.
    fn fill_random(&self, bytes: &mut [u8]);

    /// Returns the home directory of the user, if there is one.
    fn home_directory(&self) -> Option<String>;
}

/// A machine without files, clock, random numbers and home directory, for bake files that refer to
/// nothing else. The working directory is `/work`, the time is 1970, and random bytes are 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct Isolated;

impl FileReader for Isolated {
    fn read(&self, _: &str) -> Result<Vec<u8>, ReadError> {
        Err(ReadError::NotFound)
    }

    fn working_directory(&self) -> &str {
        "/work"
    }
}

impl Host for Isolated {
    fn now(&self) -> (i64, u32) {
        (0, 0)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }

    fn home_directory(&self) -> Option<String> {
        None
    }
}
