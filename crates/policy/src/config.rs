//! The words of `--policy` and of bake's `policy`: which policies are used, and how.

use std::fmt;

/// One `--policy`: `filename=policy.rego,strict=true`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyConfig {
    /// The files.
    pub files: Vec<String>,
    /// Forget the policies before this one, also the Dockerfile's own.
    pub reset: bool,
    /// Use no policy at all.
    pub disabled: bool,
    /// Refuse daemons that cannot ask during the build.
    pub strict: Option<bool>,
    /// What the policy says in the progress.
    pub log_level: Option<LogLevel>,
}

/// What a policy says in the progress.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Nothing.
    Panic,
    /// Nothing.
    Fatal,
    /// Nothing.
    Error,
    /// Warnings.
    Warn,
    /// Decisions, and what the policy prints.
    #[default]
    Info,
    /// The input document too.
    Debug,
    /// As `Debug`.
    Trace,
}

/// A policy configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A field that is not known or has no such value.
    #[error("invalid value {field}")]
    Field {
        /// The field as it was written.
        field: String,
    },
    /// The fields are not CSV.
    #[error("the quotes in {text:?} do not match")]
    Quotes {
        /// The text.
        text: String,
    },
    /// A disabled policy with other settings.
    #[error("disabled policy cannot be combined with other policy flags")]
    Disabled,
}

impl PolicyConfig {
    /// Reads one configuration: comma-separated `key=value` fields.
    ///
    /// # Errors
    /// [`ConfigError::Field`] with the field.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        for field in fields(text)? {
            let invalid = || ConfigError::Field {
                field: field.clone(),
            };
            let (key, value) = field.split_once('=').ok_or_else(invalid)?;
            let truth = || boolean(value).ok_or_else(invalid);
            match key.trim().to_lowercase().as_str() {
                "filename" if !value.is_empty() => config.files.push(value.to_owned()),
                "reset" => config.reset = truth()?,
                "disabled" => config.disabled = truth()?,
                "strict" => config.strict = Some(truth()?),
                "log-level" => config.log_level = Some(LogLevel::parse(value).ok_or_else(invalid)?),
                _ => return Err(invalid()),
            }
        }
        Ok(config)
    }

    fn is_only_disabled(&self) -> bool {
        let other = Self {
            disabled: true,
            ..Self::default()
        };
        *self == other
    }
}

impl LogLevel {
    /// Reads a level.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.to_lowercase().as_str() {
            "panic" => Self::Panic,
            "fatal" => Self::Fatal,
            "error" => Self::Error,
            "warn" | "warning" => Self::Warn,
            "info" => Self::Info,
            "debug" => Self::Debug,
            "trace" => Self::Trace,
            _ => return None,
        })
    }
}

impl fmt::Display for LogLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Panic => "panic",
            Self::Fatal => "fatal",
            Self::Error => "error",
            Self::Warn => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        })
    }
}

/// Policies that are evaluated together, with their settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicySet {
    /// The files; the Dockerfile's own policy is the empty list.
    pub files: Vec<String>,
    /// True for the Dockerfile's own policy.
    pub is_default: bool,
    /// Refuse daemons that cannot ask during the build.
    pub strict: bool,
    /// What it says in the progress.
    pub log_level: Option<LogLevel>,
}

/// The policies of a build: that of the Dockerfile, unless there is none or it is reset, then those
/// configured. `None` if policies are disabled.
///
/// # Errors
/// [`ConfigError::Disabled`] if `disabled` comes with anything else.
pub fn combine(
    has_default: bool,
    configs: &[PolicyConfig],
) -> Result<Option<Vec<PolicySet>>, ConfigError> {
    if configs.iter().any(|config| config.disabled) {
        return match configs {
            [only] if only.is_only_disabled() => Ok(None),
            _ => Err(ConfigError::Disabled),
        };
    }
    let own = has_default.then(|| PolicySet {
        is_default: true,
        ..PolicySet::default()
    });
    let mut sets: Vec<PolicySet> = own.into_iter().collect();
    let mut inherited = PolicyConfig::default();
    for config in configs {
        if config.reset {
            sets.clear();
        }
        if config.files.is_empty() {
            match sets.last_mut() {
                None => inherited = config.clone(),
                Some(last) => {
                    last.strict = config.strict.unwrap_or(last.strict);
                    last.log_level = config.log_level.or(last.log_level);
                }
            }
            continue;
        }
        sets.push(PolicySet {
            files: config.files.clone(),
            is_default: false,
            strict: config.strict.or(inherited.strict).unwrap_or(false),
            log_level: config.log_level.or(inherited.log_level),
        });
    }
    Ok(Some(sets))
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// The fields of a line of CSV.
fn fields(text: &str) -> Result<Vec<String>, ConfigError> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, tail) = match rest.strip_prefix('"') {
            None => match rest.split_once(',') {
                Some((field, tail)) => (field.to_owned(), Some(tail)),
                None => (rest.to_owned(), None),
            },
            Some(quoted) => quoted_field(quoted).ok_or_else(|| ConfigError::Quotes {
                text: text.to_owned(),
            })?,
        };
        fields.push(field);
        match tail {
            Some(tail) => rest = tail,
            None => return Ok(fields),
        }
    }
}

/// A field after its opening quote, and what follows its comma.
fn quoted_field(text: &str) -> Option<(String, Option<&str>)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (part, tail) = rest.split_once('"')?;
        field.push_str(part);
        if let Some(more) = tail.strip_prefix('"') {
            field.push('"');
            rest = more;
            continue;
        }
        return match tail.strip_prefix(',') {
            Some(next) => Some((field, Some(next))),
            None => tail.is_empty().then_some((field, None)),
        };
    }
}
