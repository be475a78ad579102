//! Terminal colours, as set by `BUILDKIT_COLORS`: `run=green:error=255,165,0`.

/// The terminal sequence of each kind of line; empty for no colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    run: String,
    cancel: String,
    error: String,
    warning: String,
    faint: String,
}

impl Default for Palette {
    fn default() -> Self {
        let named = |name| named(name).unwrap_or_default();
        Self {
            run: named(if cfg!(windows) { "cyan" } else { "blue" }),
            cancel: named("yellow"),
            error: named("red"),
            warning: named("yellow"),
            faint: "\x1b[2m".into(),
        }
    }
}

/// Why an entry of `BUILDKIT_COLORS` is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PaletteProblem {
    /// The entry has no `=`.
    #[error("{entry:?} is not key=color")]
    Form {
        /// The entry.
        entry: String,
    },
    /// The color is unknown.
    #[error("{color:?} is neither the name of a color nor three numbers from 0 to 255")]
    Color {
        /// The color.
        color: String,
    },
    /// The key is unknown.
    #[error("{key:?} is not run, cancel, error or warning")]
    Key {
        /// The key.
        key: String,
    },
}

/// The kinds of coloured lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Ended,
    Canceled,
    Failed,
    Warning,
    Faint,
}

impl Palette {
    /// Returns a palette without colours, for `NO_COLOR`.
    pub fn none() -> Self {
        Self {
            run: String::new(),
            cancel: String::new(),
            error: String::new(),
            warning: String::new(),
            faint: String::new(),
        }
    }

    /// Applies the value of `BUILDKIT_COLORS` to the default colours. Also returns one sentence for
    /// each invalid part.
    ///
    /// Entries are separated by `:`. A key is `run`, `cancel`, `error` or `warning`; a colour is a
    /// name (`red`, `light-red`, …) or three numbers from 0 to 255. An entry may be in double
    /// quotes.
    pub fn parse(value: &str) -> (Self, Vec<PaletteProblem>) {
        let mut palette = Self::default();
        let problems = value
            .split(':')
            .filter(|entry| !entry.is_empty())
            .filter_map(|entry| palette.set(entry).err());
        let problems = problems.collect();
        (palette, problems)
    }

    fn set(&mut self, entry: &str) -> Result<(), PaletteProblem> {
        let unquoted = entry.trim_matches('"');
        let Some((key, color)) = unquoted.split_once('=') else {
            let entry = entry.to_owned();
            return Err(PaletteProblem::Form { entry });
        };
        let Some(sequence) =
            named(&color.to_lowercase()).or_else(|| numbered(color.trim_matches('"')))
        else {
            let color = color.to_owned();
            return Err(PaletteProblem::Color { color });
        };
        match key.to_lowercase().as_str() {
            "run" => self.run = sequence,
            "cancel" => self.cancel = sequence,
            "error" => self.error = sequence,
            "warning" => self.warning = sequence,
            _ => {
                let key = key.to_owned();
                return Err(PaletteProblem::Key { key });
            }
        }
        Ok(())
    }

    pub(super) fn paint(&self, tone: Tone, text: &str) -> String {
        let sequence = match tone {
            Tone::Plain => "",
            Tone::Ended => &self.run,
            Tone::Canceled => &self.cancel,
            Tone::Failed => &self.error,
            Tone::Warning => &self.warning,
            Tone::Faint => &self.faint,
        };
        if sequence.is_empty() {
            text.to_string()
        } else {
            format!("{sequence}{text}\x1b[0m")
        }
    }
}

fn named(name: &str) -> Option<String> {
    const NAMES: [&str; 8] = [
        "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
    ];
    if name == "default" {
        return Some("\x1b[39m".into());
    }
    let (base, name) = name
        .strip_prefix("light-")
        .map_or((30, name), |name| (90, name));
    let index = NAMES.iter().position(|known| *known == name)?;
    Some(format!("\x1b[{}m", base + index))
}

/// Returns a colour of the 6×6×6 cube of 256-colour terminals.
fn numbered(numbers: &str) -> Option<String> {
    let parts: Vec<u8> = numbers
        .split(',')
        .map(|part| part.trim().parse().ok())
        .collect::<Option<_>>()?;
    let [red, green, blue] = parts[..] else {
        return None;
    };
    let step = |part: u8| u32::from(part / 43);
    Some(format!(
        "\x1b[38;5;{}m",
        16 + 36 * step(red) + 6 * step(green) + step(blue)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_names_or_three_numbers() {
        let (palette, problems) =
            Palette::parse("run=light-green:ERROR=255,0,43:\"cancel=Default\"");
        assert_eq!(problems, []);
        assert_eq!(palette.run, "\x1b[92m");
        assert_eq!(palette.error, "\x1b[38;5;197m");
        assert_eq!(palette.cancel, "\x1b[39m");
        assert_eq!(palette.warning, Palette::default().warning);
    }

    #[test]
    fn what_is_no_colour_is_named_and_the_rest_holds() {
        let (palette, problems) =
            Palette::parse("run:walk=red:error=1,2:warning=256,0,0:cancel=green");
        assert_eq!(problems.len(), 4, "{problems:?}");
        assert_eq!(palette.cancel, "\x1b[32m");
        assert_eq!(palette.run, Palette::default().run);
    }

    #[test]
    fn without_colours_text_is_just_text() {
        assert_eq!(Palette::none().paint(Tone::Failed, "x"), "x");
        assert_eq!(
            Palette::default().paint(Tone::Failed, "x"),
            "\x1b[31mx\x1b[0m"
        );
    }
}
