//! `--secret` and `--ssh`: what RUN may use and no layer keeps.

use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

use solvekit::build::csv_fields;
use solvekit::session::{Secrets, SshAgents};

use super::Failure;

/// Where a secret comes from.
#[derive(Debug, PartialEq, Eq)]
enum Source {
    File(String),
    Variable(String),
    /// The variable of the id's name if there is one, else the file.
    ById,
}

/// All secrets: `id=ID[,src=FILE|,env=NAME][,type=file|env]`.
pub(super) fn secrets(given: &[String]) -> Result<Secrets, Failure> {
    let mut secrets = Secrets::new();
    for text in given {
        let (id, source) = parse(text)?;
        let variable = |name: &str| std::env::var_os(name);
        let value = |value: std::ffi::OsString| {
            use std::os::unix::ffi::OsStringExt as _;
            value.into_vec()
        };
        let added = match &source {
            Source::File(path) => secrets.with_file(&id, path),
            Source::Variable(name) => match variable(name) {
                Some(found) => secrets.with_value(&id, value(found)),
                None => {
                    return Err(Failure::new(format!(
                        "cannot read the secret {id:?}: the environment variable {name} is not set"
                    ))
                    .hint("export it, or name a file: --secret id=ID,src=FILE"));
                }
            },
            Source::ById => match variable(&id) {
                Some(found) => secrets.with_value(&id, value(found)),
                None => secrets.with_file(&id, &id),
            },
        };
        secrets = added.map_err(|error| {
            Failure::from_error(&error)
                .hint("--secret id=ID,src=FILE reads a file, --secret id=ID,env=NAME a variable")
        })?;
    }
    Ok(secrets)
}

/// Nothing of a value is repeated in a message: whoever writes `--secret id=x,value` means the value to stay secret.
fn parse(text: &str) -> Result<(String, Source), Failure> {
    let invalid = |reason: String| {
        Failure::new(format!("invalid --secret: {reason}")).hint(
            "a secret is id=ID, then src=FILE or env=NAME, for example --secret id=npm,src=$HOME/.npmrc",
        )
    };
    let (mut id, mut file, mut variable, mut kind) = (None, None, None, None);
    for field in csv_fields(text).map_err(invalid)? {
        let Some((key, value)) = field.split_once('=') else {
            return Err(invalid("a field is not key=value".to_owned()));
        };
        let place = match key.trim().to_ascii_lowercase().as_str() {
            "id" => &mut id,
            "src" | "source" => &mut file,
            "env" => &mut variable,
            "type" => &mut kind,
            other => {
                return Err(invalid(format!(
                    "there is no field {other:?}; the fields are id, src, env and type"
                )));
            }
        };
        *place = Some(value.to_owned()).filter(|value| !value.is_empty());
    }
    let id = id.ok_or_else(|| invalid("id= is missing".to_owned()))?;
    let source = match (kind.as_deref(), file, variable) {
        (_, Some(_), Some(_)) => return Err(invalid("it has both src= and env=".to_owned())),
        (Some("env"), Some(name), None) | (None | Some("env"), None, Some(name)) => {
            Source::Variable(name)
        }
        (None | Some("file"), Some(path), None) => Source::File(path),
        (None, None, None) => Source::ById,
        (Some("env"), None, None) => Source::Variable(id.clone()),
        (Some("file"), None, None) => Source::File(id.clone()),
        (Some("file"), None, Some(_)) => return Err(invalid("type=file has no env=".to_owned())),
        (Some(other), ..) => {
            return Err(invalid(format!("type={other} is neither file nor env")));
        }
    };
    Ok((id, source))
}

/// All agents: `default`, `ID`, `ID=SOCKET`.
pub(super) fn agents(given: &[String]) -> Result<SshAgents, Failure> {
    let mut agents = SshAgents::new();
    for text in given {
        let (id, path) = match text.split_once('=') {
            Some((id, path)) => (id, path.to_owned()),
            None => {
                let socket = std::env::var("SSH_AUTH_SOCK")
                    .ok()
                    .filter(|path| !path.is_empty());
                let socket = socket.ok_or_else(|| {
                    Failure::new(format!("--ssh {text}: SSH_AUTH_SOCK is not set")).hint(
                        "start an agent (eval $(ssh-agent); ssh-add), or name its socket: --ssh default=PATH",
                    )
                })?;
                (text.as_str(), socket)
            }
        };
        check_socket(text, &path)?;
        agents = agents
            .with_socket(id, &path)
            .map_err(|error| Failure::from_error(&error))?;
    }
    Ok(agents)
}

fn check_socket(text: &str, path: &str) -> Result<(), Failure> {
    let found = Path::new(path).metadata();
    if found.is_ok_and(|found| !found.file_type().is_socket()) {
        return Err(
            Failure::new(format!("--ssh {text}: {path} is no agent's socket")).hint(format!(
                "keys are used through an agent: ssh-add {path}, then --ssh default"
            )),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        parse(text).unwrap().1
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
    fn mistakes_do_not_repeat_what_may_be_secret() {
        for text in [
            "src=f",
            "id=a,hunter2",
            "id=a,src=f,env=E",
            "id=a,type=x",
            "id=a,sorce=hunter2",
            "hunter2",
        ] {
            let failure = parse(text).unwrap_err();
            assert!(!format!("{failure:?}").contains("hunter2"), "{failure:?}");
        }
    }
}
