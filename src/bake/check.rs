//! What a target asks of this machine: found wrong before anything is built.
//!
//! The reference converts every target to build options even for `--print`. These are the checks it
//! makes on the way (buildx, `bake.toBuildOpt`), in its order. It does not look at tags, the
//! context or the Dockerfile, and neither does this.

use std::io;

use solvekit_bake::remote::is_git_over_ssh;
use solvekit_bake::target::{Output, Resources, Secret, Ssh, Target};
use solvekit_core::units::{SizeError, Ulimit, UlimitError, parse_size};

use crate::oci::{self, Platform};
use crate::pipeline::parse_annotations;
use crate::session;

/// The largest file that may be a secret.
const MAX_SECRET: u64 = 500 * 1024;
/// The id of an SSH agent that is not named.
const DEFAULT_AGENT: &str = "default";

/// What is found at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A file of that many bytes.
    File(u64),
    /// A folder.
    Folder,
    /// A socket.
    Socket,
}

/// The machine that a target would be built from.
pub trait Machine {
    /// An environment variable.
    fn variable(&self, name: &str) -> Option<String>;

    /// What is at a path; links are followed.
    ///
    /// # Errors
    ///
    /// When nothing is there, or it cannot be looked at.
    fn look(&self, path: &str) -> io::Result<Found>;

    /// Checks that a file is a private key that can be used.
    ///
    /// # Errors
    ///
    /// When it is not.
    fn check_key(&self, path: &str) -> Result<(), session::Error>;

    /// True if the standard output is a terminal, to which no archive is written.
    fn stdout_is_terminal(&self) -> bool;
}

