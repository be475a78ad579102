//! Semantic versions and version constraints, with the rules of Go's Masterminds library.

use std::cmp::Ordering;
use std::sync::LazyLock;

use regex::Regex;
use thiserror::Error;

use crate::files::Host;
use crate::value::Value;

use super::arguments::{Arguments, Fault};

/// The fault of a version or a constraint.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VersionError {
    /// The text is not a version.
    #[error("{text:?} is not a semantic version such as 1.2.3")]
    Version {
        /// The text.
        text: String,
    },
    /// The text is not a constraint.
    #[error("{text:?} is not a version constraint such as >=1.2, <2")]
    Constraint {
        /// The text.
        text: String,
    },
}

impl VersionError {
    fn version(text: &str) -> Self {
        let text = text.chars().take(100).collect();
        Self::Version { text }
    }

    fn constraint(text: &str) -> Self {
        let text = text.chars().take(100).collect();
        Self::Constraint { text }
    }
}

/// True if the version satisfies the constraint.
pub(super) fn satisfies(args: &Arguments<'_>, _: &dyn Host) -> Result<Value, Fault> {
    let version = Version::parse(args.text(0)?)?;
    let constraints = Constraints::parse(args.text(1)?)?;
    Ok(Value::Bool(constraints.allow(&version)))
}

#[derive(Debug, PartialEq, Eq)]
struct Version {
    major: u64,
    minor: u64,
    patch: u64,
    /// The pre-release; empty for a release.
    pre: String,
}

/// The pattern of a version or a constraint; `$part` is the pattern of a number.
macro_rules! version_pattern {
    ($part:literal) => {
        concat!(
            "v?(",
            $part,
            ")(\\.",
            $part,
            ")?(\\.",
            $part,
            ")?(-([0-9A-Za-z\\-]+(\\.[0-9A-Za-z\\-]+)*))?",
            "(\\+([0-9A-Za-z\\-]+(\\.[0-9A-Za-z\\-]+)*))?"
        )
    };
}

const WILD: &str = version_pattern!("[0-9|x|X|*]+");
const OPERATORS: &str = "=||!=|>|<|>=|=>|<=|=<|~|~>|\\^";

static VERSION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(concat!("^", version_pattern!("[0-9]+"), "$")).ok());
static ONE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!("^\\s*({OPERATORS})\\s*({WILD})\\s*$")).ok());
static EACH: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!("({OPERATORS})\\s*({WILD})")).ok());
static RANGE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(&format!("\\s*({WILD})\\s+-\\s+({WILD})\\s*")).ok());
static ALL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let one = format!("\\s*({OPERATORS})\\s*({WILD})\\s*");
    Regex::new(&format!(
        "^({one})((?:\\s+|,\\s*)({OPERATORS})\\s*({WILD})\\s*)*$"
    ))
    .ok()
});

impl Version {
    /// Parses a version. Minor and patch are optional, and leading zeros are allowed.
    fn parse(text: &str) -> Result<Self, VersionError> {
        let error = || VersionError::version(text);
        let parts = VERSION
            .as_ref()
            .and_then(|regex| regex.captures(text))
            .ok_or_else(error)?;
        let number = |index: usize| match parts.get(index) {
            Some(part) => part
                .as_str()
                .trim_start_matches('.')
                .parse()
                .map_err(|_| error()),
            None => Ok(0),
        };
        let pre = parts.get(5).map_or("", |part| part.as_str());
        let leading_zero = |part: &str| {
            part.len() > 1 && part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit())
        };
        if pre.split('.').any(leading_zero) {
            return Err(error());
        }
        Ok(Self {
            major: number(1)?,
            minor: number(2)?,
            patch: number(3)?,
            pre: pre.to_owned(),
        })
    }

    fn compare(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        numbers(self).cmp(&numbers(other)).then_with(|| {
            match (self.pre.is_empty(), other.pre.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => compare_pre(&self.pre, &other.pre),
            }
        })
    }
}

