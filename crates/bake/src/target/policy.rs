//! `policy`: Rego files that allow or deny the sources of a build.

use super::error::{AttributeError, parse_bool};
use super::fields::{fields, pair};

/// One policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// All values of `filename`.
    pub files: Vec<String>,
    /// `reset`
    pub reset: bool,
    /// `disabled`
    pub disabled: bool,
    /// `strict`
    pub strict: Option<bool>,
    /// `log-level`
    pub log_level: Option<LogLevel>,
}

/// The level of a policy's log messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// `panic`
    Panic,
    /// `fatal`
    Fatal,
    /// `error`
    Error,
    /// `warn` or `warning`
    Warning,
    /// `info`
    Info,
    /// `debug`
    Debug,
    /// `trace`
    Trace,
}

impl LogLevel {
    /// Parses a level, in any case.
    ///
    /// # Errors
    /// If the level is unknown.
    pub fn parse(text: &str) -> Result<Self, AttributeError> {
        Ok(match text.to_lowercase().as_str() {
            "panic" => Self::Panic,
            "fatal" => Self::Fatal,
            "error" => Self::Error,
            "warn" | "warning" => Self::Warning,
            "info" => Self::Info,
            "debug" => Self::Debug,
            "trace" => Self::Trace,
            _ => {
                return Err(AttributeError::BadValue {
                    key: "log-level".into(),
                    value: text.to_owned(),
                    allowed: "panic, fatal, error, warn, info, debug or trace",
                });
            }
        })
    }

    /// Returns the level's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Panic => "panic",
            Self::Fatal => "fatal",
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

impl Policy {
    /// Parses `filename=policy.rego,strict=true`.
    ///
    /// # Errors
    /// If a field is not `key=value`, or its key or value is unknown.
    pub fn parse(text: &str) -> Result<Self, AttributeError> {
        Self::from_fields(&fields(text)?)
    }

    /// Parses fields of the form `key=value`.
    pub(super) fn from_fields(fields: &[String]) -> Result<Self, AttributeError> {
        let mut policy = Self::default();
        for field in fields {
            let (key, value) = pair(field)?;
            let lower = key.to_lowercase();
            match lower.trim() {
                "filename" if value.is_empty() => {
                    return Err(AttributeError::BadValue {
                        key: "filename".into(),
                        value: String::new(),
                        allowed: "a path",
                    });
                }
                "filename" => policy.files.push(value.to_owned()),
                "reset" => policy.reset = parse_bool("reset", value)?,
                "disabled" => policy.disabled = parse_bool("disabled", value)?,
                "strict" => policy.strict = Some(parse_bool("strict", value)?),
                "log-level" => policy.log_level = Some(LogLevel::parse(value)?),
                _ => {
                    return Err(AttributeError::UnknownKey {
                        what: "a policy",
                        key: key.to_owned(),
                        known: "filename, reset, disabled, strict and log-level",
                    });
                }
            }
        }
        Ok(policy)
    }
}
