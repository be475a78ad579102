//! `policy`: Rego files that decide about a build's sources.

/// One policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// `filename`, as often as it was said.
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

/// How much a policy's evaluation logs.
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
