//! Checks values for the Kubernetes API before it is called: quantities, names, labels,
//! tolerations.

use std::time::Duration;

use super::super::{OptionProblem, TolerationProblem};
use super::objects::{Names, Toleration};
use crate::suggest::nearest;

/// The maximum length of a label's value, and of a name that becomes one.
const LABEL: usize = 63;
const SUFFIXES: [(&str, f64); 16] = [
    ("", 1.0),
    ("n", 1e-9),
    ("u", 1e-6),
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
];
const TOLERATION: [&str; 5] = ["key", "operator", "value", "effect", "tolerationSeconds"];
const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/// An amount of a resource.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantity {
    /// The original text.
    pub(super) text: String,
    /// The amount in units of the resource: CPUs, bytes.
    pub(super) amount: f64,
}

/// Parses a non-negative number with an optional exponent or Kubernetes suffix.
pub(super) fn quantity(text: &str) -> Result<Quantity, OptionProblem> {
    let wrong = || OptionProblem::Quantity;
    let end = text
        .find(|c: char| !c.is_ascii_digit() && !"+-.".contains(c))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let has_digit = number.contains(|c: char| c.is_ascii_digit());
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let exponent = suffix
        .strip_prefix(['e', 'E'])
        .and_then(|exponent| exponent.parse::<i16>().ok());
    let unit = match exponent {
        Some(exponent) => 10_f64.powi(exponent.into()),
        None => {
            let known = SUFFIXES.iter().find(|(known, _)| *known == suffix);
            known.map(|(_, unit)| *unit).ok_or_else(wrong)?
        }
    };
    let amount = number * unit;
    match has_digit && amount.is_finite() {
        true if amount < 0.0 || text.starts_with('-') => Err(OptionProblem::Negative),
        true => Ok(Quantity {
            text: text.to_owned(),
            amount,
        }),
        false => Err(wrong()),
    }
}

/// Parses `KEY=VALUE[,KEY=VALUE…]`, with optional quotes.
pub(super) fn pairs(text: &str) -> Result<Names, OptionProblem> {
    let pair = |pair: &str| {
        let pair = pair.split_once('=');
        let (key, value) = pair.ok_or(OptionProblem::Pairs)?;
        if !is_qualified(key) {
            let key = key.to_owned();
            return Err(OptionProblem::Key { key });
        }
        Ok((key.to_owned(), value.to_owned()))
    };
    text.trim_matches('"').split(',').map(pair).collect()
}

/// As `pairs`, with values that are valid for labels.
pub(super) fn labels(text: &str) -> Result<Names, OptionProblem> {
    let labels = pairs(text)?;
    match labels.values().find(|value| !is_label(value)) {
        None => Ok(labels),
        Some(value) => Err(OptionProblem::LabelValue {
            value: value.clone(),
        }),
    }
}

/// Parses `key=K,operator=Exists|Equal,value=V,effect=E,tolerationSeconds=N`; several are separated
/// by `;`.
pub(super) fn tolerations(text: &str) -> Result<Vec<Toleration>, OptionProblem> {
    let parsed = text.trim_matches('"').split(';').map(toleration);
    Ok(parsed.collect::<Result<_, _>>()?)
}

fn toleration(text: &str) -> Result<Toleration, TolerationProblem> {
    let mut toleration = Toleration::default();
    for pair in text.split(',') {
        let pair = pair
            .split_once('=')
            .map(|(name, value)| (name.trim(), value));
        let Some((name, value)) = pair else {
            return Err(TolerationProblem::Form);
        };
        let text = Some(value.to_owned());
        match name {
            "key" => toleration.key = text,
            "operator" if ["Exists", "Equal"].contains(&value) => toleration.operator = text,
            "operator" => {
                let operator = value.to_owned();
                return Err(TolerationProblem::Operator { operator });
            }
            "value" => toleration.value = text,
            "effect" if EFFECTS.contains(&value) => toleration.effect = text,
            "effect" => {
                let effect = value.to_owned();
                return Err(TolerationProblem::Effect { effect });
            }
            "tolerationSeconds" => {
                let seconds = value.parse();
                let wrong = |_| TolerationProblem::Seconds {
                    value: value.to_owned(),
                };
                toleration.toleration_seconds = Some(seconds.map_err(wrong)?);
            }
            other => {
                return Err(TolerationProblem::UnknownField {
                    field: other.to_owned(),
                    nearest: nearest(other, &TOLERATION),
                });
            }
        }
    }
    let exists = toleration.operator.as_deref() == Some("Exists");
    let has_value = toleration
        .value
        .as_ref()
        .is_some_and(|value| !value.is_empty());
    let has_key = toleration.key.as_ref().is_some_and(|key| !key.is_empty());
    let evicts = toleration.effect.as_deref() == Some("NoExecute");
    match () {
        () if exists && has_value => Err(TolerationProblem::ValueWithExists),
        () if !exists && !has_key => Err(TolerationProblem::NoKey),
        () if toleration.toleration_seconds.is_some() && !evicts => {
            Err(TolerationProblem::SecondsWithoutNoExecute)
        }
        () => Ok(toleration),
    }
}

