//! The settings of `--policy` and of bake's `policy`: which policies are used, and how.

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

/// `disabled` with other settings.
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
    /// Refuse daemons that cannot ask during the build.
    pub strict: bool,
    /// What it says in the progress.
    pub log_level: Option<LogLevel>,
}

/// The policies of a build: that of the Dockerfile, unless there is none or it is reset, then those
/// configured. `None` if policies are disabled.
///
/// # Errors
/// [`DisabledWithOthers`] if `disabled` comes with anything else.
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
