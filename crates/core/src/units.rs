//! Sizes and limits in Docker's notation: `128m`, `1.5GiB`, `nofile=1024:2048`.

use std::fmt;

/// The reason a size cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SizeError {
    /// The number is missing or negative.
    #[error("{0:?} is not a size: expected a number and a unit, such as 64m")]
    Number(String),
    /// The letters after the number are not a unit.
    #[error("{0:?} is not a unit: expected b, k, m, g, t or p")]
    Unit(String),
}

/// Parses a size in bytes; units are powers of 1024, in any case, with or without `b` and `ib`.
///
/// # Errors
/// If the number or the unit is malformed.
pub fn parse_size(text: &str) -> Result<i64, SizeError> {
    let invalid = || SizeError::Number(text.to_owned());
    let is_part = |symbol: char| symbol.is_ascii_digit() || symbol == '.' || symbol == ' ';
    let at = text.rfind(is_part).ok_or_else(invalid)?;
    let (number, unit) = match text.as_bytes()[at] {
        b' ' => (&text[..at], &text[at + 1..]),
        _ => text.split_at(at + 1),
    };
    let number = parse_float(number)
        .filter(|number| *number >= 0.0)
        .ok_or_else(invalid)?;
    let lower = unit.to_lowercase();
    let factor = match lower.as_str() {
        "" | "b" => 1u64,
        _ => {
            let (letter, rest) = lower.split_at_checked(1).unwrap_or(("", ""));
            let power = "kmgtp"
                .find(letter)
                .filter(|_| ["", "b", "ib"].contains(&rest));
            match power {
                Some(power) if !letter.is_empty() => 1 << (10 * (power + 1)),
                _ => return Err(SizeError::Unit(unit.to_owned())),
            }
        }
    };
    Ok((number * factor as f64) as i64)
}

/// Parses a decimal number like Go; Rust's own parser accepts words such as `inf` in the same way.
fn parse_float(text: &str) -> Option<f64> {
    if text.is_empty() || text.starts_with(' ') || text.ends_with(' ') {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// Formats a number of bytes with four digits and a unit: `128MiB`.
pub fn show_size(bytes: i64) -> String {
    const UNITS: [&str; 9] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];
    let mut size = bytes as f64;
    let mut unit = 0;
    while size >= 1024.0 && unit < UNITS.len() - 1 {
        size /= 1024.0;
        unit += 1;
    }
    format!("{}{}", four_digits(size), UNITS[unit])
}

/// Formats a number below 1024 like `%.4g`.
fn four_digits(number: f64) -> String {
    if number.abs() >= 1000.0 {
        return format!("{number:.0}");
    }
    let whole = if number.abs() >= 100.0 {
        3
    } else if number.abs() >= 10.0 {
        2
    } else {
        1
    };
    let shown = format!("{number:.*}", 4 - whole);
    if shown.contains('.') {
        shown.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        shown
    }
}

/// A resource limit of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ulimit {
    /// The resource, such as `nofile`.
    pub name: String,
    /// The effective limit; -1 for none.
    pub soft: i64,
    /// The limit up to which `soft` can be raised; -1 for none.
    pub hard: i64,
}

/// The reason a limit cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UlimitError {
    /// The `=` is missing, or there are too many colons.
    #[error("{0:?} must have the form NAME=SOFT[:HARD]")]
    Form(String),
    /// The resource is unknown.
    #[error("{name:?} is not a limit: expected one of {}", NAMES.join(", "))]
    Name {
        /// The original name.
        name: String,
    },
    /// A limit is not a number.
    #[error("{0:?} is not a whole number, for example 1024")]
    Number(String),
    /// The soft limit is above the hard one.
    #[error("the soft limit {soft} is above the hard limit {hard}")]
    SoftAboveHard {
        /// The soft limit.
        soft: i64,
        /// The hard limit.
        hard: i64,
    },
}

const NAMES: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

impl Ulimit {
    /// Returns a limit after checking its name and order.
    ///
    /// # Errors
    /// If the name is unknown, or `soft` is above `hard`.
    pub fn new(name: &str, soft: i64, hard: i64) -> Result<Ulimit, UlimitError> {
        if !NAMES.contains(&name) {
            return Err(UlimitError::Name {
                name: name.to_owned(),
            });
        }
        if hard != -1 && (soft == -1 || soft > hard) {
            return Err(UlimitError::SoftAboveHard { soft, hard });
        }
        Ok(Ulimit {
            name: name.to_owned(),
            soft,
            hard,
        })
    }

    /// Parses `NAME=SOFT[:HARD]`.
    ///
    /// # Errors
    /// If the form, the name or a number is invalid.
    pub fn parse(text: &str) -> Result<Ulimit, UlimitError> {
        let form = || UlimitError::Form(text.to_owned());
        let (name, limits) = text.split_once('=').ok_or_else(form)?;
        if !NAMES.contains(&name) {
            return Err(UlimitError::Name {
                name: name.to_owned(),
            });
        }
        let number = |text: &str| {
            text.parse()
                .map_err(|_| UlimitError::Number(text.to_owned()))
        };
        let mut limits = limits.split(':');
        let soft = number(limits.next().unwrap_or_default())?;
        let hard = limits.next().map_or(Ok(soft), number)?;
        if limits.next().is_some() {
            return Err(form());
        }
        Ulimit::new(name, soft, hard)
    }
}

impl fmt::Display for Ulimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}:{}", self.name, self.soft, self.hard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        for (text, bytes) in [
            ("128m", 134_217_728),
            ("1.5GiB", 1_610_612_736),
            ("2 KB", 2048),
            ("7", 7),
            ("7b", 7),
            (".5k", 512),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in [
            "", "lots", "-1", "m", "1 2", "1e", "1mm", "1mib2", "1bb", "1é",
        ] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_shown_with_four_digits() {
        for (bytes, shown) in [
            (134_217_728, "128MiB"),
            (1536, "1.5KiB"),
            (1000, "1000B"),
            (1_234_567, "1.177MiB"),
            (1_048_575, "1024KiB"),
            (0, "0B"),
        ] {
            assert_eq!(show_size(bytes), shown);
        }
    }

    #[test]
    fn limits_are_read() {
        assert_eq!(Ulimit::parse("nofile=5").unwrap().to_string(), "nofile=5:5");
        assert_eq!(
            Ulimit::parse("nofile=-1:-1").unwrap().to_string(),
            "nofile=-1:-1"
        );
        assert!(matches!(Ulimit::parse("nofile"), Err(UlimitError::Form(_))));
        assert!(matches!(
            Ulimit::parse("x=1"),
            Err(UlimitError::Name { .. })
        ));
        assert!(matches!(
            Ulimit::parse("cpu=a"),
            Err(UlimitError::Number(_))
        ));
        assert!(matches!(
            Ulimit::parse("cpu=2:1"),
            Err(UlimitError::SoftAboveHard { .. })
        ));
        assert!(matches!(
            Ulimit::parse("cpu=-1:1"),
            Err(UlimitError::SoftAboveHard { .. })
        ));
    }
}