/// Compares part by part: numbers by value and before text, text by bytes, fewer parts first.
fn compare_pre(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(b),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Alternatives, each a list of constraints that must all be satisfied.
struct Constraints(Vec<Vec<Constraint>>);

struct Constraint {
    operator: Operator,
    version: Version,
    /// The first part that is missing or a wildcard.
    open: Open,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    Major,
    Minor,
    Patch,
}

impl Constraints {
    fn parse(text: &str) -> Result<Self, VersionError> {
        let error = || VersionError::constraint(text);
        let (Some(range), Some(all), Some(each)) = (RANGE.as_ref(), ALL.as_ref(), EACH.as_ref())
        else {
            return Err(error());
        };
        // `1.2 - 2.0` means `>= 1.2, <= 2.0`; the second version is ten groups later.
        let text = range.replace_all(text, ">= ${1}, <= ${11} ");
        let alternative = |part: &str| {
            if !all.is_match(part) {
                return Err(error());
            }
            let found = each
                .find_iter(part)
                .map(|one| Constraint::parse(one.as_str()));
            found.collect::<Result<Vec<_>, _>>()
        };
        Ok(Self(
            text.split("||")
                .map(alternative)
                .collect::<Result<_, _>>()?,
        ))
    }

    /// Pre-releases only satisfy alternatives that name a pre-release.
    fn allow(&self, version: &Version) -> bool {
        self.0.iter().any(|all| {
            let pre = all
                .iter()
                .any(|constraint| !constraint.version.pre.is_empty());
            (version.pre.is_empty() || pre) && all.iter().all(|one| one.allows(version))
        })
    }
}

impl Constraint {
    fn parse(text: &str) -> Result<Self, VersionError> {
        let error = || VersionError::constraint(text);
        let parts = ONE
            .as_ref()
            .and_then(|regex| regex.captures(text))
            .ok_or_else(error)?;
        let part = |index: usize| parts.get(index).map_or("", |part| part.as_str());
        let wild = |part: &str| matches!(part.trim_start_matches('.'), "" | "x" | "X" | "*");
        let (major, minor, pre) = (part(3), part(4), part(6));
        let (open, version) = if wild(major) {
            (Open::Major, format!("0.0.0{pre}"))
        } else if wild(minor) {
            (Open::Minor, format!("{major}.0.0{pre}"))
        } else if wild(part(5)) {
            (Open::Patch, format!("{major}{minor}.0{pre}"))
        } else {
            (Open::Nothing, part(2).to_owned())
        };
        let operator = match part(1) {
            "" | "=" => Operator::Equal,
            "!=" => Operator::NotEqual,
            ">" => Operator::Greater,
            "<" => Operator::Less,
            ">=" | "=>" => Operator::GreaterOrEqual,
            "<=" | "=<" => Operator::LessOrEqual,
            "^" => Operator::Caret,
            _ => Operator::Tilde,
        };
        Ok(Self {
            operator,
            version: Version::parse(&version).map_err(|_| error())?,
            open,
        })
    }

    fn allows(&self, version: &Version) -> bool {
        let order = version.compare(&self.version);
        match self.operator {
            Operator::Equal if self.open == Open::Nothing => order.is_eq(),
            Operator::Equal | Operator::Tilde => self.tilde(version, order),
            Operator::NotEqual => self.differs(version, order),
            Operator::Greater => self.greater(version, order),
            Operator::Less => order.is_lt(),
            Operator::GreaterOrEqual => order.is_ge(),
            Operator::LessOrEqual => self.less_or_equal(version, order),
            Operator::Caret => self.caret(version, order),
        }
    }

    fn differs(&self, version: &Version, order: Ordering) -> bool {
        let same_major = version.major == self.version.major;
        let same_minor = version.minor == self.version.minor;
        match self.open {
            Open::Nothing => order.is_ne(),
            Open::Minor => !same_major,
            Open::Patch if same_major && same_minor => {
                let pre = !(version.pre.is_empty() && self.version.pre.is_empty());
                pre && compare_pre(&version.pre, &self.version.pre).is_ne()
            }
            Open::Patch => true,
            Open::Major => order.is_ne(),
        }
    }

    fn greater(&self, version: &Version, order: Ordering) -> bool {
        match self.open {
            Open::Nothing => order.is_gt(),
            _ if version.major != self.version.major => version.major > self.version.major,
            Open::Minor => false,
            Open::Patch => version.minor > self.version.minor,
            Open::Major => order.is_gt(),
        }
    }

    fn less_or_equal(&self, version: &Version, order: Ordering) -> bool {
        match self.open {
            Open::Nothing => order.is_le(),
            _ if version.major > self.version.major => false,
            Open::Minor => true,
            _ => version.major < self.version.major || version.minor <= self.version.minor,
        }
    }

    fn tilde(&self, version: &Version, order: Ordering) -> bool {
        let zero = (self.version.major, self.version.minor, self.version.patch) == (0, 0, 0);
        if order.is_lt() {
            return false;
        }
        // `~0.0.0` and `*` allow everything.
        if zero && !matches!(self.open, Open::Minor | Open::Patch) {
            return true;
        }
        version.major == self.version.major
            && (self.open == Open::Minor || version.minor == self.version.minor)
    }

    fn caret(&self, version: &Version, order: Ordering) -> bool {
        if order.is_lt() {
            return false;
        }
        let wanted = &self.version;
        if wanted.major > 0 || self.open == Open::Minor {
            return version.major == wanted.major;
        }
        if version.major > 0 {
            return false;
        }
        if wanted.minor > 0 || self.open == Open::Patch {
            return version.minor == wanted.minor;
        }
        version.minor == 0 && version.patch == wanted.patch
    }
}
