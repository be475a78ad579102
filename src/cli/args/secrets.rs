//! `--secret` and `--ssh`: data for RUN that no layer contains.

use std::path::{Path, PathBuf};

use solvekit::pipeline::csv_fields;
use solvekit::session::{Secrets, SshAgents};
use solvekit_host::files::is_socket;
use solvekit_host::names::into_bytes;
use solvekit_host::sockets::SSH_AGENT;

use crate::cli::identity::Identity;
use crate::cli::report::Failure;
use crate::cli::report::terminal::warn;
use crate::cli::report::usage::{AgentUsage, SecretProblem, SecretUsage};

/// The source of a secret's value.
#[derive(Debug, PartialEq, Eq)]
enum Source {
    File(String),
    Variable(String),
    /// The variable with the id as its name if it is set, else the file.
    ById,
}

/// Parses secrets: `id=ID[,src=FILE|,env=NAME][,type=file|env]`. A Dockerfile can read every secret
/// of its build, so a variable of the environment becomes a secret only if it is named here.
///
/// Called as buildx, this program warns where solvekit refuses: about a variable that is not set,
/// a folder in place of a file, and a secret with both a file and a variable.
pub(crate) fn secrets(given: &[String], identity: Identity) -> Result<Secrets, Failure> {
    let mut secrets = Secrets::new();
    for text in given {
        let (id, value) = parse(text, identity)?;
        let variable = |name: &str| std::env::var_os(name);
        let added = match &value {
            Source::File(path) if identity == Identity::Buildx && Path::new(path).is_dir() => {
                warn(&format!(
                    "the secret {id:?} cannot be read: {path} is a folder"
                ));
                Ok(secrets.with_unchecked_file(&id, path))
            }
            Source::File(path) => secrets.with_file(&id, path),
            Source::Variable(name) => match variable(name) {
                Some(found) => secrets.with_value(&id, into_bytes(found)),
                None if identity == Identity::Buildx => {
                    warn(&format!(
                        "the build has no secret {id:?}: the environment variable {name} is not \
                         set"
                    ));
                    continue;
                }
                None => {
                    return Err(SecretUsage::Variable {
                        id: id.clone(),
                        variable: name.clone(),
                    }
                    .into());
                }
            },
            Source::ById => match variable(&id) {
                Some(found) => secrets.with_value(&id, into_bytes(found)),
                None => secrets.with_file(&id, &id),
            },
        };
        secrets = added.map_err(|source| SecretUsage::Unreadable {
            id: id.clone(),
            by_id: matches!(value, Source::ById),
            missing: missing_file(&id, &value),
            source,
        })?;
    }
    Ok(secrets)
}

/// The file of a secret, if it does not exist.
fn missing_file(id: &str, source: &Source) -> Option<String> {
    let path = match source {
        Source::File(path) => path,
        Source::ById => id,
        Source::Variable(_) => return None,
    };
    (!Path::new(path).exists()).then(|| path.to_owned())
}

/// Messages never contain a part of the value: in `--secret id=x,value` the value is meant to be
/// secret.
fn parse(text: &str, identity: Identity) -> Result<(String, Source), Failure> {
    let invalid = |problem| Failure::from(SecretUsage::Invalid(problem));
    let (mut id, mut file, mut variable, mut kind) = (None, None, None, None);
    for field in csv_fields(text).map_err(|error| invalid(SecretProblem::Csv(error)))? {
        let Some((key, value)) = field.split_once('=') else {
            return Err(invalid(SecretProblem::Form));
        };
        let place = match key.trim().to_ascii_lowercase().as_str() {
            "id" => &mut id,
            "src" | "source" => &mut file,
            "env" => &mut variable,
            "type" => &mut kind,
            other => {
                return Err(invalid(SecretProblem::Field(other.to_owned())));
            }
        };
        *place = Some(value.to_owned()).filter(|value| !value.is_empty());
    }
    let id = id.ok_or_else(|| invalid(SecretProblem::NoId))?;
    let source = match (kind.as_deref(), file, variable) {
        (None | Some("file" | "env"), file, Some(name)) if identity == Identity::Buildx => {
            if file.is_some() {
                warn(&format!(
                    "the secret {id:?} has both src= and env=; the variable is used"
                ));
            }
            Source::Variable(name)
        }
        (_, Some(_), Some(_)) => return Err(invalid(SecretProblem::TwoSources)),
        (Some("env"), Some(name), None) | (None | Some("env"), None, Some(name)) => {
            Source::Variable(name)
        }
        (None | Some("file"), Some(path), None) => Source::File(path),
        (None, None, None) => Source::ById,
        (Some("env"), None, None) => Source::Variable(id.clone()),
        (Some("file"), None, None) => Source::File(id.clone()),
        (Some("file"), None, Some(_)) => return Err(invalid(SecretProblem::FileOfVariable)),
        (Some(other), ..) => {
            return Err(invalid(SecretProblem::Kind(other.to_owned())));
        }
    };
    Ok((id, source))
}

