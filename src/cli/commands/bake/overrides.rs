//! Flags that are shorthands for `--set` on all targets.

use solvekit::bake::target::{Attest, Policy};

use solvekit::pipeline::csv_fields;

use super::BakeArgs;
use crate::cli::args::values;
use crate::cli::report::Failure;
use crate::cli::report::usage::BakeUsage;

/// The effect of the flags on policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policies {
    /// No effect, except for the overrides.
    AsDeclared,
    /// No policy is evaluated.
    Disabled,
}

/// The overrides of all flags together.
#[derive(Debug)]
pub(super) struct Overrides {
    pub(super) texts: Vec<String>,
    pub(super) policies: Policies,
}

/// The overrides of `--set`, followed by those of the shorthand flags.
pub(super) fn texts(args: &BakeArgs) -> Result<Overrides, Failure> {
    let mut texts = args.set.clone();
    if args.push {
        texts.push("*.push=true".to_owned());
    }
    if args.load {
        texts.push("*.load=true".to_owned());
    }
    if let Some(name) = call(&args.call, args.check)? {
        texts.push(format!("*.call={name}"));
    }
    for (key, value) in [("no-cache", args.no_cache), ("pull", args.pull)] {
        texts.extend(value.map(|value| format!("*.{key}={value}")));
    }
    for (kind, value) in [("sbom", &args.sbom), ("provenance", &args.provenance)] {
        let attestation = Attest::shorthand(kind, value.as_deref().unwrap_or_default());
        texts.extend(attestation.map(|text| format!("*.attest={text}")));
    }
    let policies = policies(&args.policy, &mut texts)?;
    Ok(Overrides { texts, policies })
}

/// The method of `--call`; `None` for a build. The frontend decides which methods exist.
fn call(text: &str, check: bool) -> Result<Option<String>, Failure> {
    let invalid = |reason: String| {
        Failure::from(BakeUsage::Call {
            text: text.to_owned(),
            reason,
        })
    };
    let mut name: Option<String> = None;
    for field in csv_fields(text).map_err(|error| invalid(error.to_string()))? {
        match field.split_once('=') {
            Some(("format", _)) => {}
            Some(("ignorestatus", value)) => drop(values::boolean(value).map_err(invalid)?),
            Some((key, _)) => return Err(invalid(format!("there is no field {key:?}"))),
            None if name.is_some() => return Err(invalid("it names two methods".to_owned())),
            None => name = Some(field),
        }
    }
    // Frontends know this method by its older name.
    Ok(match name.as_deref() {
        _ if check => Some("lint".to_owned()),
        Some("check") => Some("lint".to_owned()),
        Some("build") => None,
        _ => Some(name.unwrap_or_default()),
    })
}

/// Parses `--policy`: turns policies off or configures them. Policy files can only be set in bake
/// files.
fn policies(given: &[String], texts: &mut Vec<String>) -> Result<Policies, Failure> {
    for text in given {
        let invalid = |reason: String| Failure::new(format!("--policy {text}: {reason}"));
        let policy = Policy::parse(text).map_err(|error| invalid(error.to_string()))?;
        if !policy.files.is_empty() || policy.reset {
            let what = if policy.reset { "reset" } else { "filename" };
            let text = text.clone();
            return Err(BakeUsage::Policy { text, what }.into());
        }
        if policy.disabled {
            if policy.strict.is_some() || policy.log_level.is_some() || given.len() > 1 {
                return Err(invalid(
                    "policies that are disabled have no settings".to_owned(),
                ));
            }
            return Ok(Policies::Disabled);
        }
        texts.push(format!("*.policy+={text}"));
    }
    Ok(Policies::AsDeclared)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(given: &[&str]) -> Result<(Policies, Vec<String>), Failure> {
        let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
        let mut texts = Vec::new();
        policies(&given, &mut texts).map(|policies| (policies, texts))
    }

    #[test]
    fn a_check_is_called_by_its_older_name() {
        let name = |text, check| call(text, check).unwrap();
        assert_eq!(name("build", false), None);
        assert_eq!(name("build", true).as_deref(), Some("lint"));
        assert_eq!(name("check,format=json", false).as_deref(), Some("lint"));
        assert_eq!(name("outline", false).as_deref(), Some("outline"));
        for bad in [
            "outline,bogus=1",
            "outline,targets",
            "outline,ignorestatus=x",
        ] {
            assert!(call(bad, false).is_err(), "{bad}");
        }
    }

    #[test]
    fn policies_get_settings_or_are_turned_off() {
        let (policies, texts) = run(&["strict=true"]).unwrap();
        assert_eq!(policies, Policies::AsDeclared);
        assert_eq!(texts, ["*.policy+=strict=true"]);
        assert_eq!(run(&["disabled=true"]).unwrap().0, Policies::Disabled);
        for bad in [
            &["filename=x"][..],
            &["reset=true"],
            &["disabled=true", "strict=true"],
            &["x"],
        ] {
            assert!(run(bad).is_err(), "{bad:?}");
        }
    }
}
