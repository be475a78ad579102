//! This program as a plugin of the docker CLI: `docker solvekit build`, or `docker build` if it is
//! linked as `docker-buildx`.
//!
//! The docker CLI starts `docker-NAME [its own flags] NAME arguments…`. It runs `docker-NAME
//! docker-cli-plugin-metadata` to identify the plugin. It keeps a socket open: when that is closed,
//! the plugin has to exit.

mod alias;
mod install;
mod socket;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cli::identity::{BUILDX_VERSION, Identity, VERSION};
use crate::cli::report::Failure;
use crate::cli::report::terminal::print;

pub(crate) use alias::{AliasArgs, cmd_install, cmd_uninstall};
pub(crate) use install::{InstallPluginArgs, cmd_install_plugin};
pub(crate) use socket::closed;

/// The flags of the docker CLI that take a value.
const VALUED: [&str; 7] = [
    "--config",
    "--context",
    "--host",
    "--log-level",
    "--tlscacert",
    "--tlscert",
    "--tlskey",
];
/// Their short forms.
const SHORT: [(&str, &str); 3] = [("-c", "--context"), ("-H", "--host"), ("-l", "--log-level")];

/// The parsed arguments of the process.
#[derive(Debug, Default)]
pub(crate) struct Invocation {
    /// The command's own arguments, starting with its name.
    pub(crate) arguments: Vec<OsString>,
    /// `docker --config`: the folder of the docker CLI's configuration.
    pub(crate) config: Option<PathBuf>,
    /// `docker --host`: the engine's address.
    pub(crate) host: Option<String>,
    /// `docker --context`: the name of the docker context.
    pub(crate) context: Option<String>,
    /// `docker --debug`.
    pub(crate) debug: bool,
    /// The program that the user called.
    pub(crate) identity: Identity,
}

impl Invocation {
    /// Separates the docker CLI's flags from the arguments, if there are any.
    pub(crate) fn of(arguments: Vec<OsString>) -> Self {
        let identity = arguments.first().map(|program| Identity::of(program));
        let mut invocation = match Self::as_plugin(&arguments) {
            Some(invocation) => invocation,
            None => Self {
                arguments,
                ..Self::default()
            },
        };
        invocation.identity = identity.unwrap_or_default();
        invocation
    }

    fn as_plugin(arguments: &[OsString]) -> Option<Self> {
        let (program, rest) = arguments.split_first()?;
        let file = Path::new(program).file_name()?.to_str()?;
        let name = file.strip_prefix("docker-")?;
        let mut invocation = Self::default();
        let mut rest = rest.iter();
        let mut asked_for_help = false;
        let first = loop {
            let argument = rest.next()?;
            match argument.to_str()? {
                flag if flag.starts_with('-') => invocation.take(flag, &mut rest),
                "help" if !asked_for_help => asked_for_help = true,
                first => break first,
            }
        };
        if first != name {
            return None;
        }
        invocation.arguments.push(format!("docker {name}").into());
        invocation.arguments.extend(rest.cloned());
        if asked_for_help {
            invocation.arguments.push("--help".into());
        }
        Some(invocation)
    }

    fn take<'a>(&mut self, flag: &str, rest: &mut impl Iterator<Item = &'a OsString>) {
        let short = SHORT
            .iter()
            .find_map(|(short, long)| Some((*long, flag.strip_prefix(short)?)));
        let (name, attached) = match (short, flag.split_once('=')) {
            (Some((long, "")), _) => (long, None),
            (Some((long, value)), _) => (long, Some(value.strip_prefix('=').unwrap_or(value))),
            (None, Some((name, value))) => (name, Some(value)),
            (None, None) => (flag, None),
        };
        if !VALUED.contains(&name) {
            self.debug |= matches!(name, "-D" | "--debug");
            return;
        }
        let value = match attached {
            Some(value) => value.into(),
            None => rest.next().cloned().unwrap_or_default(),
        };
        let text = || value.to_str().map(str::to_owned);
        match name {
            "--config" => self.config = Some(PathBuf::from(&value)),
            "--host" => self.host = text(),
            "--context" => self.context = text(),
            _ => {}
        }
    }
}

/// Prints the metadata for the docker CLI's list of plugins. As buildx, it reports a buildx version
/// for programs that require one.
pub(crate) fn cmd_metadata(identity: Identity) -> Result<(), Failure> {
    let metadata = json!({
        "SchemaVersion": "0.1.0",
        "Vendor": "solvekit",
        "Version": match identity {
            Identity::Buildx => BUILDX_VERSION,
            Identity::Solvekit | Identity::Buildctl => VERSION,
        },
        "ShortDescription": "Build images for many platforms at once with BuildKit",
    });
    print(&metadata.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(arguments: &[&str]) -> (Vec<String>, Invocation) {
        let invocation = Invocation::of(arguments.iter().map(OsString::from).collect());
        let words = invocation.arguments.iter();
        (
            words
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
            invocation,
        )
    }

    #[test]
    fn the_docker_clis_own_arguments_are_taken_out() {
        let (words, invocation) = of(&[
            "/usr/libexec/docker/cli-plugins/docker-buildx",
            "--config",
            "/cfg",
            "-D",
            "-Hunix:///x.sock",
            "--context=far",
            "--tlscert",
            "c.pem",
            "buildx",
            "build",
            "--config",
            "mine",
            ".",
        ]);
        assert_eq!(words, ["docker buildx", "build", "--config", "mine", "."]);
        assert_eq!(invocation.config.as_deref(), Some(Path::new("/cfg")));
        assert_eq!(invocation.host.as_deref(), Some("unix:///x.sock"));
        assert_eq!(invocation.context.as_deref(), Some("far"));
        assert!(invocation.debug);
        assert_eq!(invocation.identity, Identity::Buildx);
        assert_eq!(of(&["docker-solvekit", "solvekit"]).0, ["docker solvekit"]);
        assert_eq!(
            of(&["docker-solvekit", "help", "solvekit"]).0,
            ["docker solvekit", "--help"]
        );
    }

    #[test]
    fn arguments_without_the_plugins_name_stay_as_they_are() {
        for arguments in [
            &["solvekit", "build", "-H", "."][..],
            &["docker-solvekit", "build", "."],
            &["docker-solvekit", "docker-cli-plugin-metadata"],
            &["docker-solvekit", "--version"],
            &["docker-solvekit", "-H"],
            &["docker-solvekit"],
            &[],
        ] {
            assert_eq!(of(arguments).0, arguments);
        }
    }
}
