//! Finds build arguments that no ARG of the Dockerfile uses, and stages without cache that do not
//! exist.

use std::collections::{BTreeMap, BTreeSet};

use crate::dockerfile::{Dockerfile, InstructionKind};
use crate::suggest::nearest;

const ATTRIBUTE: &str = "build-arg:";
const NO_CACHE: &str = "no-cache";
/// Proxy variables, in any case, which need no ARG.
const PROXIES: [&str; 5] = [
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "no_proxy",
    "all_proxy",
];
/// Arguments that the builder itself reads, besides all with the prefix `BUILDKIT_`.
const PREDEFINED: [&str; 12] = [
    "BUILDARCH",
    "BUILDOS",
    "BUILDOSVERSION",
    "BUILDPLATFORM",
    "BUILDVARIANT",
    "SOURCE_DATE_EPOCH",
    "TARGETARCH",
    "TARGETOS",
    "TARGETOSVERSION",
    "TARGETPLATFORM",
    "TARGETSTAGE",
    "TARGETVARIANT",
];

/// Returns a line for each unused build argument. Returns none if the file has triggers, which may
/// use any.
pub(super) fn lines(dockerfile: &Dockerfile, attributes: &BTreeMap<String, String>) -> Vec<String> {
    let Some(declared) = declared(dockerfile) else {
        return Vec::new();
    };
    let candidates: Vec<&str> = declared.iter().copied().collect();
    let given = attributes
        .keys()
        .filter_map(|name| name.strip_prefix(ATTRIBUTE));
    given
        .filter(|name| !declared.contains(name) && !is_predefined(name))
        .map(|name| {
            let hint = nearest(name, &candidates)
                .map_or_else(String::new, |near| format!("; did you mean {near}?"));
            format!("the build argument {name} is not used: no ARG takes it{hint}")
        })
        .collect()
}

/// Returns a line for each stage that is to be built without cache and does not exist. The names
/// are in the attribute `no-cache`; an empty one means all stages.
pub(super) fn missing_stages(
    dockerfile: &Dockerfile,
    attributes: &BTreeMap<String, String>,
) -> Vec<String> {
    let names = dockerfile.stages.iter();
    let names: Vec<&str> = names.filter_map(|stage| stage.name.as_deref()).collect();
    let given = attributes.get(NO_CACHE).map_or("", String::as_str);
    let given = given.split(',').filter(|name| !name.is_empty());
    given
        .filter(|given| !names.iter().any(|name| name.eq_ignore_ascii_case(given)))
        .map(|given| {
            let hint = nearest(given, &names)
                .map_or_else(String::new, |near| format!("; did you mean {near}?"));
            format!("no stage is named {given}, so its cache is not ignored{hint}")
        })
        .collect()
}

/// Returns the names of all ARGs of all stages; `None` if triggers may add others.
fn declared(dockerfile: &Dockerfile) -> Option<BTreeSet<&str>> {
    let mut names = BTreeSet::new();
    for line in &dockerfile.global_args {
        names.extend(line.args.variables.iter().map(|variable| &*variable.name));
    }
    for instruction in dockerfile
        .stages
        .iter()
        .flat_map(|stage| &stage.instructions)
    {
        match &instruction.kind {
            InstructionKind::Arg(arg) => {
                names.extend(arg.variables.iter().map(|variable| &*variable.name));
            }
            InstructionKind::Onbuild(_) => return None,
            _ => {}
        }
    }
    Some(names)
}

fn is_predefined(name: &str) -> bool {
    PROXIES.contains(&&*name.to_ascii_lowercase())
        || PREDEFINED.contains(&name)
        || name.starts_with("BUILDKIT_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(dockerfile: &str, given: &[&str]) -> Vec<String> {
        let dockerfile = crate::dockerfile::parse(dockerfile.as_bytes()).unwrap();
        let attributes = given
            .iter()
            .map(|name| (format!("{ATTRIBUTE}{name}"), String::new()))
            .collect();
        lines(&dockerfile, &attributes)
    }

    #[test]
    fn arguments_that_no_arg_takes_are_named_with_the_nearest_one() {
        let file = "ARG base=a\nFROM $base AS one\nARG VERSION\nFROM scratch\nARG a b\n";
        assert_eq!(
            found(file, &["VERSOIN", "quite_other", "a", "base"]),
            [
                "the build argument VERSOIN is not used: no ARG takes it; did you mean VERSION?",
                "the build argument quite_other is not used: no ARG takes it",
            ]
        );
    }

    #[test]
    fn stages_without_cache_that_do_not_exist_are_named() {
        let file = "FROM scratch AS Build\nFROM scratch\n";
        let dockerfile = crate::dockerfile::parse(file.as_bytes()).unwrap();
        let found = |names: &str| {
            let attributes = [(NO_CACHE.to_owned(), names.to_owned())];
            missing_stages(&dockerfile, &attributes.into())
        };
        assert_eq!(
            found("build,biuld"),
            ["no stage is named biuld, so its cache is not ignored; did you mean build?"]
        );
        assert_eq!(found(""), [""; 0]);
        assert_eq!(missing_stages(&dockerfile, &BTreeMap::new()), [""; 0]);
    }

    #[test]
    fn what_the_builder_or_a_trigger_may_take_is_not_reported() {
        let builder = [
            "HTTP_PROXY",
            "no_proxy",
            "BUILDKIT_X",
            "TARGETARCH",
            "SOURCE_DATE_EPOCH",
        ];
        assert_eq!(found("FROM scratch\n", &builder), [""; 0]);
        assert_eq!(found("FROM scratch\nONBUILD ARG a\n", &["a"]), [""; 0]);
        assert_eq!(found("FROM scratch\n", &["BUILD_NUMBER"]).len(), 1);
    }
}
