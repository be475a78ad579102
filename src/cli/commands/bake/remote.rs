//! Remote definitions: `bake URL [CONTEXT-URL] [TARGET…]`. The daemon fetches them.

use solvekit::bake::files::DEFAULT_FILES;
use solvekit::bake::remote::{self, Place, is_git_over_ssh, is_remote};
use solvekit::bake::{FileReader, InputFile, LocalMachine, Machine, Plan, ReadError};
use solvekit::pipeline::{self, RemoteFiles, RemoteRead};
use solvekit::progress::{Mode, Summary};
use solvekit::session::{Secrets, SshAgents};
use solvekit::text::redact_url;

use super::files::WORKING_DIRECTORY;
use crate::cli::args::connection::ConnectionArgs;
use crate::cli::environment::Environment;
use crate::cli::interrupt;
use crate::cli::report::failure::with_causes;
use crate::cli::report::usage::{BAKE_LOGIN, BakeUsage};
use crate::cli::report::{Failure, build_failure, daemon_text, display};

/// The size limit of a file that the daemon reads, in bytes.
const MAX_BYTES: u64 = 8 << 20;
/// Variables and the secrets that they set, only for the host of the definition.
const LOGINS: [(&str, &str); 2] = [
    ("BUILDX_BAKE_GIT_AUTH_TOKEN", "GIT_AUTH_TOKEN"),
    ("BUILDX_BAKE_GIT_AUTH_HEADER", "GIT_AUTH_HEADER"),
];

/// The parsed arguments of the command.
pub(super) struct Asked<'a> {
    /// The URL of a remote definition.
    pub(super) url: Option<&'a str>,
    /// `BAKE_CMD_CONTEXT`
    pub(super) context: &'a str,
    /// Groups and targets.
    pub(super) targets: &'a [String],
}

impl<'a> Asked<'a> {
    /// The first URL is the definition, the second one the command's context.
    pub(super) fn of(arguments: &'a [String]) -> Self {
        let mut asked = Self {
            url: None,
            context: WORKING_DIRECTORY,
            targets: arguments,
        };
        if let Some((url, rest)) = leading_url(asked.targets) {
            (asked.url, asked.targets) = (Some(url), rest);
            if let Some((context, rest)) = leading_url(asked.targets) {
                (asked.context, asked.targets) = (context, rest);
            }
        }
        asked
    }
}

fn leading_url(arguments: &[String]) -> Option<(&str, &[String])> {
    let (first, rest) = arguments.split_first()?;
    is_remote(first).then_some((first.as_str(), rest))
}

/// The files that were read, and the base of their relative contexts.
#[derive(Default)]
pub(super) struct Fetched {
    pub(super) files: Vec<InputFile>,
    /// `None` if a single file was fetched: then contexts are local.
    pub(super) place: Option<Place>,
}

/// Reads the definition through the first node of the builder.
pub(super) async fn fetch(
    url: &str,
    names: &[String],
    mode: Mode,
    machine: &dyn Machine,
    connection: &ConnectionArgs,
    environment: &Environment,
) -> Result<Fetched, Failure> {
    let say = |line: &str| display::boot(mode, line);
    let cancelled = interrupt::token()?;
    let (client, _) = connection.connect_for(environment, &[], &say).await?;
    let mut read = RemoteRead::default();
    read.url = url.to_owned();
    read.optional = names.is_empty();
    read.names = match names {
        [] => DEFAULT_FILES.map(str::to_owned).to_vec(),
        names => names.to_vec(),
    };
    read.limit = MAX_BYTES;
    read.secrets = secrets(url, machine)?;
    read.ssh_agents = agents(url, machine)?;
    let mut run = pipeline::Environment::default();
    run.credentials = environment.credentials()?.into();
    run.cancelled = cancelled;
    let shown = redact_url(url);
    let files = pipeline::read_remote_files(&client, read, &run).await;
    let files = files.map_err(|error| {
        let failure = build_failure::explain(&error, &Summary::default(), Mode::Plain)
            .with_prefix(&format!("cannot read the bake file of {shown}"));
        match daemon_text::wants_login(&with_causes(&error)) {
            true => failure.advised(Some(BAKE_LOGIN.to_owned())),
            false => failure,
        }
    })?;
    let (files, place) = match files {
        RemoteFiles::Git(files) => (files, Some(Place::Git)),
        RemoteFiles::Archive(files) => (files, Some(Place::Archive)),
        RemoteFiles::File(bytes) => (vec![(shown.clone(), bytes)], None),
        _ => (Vec::new(), None),
    };
    if let Some((name, _)) = files.iter().find(|(_, it)| it.len() as u64 > MAX_BYTES) {
        return Err(Failure::new(format!(
            "cannot read {name} of {shown}: it is larger than {MAX_BYTES} bytes"
        )));
    }
    let filled = files.into_iter().filter(|(_, bytes)| !bytes.is_empty());
    Ok(Fetched {
        files: filled
            .map(|(name, bytes)| InputFile { name, bytes })
            .collect(),
        place,
    })
}