/// Parses a positive duration as Go writes it: `90s` or `1m30s`.
pub(super) fn duration(text: &str) -> Result<Duration, OptionProblem> {
    let wrong = || OptionProblem::Duration;
    let mut seconds = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.');
        let (number, unit) = rest.split_at(end.ok_or_else(wrong)?);
        let end = unit.find(|c: char| c.is_ascii_digit() || c == '.');
        let (unit, next) = unit.split_at(end.unwrap_or(unit.len()));
        let number: f64 = number.parse().map_err(|_| wrong())?;
        seconds += number
            * match unit {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                _ => return Err(wrong()),
            };
        rest = next;
    }
    let time = Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?;
    (!time.is_zero()).then_some(time).ok_or_else(wrong)
}

/// Parses the number of pods.
pub(super) fn replicas(text: &str) -> Result<i32, OptionProblem> {
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or(OptionProblem::Count)
}

/// True for a valid name of a Deployment or StatefulSet. It is also a label's value and a prefix of
/// pod names.
pub(super) fn is_name(text: &str) -> bool {
    let part = |part: &str| {
        let inner = part
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        inner && !part.is_empty() && !part.starts_with('-') && !part.ends_with('-')
    };
    text.len() <= LABEL && text.split('.').all(part)
}

/// True for `[PREFIX/]NAME`, the key of a label or annotation.
fn is_qualified(key: &str) -> bool {
    let (prefix, name) = match key.rsplit_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let is_domain = |text: &str| text.len() <= 253 && text.split('.').all(is_name);
    !name.is_empty() && is_label(name) && prefix.is_none_or(is_domain)
}

fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let end = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    text.len() <= LABEL
        && text.chars().all(inner)
        && end(text.chars().next())
        && end(text.chars().last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_those_of_kubernetes() {
        for (text, amount) in [
            ("500m", 0.5),
            ("2", 2.0),
            ("1.5Gi", 1_610_612_736.0),
            ("1e3", 1000.0),
            ("1E", 1e18),
            (".5k", 500.0),
            ("0", 0.0),
        ] {
            assert_eq!(quantity(text).unwrap().amount, amount, "{text}");
        }
        for wrong in [
            "", "abc", "1gb", "1 Gi", "Gi", "1.2.3", "-1", "1e", "NaN", "inf",
        ] {
            assert!(quantity(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tolerations_are_read_and_checked() {
        let read = tolerations("key=a,value=b,effect=NoSchedule;operator=Exists").unwrap();
        assert_eq!(read[0].key.as_deref(), Some("a"));
        assert_eq!(read[1].operator.as_deref(), Some("Exists"));
        let read = tolerations("key=a,operator=Exists,effect=NoExecute,tolerationSeconds=60");
        assert_eq!(read.unwrap()[0].toleration_seconds, Some(60));
        for (wrong, part) in [
            ("a", "key=KEY"),
            ("ky=a", "did you mean key?"),
            ("key=a,effect=Never", "PreferNoSchedule"),
            ("key=a,operator=In", "Exists or Equal"),
            ("key=a,operator=Exists,value=b", "no value"),
            ("value=b", "without a key"),
            ("key=a,tolerationSeconds=1", "NoExecute"),
            (
                "key=a,effect=NoExecute,tolerationSeconds=1h",
                "whole number",
            ),
        ] {
            let error = tolerations(wrong).unwrap_err().to_string();
            assert!(error.contains(part), "{wrong}: {error}");
        }
    }

    #[test]
    fn labels_and_names_are_checked() {
        let read = labels("\"kubernetes.io/arch=arm64,team=\"").unwrap();
        assert_eq!(read["kubernetes.io/arch"], "arm64");
        assert_eq!(read["team"], "");
        for wrong in ["a", "=b", "a/b/c=d", "a=b c", "-a=b", "A_/b=c"] {
            assert!(labels(wrong).is_err(), "{wrong}");
        }
        assert_eq!(pairs("note=a b/c=d").unwrap()["note"], "a b/c=d");
        for name in ["a", "my-builder0", "a.b"] {
            assert!(is_name(name), "{name}");
        }
        for wrong in ["", "-a", "a-", "a_b", "A", "a..b", &"a".repeat(64)] {
            assert!(!is_name(wrong), "{wrong}");
        }
    }

    #[test]
    fn times_are_more_than_nothing() {
        assert_eq!(duration("1m30s").unwrap(), Duration::from_secs(90));
        for wrong in ["", "0s", "5", "m", "-1s", "1d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
