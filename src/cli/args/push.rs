//! Options of pushes: `--push-retries`, `--push-from` and `--sign`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use solvekit::files::read_at_most;
use solvekit::pipeline::{Output, PushRetries};
use solvekit::registry::{ClientOptions, RetryPolicy};
use solvekit::sign::{SignCommand, Signer, SigningKey};
use solvekit::spread::{Publish, PushFrom};

use super::headings::{OUTPUTS, REGISTRIES};
use super::values;
use crate::cli::environment::Environment;
use crate::cli::report::Failure;
use crate::cli::report::usage::PushUsage;

/// The size limit of a key in bytes; keys have a few hundred.
const KEY: u64 = 1 << 20;

#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = REGISTRIES)]
pub(crate) struct PushRetryArgs {
    /// Retry a push that fails for a transient reason (5xx, 429, a timeout, a broken connection)
    /// this many times [default: 2 for the daemon's pushes, 5 for each request from here]
    #[arg(long, value_name = "N", value_parser = values::number::<u32>(0..=100, 3))]
    push_retries: Option<u32>,
}

impl PushRetryArgs {
    /// The retries of pushes by daemons.
    pub(crate) fn of_daemon(&self) -> PushRetries {
        let mut retries = PushRetries::default();
        if let Some(times) = self.push_retries {
            retries.policy.times = times;
        }
        retries
    }

    /// The retries of requests by this client.
    pub(crate) fn apply(&self, options: &mut ClientOptions) {
        if let Some(times) = self.push_retries {
            options.retries = RetryPolicy {
                times,
                ..options.retries.clone()
            };
        }
    }
}

// The flags for pushing, of commands that build.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct PublishArgs {
    #[command(flatten)]
    pub(crate) retries: PushRetryArgs,

    /// Choose who pushes the image: the daemon, or this client, when only this machine reaches the
    /// registry
    #[arg(help_heading = OUTPUTS, long, value_name = "WHO", default_value = "daemon")]
    push_from: From,

    /// Sign the image by its digest before its tags are set: with cosign, key=FILE (a key of
    /// cosign's; COSIGN_PASSWORD), or command=PROGRAM ARGUMENTS, where {} is REPOSITORY@DIGEST
    #[arg(
        help_heading = OUTPUTS,
        long,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "cosign",
        value_name = "SIGNER",
        value_parser = signing
    )]
    sign: Option<Signing>,
}

/// The side that pushes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum From {
    /// The daemon that builds
    #[default]
    Daemon,
    /// This client
    Client,
}

/// The signer.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Signing {
    Command(SignCommand),
    Key(PathBuf),
}

fn signing(text: &str) -> Result<Signing, String> {
    let command = match text.split_once('=') {
        Some(("key", file)) if !file.is_empty() => return Ok(Signing::Key(file.into())),
        Some(("command", line)) => SignCommand::parse(line),
        None if text == "cosign" => Some(SignCommand::cosign()),
        _ => None,
    };
    command
        .map(Signing::Command)
        .ok_or_else(|| "it is cosign, key=FILE or command=PROGRAM ARGUMENTS".to_owned())
}

impl PublishArgs {
    /// The flag that needs more than a push by the daemon.
    pub(crate) fn asked_for(&self) -> Option<&'static str> {
        match (&self.sign, self.push_from) {
            (Some(_), _) => Some("--sign"),
            (None, From::Client) => Some("--push-from"),
            (None, From::Daemon) => None,
        }
    }

    /// The options for publishing the images of these outputs. The signer is checked before
    /// anything is built.
    pub(crate) fn publish<'a>(
        &self,
        mut outputs: impl Iterator<Item = &'a Output>,
        environment: &Environment,
    ) -> Result<Publish, Failure> {
        let mut publish = Publish::default();
        publish.from = match self.push_from {
            From::Daemon => PushFrom::Daemon,
            From::Client => PushFrom::Client,
        };
        match self.asked_for() {
            Some(flag) if !outputs.any(Output::pushes) => {
                return Err(PushUsage::NothingToPush(flag).into());
            }
            _ => {}
        }
        let Some(signing) = &self.sign else {
            return Ok(publish);
        };
        publish.signer = Some(match signing {
            Signing::Command(command) => {
                let program = command.program();
                if !is_installed(program, environment) {
                    return Err(PushUsage::NoSigner(program.to_owned()).into());
                }
                Signer::Command(command.clone())
            }
            Signing::Key(path) => Signer::Key(Arc::new(read_key(path, environment)?)),
        });
        Ok(publish)
    }
}

fn read_key(path: &Path, environment: &Environment) -> Result<SigningKey, Failure> {
    let bytes = read_at_most(path, KEY).map_err(|source| PushUsage::KeyUnreadable {
        path: path.to_owned(),
        source,
    })?;
    let password = environment.cosign_password.as_ref();
    let password = password.map(|password| password.expose().as_bytes());
    let key = SigningKey::from_pem(&String::from_utf8_lossy(&bytes), password);
    Ok(key.map_err(|source| PushUsage::Key {
        path: path.to_owned(),
        source,
    })?)
}

fn is_installed(program: &str, environment: &Environment) -> bool {
    if program.contains('/') {
        return Path::new(program).is_file();
    }
    let folders = environment
        .search_path
        .iter()
        .flat_map(std::env::split_paths);
    folders
        .into_iter()
        .any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signers_are_cosign_a_key_or_a_command() {
        assert_eq!(
            signing("cosign"),
            Ok(Signing::Command(SignCommand::cosign()))
        );
        assert_eq!(signing("key=a=b.key"), Ok(Signing::Key("a=b.key".into())));
        let command = SignCommand::new("notation", &["sign", "{}"]);
        let line = "command=notation sign {}";
        assert_eq!(signing(line), Ok(Signing::Command(command)));
        for wrong in ["", "key=", "command=", "command= ", "notation", "x=y"] {
            assert!(signing(wrong).is_err(), "{wrong}");
        }
    }
}