/// The credentials for the host of the definition. Targets do not get them.
fn secrets(url: &str, machine: &dyn Machine) -> Result<Secrets, Failure> {
    let mut secrets = Secrets::new();
    let Some(host) = remote::host(url) else {
        return Ok(secrets);
    };
    for (variable, id) in LOGINS {
        if let Some(value) = machine.variable(variable).filter(|it| !it.is_empty()) {
            let added = secrets.with_value(format!("{id}.{host}"), value);
            secrets = added.map_err(|error| Failure::from_error(&error))?;
        }
    }
    Ok(secrets)
}

/// The SSH keys of `BUILDX_BAKE_GIT_SSH`, or else the user's agent.
fn agents(url: &str, machine: &dyn Machine) -> Result<SshAgents, Failure> {
    let agents = SshAgents::new();
    if !is_git_over_ssh(url) {
        return Ok(agents);
    }
    let keys = machine.variable("BUILDX_BAKE_GIT_SSH").unwrap_or_default();
    let keys: Vec<&str> = keys.split(',').filter(|key| !key.is_empty()).collect();
    let is_socket = |path: &str| matches!(machine.look(path), Ok(solvekit::bake::Found::Socket));
    let agents = match keys.as_slice() {
        [] => agents.with_socket("", machine.variable("SSH_AUTH_SOCK").unwrap_or_default()),
        [socket] if is_socket(socket) => agents.with_socket("", socket),
        keys => {
            let keys: Vec<_> = keys.iter().map(Into::into).collect();
            agents.with_keys("", &keys)
        }
    };
    Ok(
        agents
            .map_err(|error| BakeUsage::RemoteKeys(Failure::from_error(&error).into_message()))?,
    )
}

/// Resolves relative contexts against the place of the definition.
pub(super) fn rebase(plan: &mut Plan, url: &str, place: Place) -> Result<(), Failure> {
    remote::rebase(plan, url, place)
        .map_err(|error| BakeUsage::RemoteContexts(Failure::from_error(&error).into_message()))?;
    for (name, target) in &plan.targets {
        let context = target.context.as_deref().unwrap_or_default();
        let Some(folder) = context.strip_prefix(WORKING_DIRECTORY) else {
            continue;
        };
        let dockerfile = target.dockerfile.as_deref().unwrap_or("Dockerfile");
        let is_elsewhere = target.dockerfile_inline.is_some()
            || dockerfile.starts_with(WORKING_DIRECTORY)
            || is_remote(dockerfile);
        if !is_elsewhere && std::path::Path::new(folder).join(dockerfile).exists() {
            let (target, dockerfile) = (name.clone(), dockerfile.to_owned());
            return Err(BakeUsage::DockerfileUnclear { target, dockerfile }.into());
        }
    }
    Ok(())
}

/// This machine for a remote definition: it reads no files except the user's `.env`.
pub(super) struct NoFiles<'a>(pub(super) &'a LocalMachine);

impl FileReader for NoFiles<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        let folder = self.0.working_directory();
        match path.strip_prefix(folder).unwrap_or(path) {
            ".env" | "/.env" => self.0.read(path),
            _ => Err(ReadError::Other(
                "a definition from elsewhere reads no files of this machine".to_owned(),
            )),
        }
    }

    fn working_directory(&self) -> &str {
        self.0.working_directory()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_urls_are_the_definition_and_the_context() {
        let words = |words: &[&str]| -> Vec<String> {
            words.iter().map(|word| (*word).to_owned()).collect()
        };
        let both = words(&["https://x/a.git", "https://y/b.git", "app"]);
        let asked = Asked::of(&both);
        assert_eq!(
            (asked.url, asked.context),
            (Some("https://x/a.git"), "https://y/b.git")
        );
        assert_eq!(asked.targets, ["app"]);
        let none = words(&["app", "https://x/a.git"]);
        let asked = Asked::of(&none);
        assert_eq!((asked.url, asked.context), (None, "cwd://"));
        assert_eq!(asked.targets.len(), 2);
    }
}