/// Parses agents: `default`, `ID`, `ID=SOCKET`, `ID=KEY[,KEY…]`.
pub(crate) fn agents(given: &[String]) -> Result<SshAgents, Failure> {
    let mut agents = SshAgents::new();
    let mut ids: Vec<&str> = Vec::new();
    for text in given {
        let (id, paths) = match text.split_once('=') {
            Some((id, paths)) => (id, paths.split(',').map(PathBuf::from).collect()),
            None => (text.as_str(), vec![own_agent(text)?]),
        };
        if ids.contains(&id) {
            return Err(AgentUsage::Twice {
                text: text.clone(),
                id: id.to_owned(),
            }
            .into());
        }
        ids.push(id);
        let added = match paths.as_slice() {
            [path] if is_socket(path) => agents.with_socket(id, path),
            paths => match paths.iter().find(|path| is_socket(path)) {
                Some(socket) => {
                    return Err(AgentUsage::SocketAmongKeys {
                        text: text.clone(),
                        socket: socket.clone(),
                    }
                    .into());
                }
                None => agents.with_keys(id, paths),
            },
        };
        agents = added.map_err(|source| AgentUsage::Unusable {
            text: text.clone(),
            source,
        })?;
    }
    Ok(agents)
}

fn own_agent(text: &str) -> Result<PathBuf, Failure> {
    let socket = std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty());
    Ok(socket
        .or_else(|| SSH_AGENT.map(Into::into))
        .map(PathBuf::from)
        .ok_or_else(|| AgentUsage::NotRunning(text.to_owned()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        parse(text, Identity::Solvekit).unwrap().1
    }

    #[test]
    fn secrets_are_read_as_by_the_reference() {
        assert_eq!(source("id=a,src=f"), Source::File("f".into()));
        assert_eq!(source("id=a,env=E"), Source::Variable("E".into()));
        assert_eq!(source("id=a,type=env,src=E"), Source::Variable("E".into()));
        assert_eq!(source("id=a,type=env"), Source::Variable("a".into()));
        assert_eq!(source("id=a"), Source::ById);
    }

    #[test]
    fn buildx_takes_the_variable_of_two_sources() {
        for text in ["id=a,src=f,env=E", "id=a,type=file,env=E", "id=a,env=E"] {
            let (_, source) = parse(text, Identity::Buildx).unwrap();
            assert_eq!(source, Source::Variable("E".into()), "{text}");
        }
        let refused = parse("id=a,src=f,env=E", Identity::Solvekit).unwrap_err();
        assert!(
            refused.message().contains("both src= and env="),
            "{refused:?}"
        );
    }

    #[test]
    fn buildx_takes_a_folder_and_solvekit_does_not() {
        let given = ["id=a,src=.".to_owned()];
        let taken = secrets(&given, Identity::Buildx).unwrap();
        assert!(!taken.is_empty());
        let refused = secrets(&given, Identity::Solvekit).unwrap_err();
        assert!(
            refused.message().contains("cannot use . as secret a"),
            "{refused:?}"
        );
    }

    #[test]
    fn mistakes_do_not_repeat_what_may_be_secret() {
        for text in [
            "src=f",
            "id=a,hunter2",
            "id=a,src=f,env=E",
            "id=a,type=x",
            "id=a,sorce=hunter2",
            "hunter2",
        ] {
            let failure = parse(text, Identity::Solvekit).unwrap_err();
            assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
        }
    }
}
