//! The proxies in Docker's configuration: build steps get them as build arguments.

use std::collections::BTreeMap;

use serde::Deserialize;
use solvekit::files::read_at_most;
use solvekit_host::sockets::DOCKER_ENGINE;

use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::library::no_json;

/// The part of `config.json` with the proxies.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    /// The keys are engine addresses, or `default`.
    proxies: BTreeMap<String, Proxies>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Proxies {
    http_proxy: String,
    https_proxy: String,
    no_proxy: String,
    ftp_proxy: String,
}

/// The size limit of the configuration, in bytes.
const LIMIT: u64 = 16 << 20;

/// Adds `HTTP_PROXY` and the others, unless a build argument with that name is given in any case.
pub(crate) fn add(
    build_args: &mut BTreeMap<String, String>,
    environment: &Environment,
) -> Result<(), Failure> {
    let Some(path) = environment
        .docker_config
        .as_ref()
        .map(|folder| folder.join("config.json"))
    else {
        return Ok(());
    };
    // A missing file sets nothing. An unreadable file is reported when credentials are read from
    // it.
    let Ok(text) = read_at_most(&path, LIMIT) else {
        return Ok(());
    };
    if text.iter().all(u8::is_ascii_whitespace) {
        return Ok(());
    }
    let config: Config = serde_json::from_slice(&text).map_err(|error| {
        // The message of serde may quote the file, which contains credentials.
        Failure::new(format!(
            "{} is not a docker configuration (line {}, column {})",
            path.display(),
            error.line(),
            error.column()
        ))
        .advised(Some(no_json(&path.display().to_string())))
    })?;
    let engine = environment.docker_host.as_deref().unwrap_or(DOCKER_ENGINE);
    extend(build_args, &config, engine);
    Ok(())
}

fn extend(build_args: &mut BTreeMap<String, String>, config: &Config, engine: &str) {
    let proxies = config.proxies.get(engine);
    let Some(proxies) = proxies.or_else(|| config.proxies.get("default")) else {
        return;
    };
    for (name, value) in [
        ("HTTP_PROXY", &proxies.http_proxy),
        ("HTTPS_PROXY", &proxies.https_proxy),
        ("NO_PROXY", &proxies.no_proxy),
        ("FTP_PROXY", &proxies.ftp_proxy),
    ] {
        let given = build_args.keys().any(|key| key.eq_ignore_ascii_case(name));
        if !given && !value.is_empty() {
            build_args.insert(name.to_owned(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = r#"{"auths": {}, "proxies": {
        "default": {"httpProxy": "http://p:1", "noProxy": "local", "allProxy": "x"},
        "tcp://e:2375": {"httpsProxy": "http://q:2", "ftpProxy": "f"}}}"#;

    fn added(given: &[&str], engine: &str) -> Vec<String> {
        let mut build_args = given
            .iter()
            .map(|name| ((*name).to_owned(), "given".to_owned()))
            .collect();
        extend(
            &mut build_args,
            &serde_json::from_str(CONFIG).unwrap(),
            engine,
        );
        build_args.iter().map(|(k, v)| format!("{k}={v}")).collect()
    }

    #[test]
    fn proxies_become_build_arguments_unless_they_are_given() {
        assert_eq!(
            added(&[], "unix:///x"),
            ["HTTP_PROXY=http://p:1", "NO_PROXY=local"]
        );
        assert_eq!(
            added(&["http_proxy"], DOCKER_ENGINE),
            ["NO_PROXY=local", "http_proxy=given"]
        );
        assert_eq!(
            added(&[], "tcp://e:2375"),
            ["FTP_PROXY=f", "HTTPS_PROXY=http://q:2"]
        );
    }
}
