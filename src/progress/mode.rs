//! The ways to show progress, and which to use.

use std::str::FromStr;

/// A way to show progress, as named by `--progress` and `BUILDKIT_PROGRESS`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// [`Tty`](Self::Tty) on a terminal, [`Plain`](Self::Plain) elsewhere.
    #[default]
    Auto,
    /// One flat JSON object per line, with the platform, for programs: see docs/progress.md.
    JsonLines,
    /// Shows nothing.
    None,
    /// Appends lines of text, for logs and CI.
    Plain,
    /// Shows nothing; the command prints the image's id at the end.
    Quiet,
    /// One JSON object of BuildKit's `SolveStatus` per line.
    RawJson,
    /// Redraws the display in place.
    Tty,
}

impl Mode {
    /// All modes by name, in the order of the help text.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("auto", Self::Auto),
        ("jsonl", Self::JsonLines),
        ("none", Self::None),
        ("plain", Self::Plain),
        ("quiet", Self::Quiet),
        ("rawjson", Self::RawJson),
        ("tty", Self::Tty),
    ];

    /// Returns the mode to use, never [`Auto`](Self::Auto). `environment` is the value of
    /// `BUILDKIT_PROGRESS`, which applies to `auto`.
    ///
    /// # Errors
    /// If the environment's value is not a mode, or `tty` is requested without a terminal.
    pub fn resolve(self, environment: Option<&str>, is_terminal: bool) -> Result<Self, ModeError> {
        let asked = match (self, environment) {
            (Self::Auto, Some(value)) if !value.is_empty() => value.parse()?,
            (mode, _) => mode,
        };
        match asked {
            Self::Auto if is_terminal => Ok(Self::Tty),
            Self::Auto => Ok(Self::Plain),
            Self::Tty if !is_terminal => Err(ModeError::NoTerminal),
            mode => Ok(mode),
        }
    }
}

impl Mode {
    /// Returns how many lines of a failed step's log the report repeats: few after plain output,
    /// which has just shown them, otherwise all that were kept.
    pub fn report_lines(self) -> usize {
        match self {
            Self::Plain => 10,
            _ => usize::MAX,
        }
    }
}

impl FromStr for Mode {
    type Err = ModeError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, mode)| *mode)
            .ok_or_else(|| ModeError::Unknown {
                name: name.to_string(),
            })
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let found = Self::NAMES.iter().find(|(_, mode)| mode == self);
        f.write_str(found.map_or("auto", |(name, _)| name))
    }
}

/// Why the requested way to show progress is not possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModeError {
    /// No mode has this name.
    #[error(
        "invalid progress mode {name:?}: expected auto, jsonl, none, plain, quiet, rawjson or tty"
    )]
    Unknown {
        /// The requested name.
        name: String,
    },
    /// `tty` was requested, but the output is not a terminal.
    #[error("progress mode tty needs a terminal, and the output is something else")]
    NoTerminal,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_follows_the_environment_then_the_terminal() {
        assert_eq!(Mode::Auto.resolve(None, true), Ok(Mode::Tty));
        assert_eq!(Mode::Auto.resolve(Some(""), false), Ok(Mode::Plain));
        assert_eq!(Mode::Auto.resolve(Some("rawjson"), true), Ok(Mode::RawJson));
        assert_eq!(Mode::Auto.resolve(Some("auto"), true), Ok(Mode::Tty));
        assert_eq!(Mode::Plain.resolve(Some("rawjson"), true), Ok(Mode::Plain));
    }

    #[test]
    fn a_mode_that_cannot_be_is_refused() {
        assert_eq!(Mode::Tty.resolve(None, false), Err(ModeError::NoTerminal));
        let error = Mode::Auto.resolve(Some("fancy"), true).unwrap_err();
        assert!(error.to_string().contains("\"fancy\""), "{error}");
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for (name, mode) in Mode::NAMES {
            assert_eq!(name.parse(), Ok(mode));
            assert_eq!(mode.to_string(), name);
        }
    }
}
