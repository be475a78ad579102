//! This machine: proxies, the folders of solvekit, plugins of the docker CLI.

use std::path::{Path, PathBuf};
use std::{fs, io};

use solvekit_host::files::check_writable;
use solvekit_host::sockets::DOCKER_ENGINE;

use super::finding::Finding;
use crate::cli::args::builder::Builders;
use crate::cli::args::connection::ignored_docker_host;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;

const DAEMON: &str = "daemon";
const PROXY: &str = "proxy";
const STORE: &str = "builders";
const STATE: &str = "state";
const PLUGIN: &str = "plugin";

/// The folders of docker CLI plugins, after the one in its configuration.
const PLUGINS: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];

fn words(error: &io::Error) -> String {
    Failure::from_error(error).into_message()
}

/// `DOCKER_HOST`, which the search for a daemon ignores if it is no address.
pub(super) fn docker_host(environment: &Environment) -> Option<Finding> {
    let failure = ignored_docker_host(environment)?;
    let fix = format!("write it as {DOCKER_ENGINE}, tcp://HOST:2375 or ssh://HOST, or unset it");
    Some(Finding::of_failure(DAEMON, &failure.advised(Some(fix))))
}

/// The proxies of the environment. Requests ignore an invalid one.
pub(super) fn proxies(environment: &Environment) -> Vec<Finding> {
    let used = [
        ("HTTP_PROXY", environment.proxies.http()),
        ("HTTPS_PROXY", environment.proxies.https()),
    ];
    let findings = used.into_iter().filter_map(|(name, used)| {
        let is_set = Environment::is_set(name) || Environment::is_set(&name.to_ascii_lowercase());
        match (is_set, used) {
            (_, Some(proxy)) => Some(Finding::good(PROXY, format!("{name} is {proxy}"))),
            (true, None) => Some(Finding::broken(
                PROXY,
                format!("{name} is set, but is no address, so no proxy is used"),
                "write it as http://HOST:PORT",
            )),
            (false, None) => None,
        }
    });
    findings.collect()
}

const WRITABLE: &str = "change its owner, or name another folder with BUILDX_CONFIG";

/// The builders of this user.
pub(super) fn store(environment: &Environment) -> Vec<Finding> {
    let builders = match Builders::of(environment) {
        Ok(builders) => builders,
        Err(failure) => return vec![Finding::of_failure(STORE, &failure).or_fix(WRITABLE)],
    };
    let folder = builders.store.folder().display().to_string();
    let all = match builders.store.builders() {
        Ok(all) => all,
        Err(error) => {
            let finding = Finding::of_failure(STORE, &Failure::from(error));
            return vec![finding.or_fix(WRITABLE)];
        }
    };
    let count = all.iter().filter(|builder| builder.is_ok()).count();
    let mut findings = vec![match writable(builders.store.folder()) {
        Ok(()) => Finding::good(STORE, format!("{count} in {folder}")),
        Err(error) => Finding::broken(
            STORE,
            format!(
                "{count} in {folder}, which cannot be written: {}",
                words(&error)
            ),
            WRITABLE,
        ),
    }];
    let broken = all.into_iter().filter_map(Result::err);
    findings.extend(broken.map(|error| Finding::of_failure(STORE, &Failure::from(error))));
    findings
}

/// The folder with the records of builds.
pub(super) fn state(environment: &Environment) -> Vec<Finding> {
    let Some(folder) = &environment.state else {
        return vec![Finding::odd(
            STATE,
            "nothing is remembered of builds: there is no home folder",
            "set HOME or XDG_STATE_HOME for solvekit explain",
        )];
    };
    vec![match writable(folder) {
        Ok(()) => Finding::good(
            STATE,
            format!("builds are remembered in {}", folder.display()),
        ),
        Err(error) => Finding::odd(
            STATE,
            format!(
                "nothing is remembered of builds: {} cannot be written: {}",
                folder.display(),
                words(&error)
            ),
            "change its owner, or set XDG_STATE_HOME",
        ),
    }]
}

/// Checks that a folder can be written, or created if it is missing.
fn writable(folder: &Path) -> std::io::Result<()> {
    let there = folder.ancestors().find(|path| path.exists());
    check_writable(there.unwrap_or(folder))
}

/// The program that the docker CLI runs for `docker buildx` and `docker solvekit`.
pub(super) fn plugins(environment: &Environment) -> Vec<Finding> {
    if !environment.has_program("docker") {
        return Vec::new();
    }
    let own = std::env::current_exe().and_then(fs::canonicalize).ok();
    let own = own.as_deref();
    let names = ["buildx", "solvekit"];
    names
        .into_iter()
        .filter_map(|name| of_plugin(name, own, environment))
        .collect()
}

fn of_plugin(name: &str, own: Option<&Path>, environment: &Environment) -> Option<Finding> {
    let configured = environment.docker_config.iter();
    let configured = configured.map(|folder| folder.join("cli-plugins"));
    let folders = configured.chain(PLUGINS.map(PathBuf::from));
    let mut links = folders.map(|folder| folder.join(format!("docker-{name}")));
    let link = links.find(|link| link.symlink_metadata().is_ok())?;
    let target = fs::canonicalize(&link);
    Some(match (name, target) {
        (_, Err(error)) => Finding::broken(
            PLUGIN,
            format!(
                "docker {name} runs {}, which cannot be used: {}",
                link.display(),
                words(&error)
            ),
            match name {
                "buildx" => "link it again: solvekit install-plugin --buildx --force",
                _ => "link it again: solvekit install-plugin --force",
            },
        ),
        (_, Ok(target)) if Some(target.as_path()) == own => {
            Finding::good(PLUGIN, format!("docker {name} runs this solvekit"))
        }
        ("buildx", Ok(target)) => Finding::good(
            PLUGIN,
            format!(
                "docker buildx runs {}; solvekit install-plugin --buildx changes that",
                target.display()
            ),
        ),
        (_, Ok(target)) => Finding::odd(
            PLUGIN,
            format!("docker {name} runs another solvekit: {}", target.display()),
            "link this one: solvekit install-plugin --force",
        ),
    })
}
