//! The settings of `--policy` and of bake's `policy`.

/// One `--policy`: `filename=policy.rego,strict=true`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyConfig {
    /// The files.
    pub files: Vec<String>,
    /// True to drop the policies before this one, including the Dockerfile's own.
    pub reset: bool,
    /// True to use no policies.
    pub disabled: bool,
    /// True to refuse daemons that cannot ask the client during the build.
    pub strict: Option<bool>,
    /// The least severity of messages in the progress.
    pub log_level: Option<LogLevel>,
}

/// The least severity of a policy's messages in the progress.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// No messages.
    Panic,
    /// No messages.
    Fatal,
    /// No messages.
    Error,
    /// Warnings.
    Warn,
    /// Decisions, and the policy's own output.
    #[default]
    Info,
    /// Also the input document.
    Debug,
    /// As `Debug`.
    Trace,
}

/// `disabled` is combined with other settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("disabled policy cannot be combined with other policy flags")]
pub struct DisabledWithOthers;

impl PolicyConfig {
    fn is_only_disabled(&self) -> bool {
        let other = Self {
            disabled: true,
            ..Self::default()
        };
        *self == other
    }
}

/// Policies that are evaluated together, with their settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicySet {
    /// The files; the Dockerfile's own policy is the empty list.
    pub files: Vec<String>,
    /// True for the Dockerfile's own policy.
    pub is_default: bool,
    /// True to refuse daemons that cannot ask the client during the build.
    pub strict: bool,
    /// The least severity of messages in the progress.
    pub log_level: Option<LogLevel>,
}

/// Returns the policies of a build: that of the Dockerfile, if there is one and it is not reset,
/// then the configured ones. `None` if policies are disabled.
///
/// # Errors
/// [`DisabledWithOthers`] if `disabled` is combined with anything else.
pub fn combine(
    has_default: bool,
    configs: &[PolicyConfig],
) -> Result<Option<Vec<PolicySet>>, DisabledWithOthers> {
    if configs.iter().any(|config| config.disabled) {
        return match configs {
            [only] if only.is_only_disabled() => Ok(None),
            _ => Err(DisabledWithOthers),
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
