//! OpenTelemetry's variables: names for traces and for all signals, and lists of pairs.

use super::SettingProblem;
use crate::text::percent_decoded;

/// The names of a setting: the variable for traces takes precedence over the one for all signals.
pub(super) type Names = [&'static str; 2];

/// A set variable and its value.
pub(super) struct Set {
    pub(super) variable: &'static str,
    pub(super) value: String,
}

/// The first variable that is set; an empty one counts as unset.
pub(super) fn first(variable: &impl Fn(&str) -> Option<String>, names: Names) -> Option<Set> {
    names.into_iter().find_map(|name| {
        let value = variable(name)?.trim().to_owned();
        (!value.is_empty()).then_some(Set {
            variable: name,
            value,
        })
    })
}

/// A list of `NAME=VALUE`, separated by commas, with percent-encoded values.
pub(super) fn pairs(
    variable: &'static str,
    list: &str,
) -> Result<Vec<(String, String)>, SettingProblem> {
    let mut pairs = Vec::new();
    for (number, entry) in (1..).zip(list.split(',')) {
        if entry.trim().is_empty() {
            continue;
        }
        let problem = SettingProblem::Pair { variable, number };
        let pair = entry.split_once('=').and_then(|(name, value)| {
            let name = name.trim();
            let value = decoded(value.trim())?;
            (!name.is_empty()).then(|| (name.to_owned(), value))
        });
        pairs.push(pair.ok_or(problem)?);
    }
    Ok(pairs)
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(percent_decoded(text)?).ok()
}