/// Why a target cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The context is `-`.
    #[error("the context cannot be the standard input")]
    ContextFromStdin,
    /// The Dockerfile is `-`.
    #[error("the Dockerfile cannot be the standard input")]
    DockerfileFromStdin,
    /// `shm-size` is no size.
    #[error("shm-size: {0}")]
    SharedMemory(#[source] SizeError),
    /// A platform cannot be read.
    #[error("platforms: {0}")]
    Platform(#[source] oci::Error),
    /// A secret has no id.
    #[error("a secret has no id")]
    SecretWithoutId,
    /// A secret's file is missing.
    #[error("the file of the secret {id} is missing: {path}: {source}")]
    SecretFile {
        /// The secret.
        id: String,
        /// The file.
        path: String,
        /// Why it cannot be looked at.
        source: io::Error,
    },
    /// A secret's file is larger than the daemon takes.
    #[error("the secret {id} has {size} bytes; at most {MAX_SECRET} are allowed")]
    SecretTooLarge {
        /// The secret.
        id: String,
        /// Its size.
        size: u64,
    },
    /// Two agents have one id.
    #[error("the SSH agent {id:?} is given twice")]
    AgentTwice {
        /// The id.
        id: String,
    },
    /// The agent of the environment is asked for, and there is none.
    #[error("the SSH agent {id:?} is the one of SSH_AUTH_SOCK, which is not set")]
    NoAgent {
        /// The id.
        id: String,
    },
    /// A socket or key is missing.
    #[error("the SSH agent {id:?}: {path}: {source}")]
    AgentPath {
        /// The id.
        id: String,
        /// The path.
        path: String,
        /// Why it cannot be looked at.
        source: io::Error,
    },
    /// A key cannot be used.
    #[error("the SSH agent {id:?}: {path} is no key that can be used")]
    AgentKey {
        /// The id.
        id: String,
        /// The file.
        path: String,
        /// What is wrong with it.
        source: session::Error,
    },
    /// A socket is given with another socket or with keys.
    #[error("the SSH agent {id:?}: {path} is a socket, which stands alone")]
    SocketNotAlone {
        /// The id.
        id: String,
        /// The socket.
        path: String,
    },
    /// An output cannot be written.
    #[error("output type={kind}: {problem}")]
    Output {
        /// The exporter.
        kind: String,
        /// What is wrong.
        problem: OutputProblem,
    },
    /// An annotation cannot be read.
    #[error("annotations: {0}")]
    Annotation(#[source] crate::pipeline::Error),
    /// A limit cannot be read.
    #[error("ulimits: {0}")]
    Ulimit(#[source] UlimitError),
    /// A resource limit is no size.
    #[error("resources: {name}: {source}")]
    Resource {
        /// The limit.
        name: &'static str,
        /// What is wrong.
        source: SizeError,
    },
}

/// Why an output cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputProblem {
    /// A folder has to be named.
    #[error("dest is needed: the folder to write to")]
    NoFolder,
    /// A folder cannot be written to the standard output.
    #[error("a folder cannot be written to the standard output")]
    FolderToStdout,
    /// The destination is a file, and has to be a folder.
    #[error("{0} is a file, not a folder")]
    IsFile(String),
    /// The destination is a folder, and has to be a file.
    #[error("{0} is a folder, not a file")]
    IsFolder(String),
    /// The destination cannot be looked at.
    #[error("{path}: {source}")]
    Look {
        /// The destination.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Two outputs of one target go to the standard output.
    #[error("another output goes to the standard output already")]
    StdoutTwice,
    /// The standard output is a terminal.
    #[error("an archive would go to the standard output, which is a terminal")]
    Terminal,
}

/// Checks that a build could use every attribute of `target`.
///
/// # Errors
///
/// The first attribute that it could not use.
pub fn check(target: &Target, machine: &dyn Machine) -> Result<(), CheckError> {
    if target.context.as_deref() == Some("-") {
        return Err(CheckError::ContextFromStdin);
    }
    if target.dockerfile.as_deref() == Some("-") {
        return Err(CheckError::DockerfileFromStdin);
    }
    if let Some(size) = &target.shm_size {
        parse_size(size).map_err(CheckError::SharedMemory)?;
    }
    for platform in target
        .platforms
        .iter()
        .flatten()
        .flat_map(|text| text.split(','))
    {
        if !platform.eq_ignore_ascii_case("local") {
            Platform::parse(platform).map_err(CheckError::Platform)?;
        }
    }
    target
        .secrets
        .iter()
        .try_for_each(|secret| check_secret(secret, machine))?;
    check_agents(target, machine)?;
    check_outputs(target.outputs.as_deref().unwrap_or_default(), machine)?;
    parse_annotations(&target.annotations).map_err(CheckError::Annotation)?;
    for limit in &target.ulimits {
        Ulimit::parse(limit).map_err(CheckError::Ulimit)?;
    }
    target.resources.as_ref().map_or(Ok(()), check_resources)
}

fn check_secret(secret: &Secret, machine: &dyn Machine) -> Result<(), CheckError> {
    if secret.id.is_empty() {
        return Err(CheckError::SecretWithoutId);
    }
    let by_id = secret.path.is_empty() && secret.variable.is_empty();
    let path = match by_id && machine.variable(&secret.id).is_none() {
        true => &secret.id,
        false => &secret.path,
    };
    if path.is_empty() {
        return Ok(());
    }
    match machine.look(path) {
        Ok(Found::File(size)) if size > MAX_SECRET => Err(CheckError::SecretTooLarge {
            id: secret.id.clone(),
            size,
        }),
        Ok(_) => Ok(()),
        Err(source) => {
            let (id, path) = (secret.id.clone(), path.clone());
            Err(CheckError::SecretFile { id, path, source })
        }
    }
}

fn check_agents(target: &Target, machine: &dyn Machine) -> Result<(), CheckError> {
    let own = Ssh {
        id: DEFAULT_AGENT.to_owned(),
        paths: Vec::new(),
    };
    let context = target.context.as_deref().unwrap_or_default();
    let agents = match target.ssh.as_slice() {
        [] if is_git_over_ssh(context) => std::slice::from_ref(&own),
        agents => agents,
    };
    let mut known: Vec<&str> = Vec::new();
    for agent in agents {
        let id = if agent.id.is_empty() {
            DEFAULT_AGENT
        } else {
            &agent.id
        };
        if known.contains(&id) {
            return Err(CheckError::AgentTwice { id: id.to_owned() });
        }
        known.push(id);
        check_agent(id, &agent.paths, machine)?;
    }
    Ok(())
}

fn check_agent(id: &str, paths: &[String], machine: &dyn Machine) -> Result<(), CheckError> {
    let id = || id.to_owned();
    let own;
    let paths = match paths {
        [] => None,
        [path, ..] if path.is_empty() => None,
        paths => Some(paths),
    };
    let paths = match paths {
        Some(paths) => paths,
        None => {
            let socket = machine
                .variable("SSH_AUTH_SOCK")
                .filter(|path| !path.is_empty());
            own = [socket.ok_or_else(|| CheckError::NoAgent { id: id() })?];
            &own
        }
    };
    let mut socket: Option<&String> = None;
    let mut has_keys = false;
    for path in paths {
        let alone = |path: &String| CheckError::SocketNotAlone {
            id: id(),
            path: path.clone(),
        };
        if let Some(socket) = socket {
            return Err(alone(socket));
        }
        let found = machine.look(path).map_err(|source| CheckError::AgentPath {
            id: id(),
            path: path.clone(),
            source,
        })?;
        if found == Found::Socket {
            if has_keys {
                return Err(alone(path));
            }
            socket = Some(path);
        } else {
            machine
                .check_key(path)
                .map_err(|source| CheckError::AgentKey {
                    id: id(),
                    path: path.clone(),
                    source,
                })?;
            has_keys = true;
        }
    }
    Ok(())
}

fn check_outputs(outputs: &[Output], machine: &dyn Machine) -> Result<(), CheckError> {
    let mut stdout_used = false;
    for output in outputs {
        check_output(output, machine, &mut stdout_used).map_err(|problem| CheckError::Output {
            kind: output.kind.clone(),
            problem,
        })?;
    }
    Ok(())
}

fn check_output(
    output: &Output,
    machine: &dyn Machine,
    stdout_used: &mut bool,
) -> Result<(), OutputProblem> {
    let kind = output.kind.as_str();
    let tar = output.attributes.get("tar").map(String::as_str);
    let is_unpacked = matches!(tar, Some("0" | "f" | "F" | "false" | "FALSE" | "False"));
    let to_folder = kind == "local" || matches!(kind, "oci" | "docker") && is_unpacked;
    let to_file = kind == "tar" || matches!(kind, "oci" | "docker") && !is_unpacked;
    let path = output.destination.as_str();
    let look = || match machine.look(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OutputProblem::Look {
            path: path.to_owned(),
            source,
        }),
    };
    match path {
        "" if to_folder => Err(OutputProblem::NoFolder),
        "-" if to_folder => Err(OutputProblem::FolderToStdout),
        _ if to_folder => match look()? {
            None | Some(Found::Folder) => Ok(()),
            Some(_) => Err(OutputProblem::IsFile(path.to_owned())),
        },
        "" if !to_file || kind == "docker" => Ok(()),
        "" | "-" if to_file => {
            if std::mem::replace(stdout_used, true) {
                return Err(OutputProblem::StdoutTwice);
            }
            match machine.stdout_is_terminal() {
                true => Err(OutputProblem::Terminal),
                false => Ok(()),
            }
        }
        _ if to_file => match look()? {
            Some(Found::Folder) => Err(OutputProblem::IsFolder(path.to_owned())),
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

fn check_resources(limits: &Resources) -> Result<(), CheckError> {
    let memory = limits.memory.as_deref();
    let swap = limits
        .memory_swap
        .as_deref()
        .filter(|text| text.trim() != "-1");
    for (name, text) in [("memory", memory), ("memory-swap", swap)] {
        if let Some(text) = text {
            parse_size(text.trim()).map_err(|source| CheckError::Resource { name, source })?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Paths by name, and one variable.
    #[derive(Default)]
    struct Memory {
        paths: BTreeMap<&'static str, Found>,
        variable: Option<(&'static str, &'static str)>,
        is_terminal: bool,
    }

    impl Machine for Memory {
        fn variable(&self, name: &str) -> Option<String> {
            let (known, value) = self.variable?;
            (known == name).then(|| value.to_owned())
        }

        fn look(&self, path: &str) -> io::Result<Found> {
            self.paths
                .get(path)
                .copied()
                .ok_or_else(|| io::ErrorKind::NotFound.into())
        }

        fn check_key(&self, _: &str) -> Result<(), session::Error> {
            Ok(())
        }

        fn stdout_is_terminal(&self) -> bool {
            self.is_terminal
        }
    }

    fn failed(target: Target, machine: &Memory) -> String {
        check(&target, machine).unwrap_err().to_string()
    }

    fn target(change: impl FnOnce(&mut Target)) -> Target {
        let mut target = Target::default();
        change(&mut target);
        target
    }

    #[test]
    fn a_secret_by_its_id_is_a_variable_or_a_file() {
        let secret = || {
            target(|target| {
                target.secrets = vec![Secret {
                    id: "tok".into(),
                    ..Secret::default()
                }];
            })
        };
        let none = Memory::default();
        assert!(failed(secret(), &none).contains("the file of the secret tok is missing"));
        let variable = Memory {
            variable: Some(("tok", "")),
            ..Memory::default()
        };
        assert!(check(&secret(), &variable).is_ok());
        let file = Memory {
            paths: [("tok", Found::File(5))].into(),
            ..Memory::default()
        };
        assert!(check(&secret(), &file).is_ok());
        let large = Memory {
            paths: [("tok", Found::File(600_000))].into(),
            ..Memory::default()
        };
        assert!(failed(secret(), &large).contains("600000 bytes"));
        let nameless = target(|target| target.secrets = vec![Secret::default()]);
        assert_eq!(failed(nameless, &none), "a secret has no id");
    }

    #[test]
    fn an_agent_is_one_socket_or_keys() {
        let machine = Memory {
            paths: [
                ("s", Found::Socket),
                ("t", Found::Socket),
                ("k", Found::File(1)),
            ]
            .into(),
            ..Memory::default()
        };
        let agent = |paths: &[&str]| {
            let paths = paths.iter().map(|path| (*path).to_owned()).collect();
            target(|target| {
                target.ssh = vec![Ssh {
                    id: String::new(),
                    paths,
                }]
            })
        };
        assert!(check(&agent(&["s"]), &machine).is_ok());
        assert!(check(&agent(&["k", "k"]), &machine).is_ok());
        assert!(failed(agent(&["s", "t"]), &machine).contains("s is a socket"));
        assert!(failed(agent(&["k", "s"]), &machine).contains("s is a socket"));
        assert!(failed(agent(&["none"]), &machine).contains("none"));
        assert!(failed(agent(&[]), &machine).contains("SSH_AUTH_SOCK, which is not set"));
        let from_git = target(|target| target.context = Some("git@h:r".into()));
        assert!(failed(from_git, &machine).contains("SSH_AUTH_SOCK"));
    }

    #[test]
    fn outputs_need_a_place_of_the_right_kind() {
        let machine = Memory {
            paths: [("file", Found::File(1)), ("folder", Found::Folder)].into(),
            ..Memory::default()
        };
        let outputs = |texts: &[&str]| {
            let outputs = texts
                .iter()
                .map(|text| Output::parse(text).unwrap())
                .collect();
            target(|target| target.outputs = Some(outputs))
        };
        for good in [
            "type=local,dest=folder",
            "type=docker",
            "type=tar",
            "type=oci,dest=file",
        ] {
            assert!(check(&outputs(&[good]), &machine).is_ok(), "{good}");
        }
        for (bad, problem) in [
            ("type=local", "dest is needed"),
            ("type=local,dest=-", "a folder cannot be written"),
            ("type=local,dest=file", "file is a file"),
            ("type=tar,dest=folder", "folder is a folder"),
            ("type=oci,tar=false", "dest is needed"),
        ] {
            assert!(failed(outputs(&[bad]), &machine).contains(problem), "{bad}");
        }
        assert!(failed(outputs(&["type=tar", "type=oci"]), &machine).contains("already"));
        let terminal = Memory {
            is_terminal: true,
            ..Memory::default()
        };
        assert!(failed(outputs(&["type=tar"]), &terminal).contains("terminal"));
    }

    #[test]
    fn values_that_cannot_be_read_are_named() {
        let machine = Memory::default();
        let cases: [(Target, &str); 6] = [
            (target(|t| t.context = Some("-".into())), "the context"),
            (
                target(|t| t.dockerfile = Some("-".into())),
                "the Dockerfile",
            ),
            (target(|t| t.shm_size = Some("lots".into())), "shm-size"),
            (
                target(|t| t.platforms = Some(vec!["bogus".into()])),
                "platforms",
            ),
            (target(|t| t.ulimits = vec!["nofile".into()]), "ulimits"),
            (target(|t| t.annotations = vec!["x".into()]), "annotations"),
        ];
        for (target, expected) in cases {
            assert!(failed(target, &machine).starts_with(expected), "{expected}");
        }
        let limits = Resources {
            memory: Some("x".into()),
            ..Resources::default()
        };
        let limited = target(|target| target.resources = Some(limits));
        assert!(failed(limited, &machine).starts_with("resources: memory"));
    }
}
