//! The arguments that have a value before the first instruction: those of the platforms, those
//! before the first FROM, and the proxies.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::Error;
use crate::dockerfile::{Environment, GlobalArgs, Lexer};
use crate::llb::{Env, ProxyEnv};
use crate::oci::Platform;

impl Environment for Env {
    fn get(&self, name: &str) -> Option<&str> {
        Self::get(self, name)
    }
}

/// The platforms of a translation.
#[derive(Clone, Debug)]
pub(super) struct Platforms {
    /// The platform to build for.
    pub(super) target: Arc<Platform>,
    /// The platforms of the worker, its own first; never empty.
    pub(super) build: Vec<Platform>,
    /// True if no platform was requested.
    pub(super) implicit: bool,
}

impl Platforms {
    pub(super) fn new(target: Option<&Platform>, build: &[Platform]) -> Self {
        let build = match (build, target) {
            ([], Some(target)) => vec![target.clone()],
            ([], None) => vec![Platform::host()],
            (build, _) => build.to_vec(),
        };
        let target_or_own = target.unwrap_or(&build[0]).clone();
        Self {
            target: Arc::new(target_or_own),
            build,
            implicit: target.is_none(),
        }
    }
}

/// Returns BUILDPLATFORM, TARGETPLATFORM and their parts; build arguments of the same name override
/// them.
pub(super) fn predefined(
    platforms: &Platforms,
    stage: &str,
    overrides: &BTreeMap<String, String>,
) -> Env {
    let (build, target) = (&platforms.build[0], &*platforms.target);
    let variables = [
        ("BUILDPLATFORM", build.to_string()),
        ("BUILDOS", build.os.clone()),
        ("BUILDOSVERSION", build.os_version.clone()),
        ("BUILDARCH", build.architecture.clone()),
        ("BUILDVARIANT", build.variant.clone()),
        ("TARGETPLATFORM", target.format_all()),
        ("TARGETOS", target.os.clone()),
        ("TARGETOSVERSION", target.os_version.clone()),
        ("TARGETARCH", target.architecture.clone()),
        ("TARGETVARIANT", target.variant.clone()),
        (
            "TARGETSTAGE",
            if stage.is_empty() {
                "default".to_owned()
            } else {
                stage.to_owned()
            },
        ),
    ];
    let mut env = Env::new();
    for (name, value) in variables {
        env.set(name, overrides.get(name).unwrap_or(&value));
    }
    env
}

/// Adds the arguments before the first FROM to `env`: the build argument unchanged, else the
/// default, expanded in order.
pub(super) fn global(
    mut env: Env,
    lexer: &Lexer,
    globals: &[GlobalArgs],
    build_args: &BTreeMap<String, String>,
) -> Result<Env, Error> {
    for line in globals {
        for variable in &line.args.variables {
            if let Some(value) = build_args.get(&variable.name) {
                env.set(&variable.name, value);
            } else if let Some(default) = &variable.default {
                let value = lexer
                    .expand(default, &env)
                    .map_err(|error| Error::from(error).at(Some(line.span)))?;
                let value = value.text.into_owned();
                env.set(&variable.name, &value);
            }
        }
    }
    Ok(env)
}

/// Returns the proxies among the build arguments, in any case; of several spellings the last in
/// byte order is used.
pub(super) fn proxies(build_args: &BTreeMap<String, String>) -> Option<Arc<ProxyEnv>> {
    let mut proxies = ProxyEnv::default();
    let mut found = false;
    for (name, value) in build_args {
        let place = match name.to_ascii_lowercase().as_str() {
            "http_proxy" => &mut proxies.http,
            "https_proxy" => &mut proxies.https,
            "ftp_proxy" => &mut proxies.ftp,
            "no_proxy" => &mut proxies.no,
            "all_proxy" => &mut proxies.all,
            _ => continue,
        };
        place.clone_from(value);
        found = true;
    }
    found.then(|| Arc::new(proxies))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_count_in_any_case_and_even_when_empty() {
        let args = BTreeMap::from([
            ("HTTP_PROXY".into(), "a".into()),
            ("http_proxy".into(), "b".into()),
        ]);
        assert_eq!(proxies(&args).unwrap().http, "b");
        assert!(proxies(&BTreeMap::from([("No_Proxy".into(), String::new())])).is_some());
        assert!(proxies(&BTreeMap::from([("PROXY".into(), "x".into())])).is_none());
    }

    #[test]
    fn predefined_arguments_tell_both_platforms() {
        let target = Platform::parse("linux/arm/v7").unwrap();
        let worker = Platform::parse("linux/amd64").unwrap();
        let overrides = BTreeMap::from([("TARGETARCH".to_owned(), "mips".to_owned())]);
        let env = predefined(&Platforms::new(Some(&target), &[worker]), "", &overrides);
        for (name, value) in [
            ("BUILDPLATFORM", "linux/amd64"),
            ("TARGETPLATFORM", "linux/arm/v7"),
            ("TARGETARCH", "mips"),
            ("TARGETVARIANT", "v7"),
            ("TARGETSTAGE", "default"),
        ] {
            assert_eq!(env.get(name), Some(value), "{name}");
        }
    }
}
