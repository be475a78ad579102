//! Addresses that are reached through a program: its name and arguments, without a local shell. No
//! I/O.

use std::fmt;

use super::{AddressProblem, Error, Pod};

/// The remote command that serves BuildKit's gRPC on standard input and output.
const DIAL_BUILDKIT: [&str; 2] = ["buildctl", "dial-stdio"];
/// The remote command that serves an engine's API.
const DIAL_ENGINE: [&str; 3] = ["docker", "system", "dial-stdio"];
/// Options that disable prompts and set a timeout.
const SSH_OPTIONS: [&str; 5] = ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=30"];

/// The parameters of a `kube-pod://` address.
const POD_PARAMETERS: [&str; 4] = ["context", "namespace", "container", "kubeconfig"];

/// A program whose standard input and output connect to a daemon.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Process {
    program: &'static str,
    arguments: Vec<String>,
    variables: Vec<(&'static str, String)>,
    address: String,
}

impl Process {
    /// Returns the program's name, which is looked up on `PATH`.
    pub fn program(&self) -> &'static str {
        self.program
    }

    /// Returns the program's arguments.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// Returns the environment variables to set in addition to the inherited ones.
    pub fn variables(&self) -> &[(&'static str, String)] {
        &self.variables
    }

    /// Returns the pod that the address names, if it is a `kube-pod://` address.
    pub fn pod(&self) -> Option<Pod> {
        let (name, query) = split_query(self.address.strip_prefix("kube-pod://")?);
        let values = parameters(query, &POD_PARAMETERS).ok()?;
        let value = |wanted: &str| {
            let mut found = values.iter().filter(|(name, _)| name == wanted);
            found.next_back().map(|(_, value)| value.clone())
        };
        Some(Pod {
            name: name.trim_end_matches('/').to_owned(),
            namespace: value("namespace"),
            context: value("context"),
        })
    }

    /// Returns the program of a BuildKit address; `None` for other schemes than
    /// `docker-container://`, `podman-container://`, `nerdctl-container://`, `kube-pod://` and
    /// `ssh://`.
    pub(super) fn of_buildkit(text: &str) -> Option<Result<Self, Error>> {
        let (scheme, rest) = text.split_once("://")?;
        let parsed = match scheme {
            "docker-container" => container("docker", rest, &[("context", "--context")]),
            "podman-container" => container("podman", rest, &[]),
            "nerdctl-container" => container("nerdctl", rest, &[("namespace", "--namespace")]),
            "kube-pod" => pod(rest),
            "ssh" => ssh(rest, &DIAL_BUILDKIT, |socket| {
                ["--addr".to_owned(), format!("unix://{socket}")].to_vec()
            }),
            _ => return None,
        };
        Some(Self::named(text, text, parsed))
    }

    /// Returns the program of an engine behind `docker://ssh://…`.
    pub(super) fn of_engine(text: &str, rest: &str) -> Result<Self, Error> {
        let parsed = ssh(rest, &DIAL_ENGINE, |socket| {
            vec![format!("--host=unix://{socket}")]
        });
        Self::named(text, &format!("ssh://{rest}"), parsed)
    }

    fn named(text: &str, address: &str, parsed: Parsed) -> Result<Self, Error> {
        match parsed {
            Ok(Command {
                program,
                arguments,
                variables,
            }) => Ok(Self {
                program,
                arguments,
                variables,
                address: address.to_owned(),
            }),
            Err(_) if text.contains('@') && text.contains(':') && has_password(text) => {
                Err(Error::AddressWithUser)
            }
            Err(reason) => Err(Error::InvalidAddress {
                address: text.to_owned(),
                reason,
            }),
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)
    }
}

struct Command {
    program: &'static str,
    arguments: Vec<String>,
    variables: Vec<(&'static str, String)>,
}

impl Command {
    fn new(program: &'static str, arguments: Vec<String>) -> Self {
        Self {
            program,
            arguments,
            variables: Vec::new(),
        }
    }
}

type Parsed = Result<Command, AddressProblem>;

fn container(program: &'static str, rest: &str, flags: &[(&str, &str)]) -> Parsed {
    let (name, query) = split_query(rest);
    let name = name.trim_end_matches('/');
    check("container", name, |c| {
        c.is_ascii_alphanumeric() || "_.-".contains(c)
    })?;
    let mut arguments = Vec::new();
    let names: Vec<&str> = flags.iter().map(|(name, _)| *name).collect();
    for (name, value) in parameters(query, &names)? {
        let flag = flags.iter().find(|(known, _)| *known == name);
        arguments.extend(flag.map(|(_, flag)| format!("{flag}={value}")));
    }
    arguments.extend(["exec", "-i", name].map(str::to_owned));
    arguments.extend(DIAL_BUILDKIT.map(str::to_owned));
    Ok(Command::new(program, arguments))
}

fn pod(rest: &str) -> Parsed {
    let (name, query) = split_query(rest);
    let name = name.trim_end_matches('/');
    let is_identifier = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    check("pod", name, is_identifier)?;
    let mut arguments = Vec::new();
    let mut of_exec = Vec::new();
    let mut variables = Vec::new();
    for (key, value) in parameters(query, &POD_PARAMETERS)? {
        match key.as_str() {
            "context" => arguments.push(format!("--context={value}")),
            "namespace" => {
                check("namespace", &value, is_identifier)?;
                arguments.push(format!("--namespace={value}"));
            }
            // Unlike kubectl's flag, the variable accepts a list of files.
            "kubeconfig" => variables.push(("KUBECONFIG", value)),
            _ => {
                check("container", &value, is_identifier)?;
                of_exec.push(format!("--container={value}"));
            }
        }
    }
    arguments.push("exec".to_owned());
    arguments.extend(of_exec);
    arguments.extend(["-i", name, "--"].map(str::to_owned));
    arguments.extend(DIAL_BUILDKIT.map(str::to_owned));
    Ok(Command {
        variables,
        ..Command::new("kubectl", arguments)
    })
}

/// Parses `[user@]host[:port][/socket]`. The remote shell interprets the command after the host, so
/// only characters without a special meaning are allowed.
fn ssh(rest: &str, command: &[&str], of_socket: impl Fn(&str) -> Vec<String>) -> Parsed {
    if rest.contains(['?', '#']) {
        return Err(AddressProblem::AfterSocket);
    }
    let (authority, socket) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let mut arguments: Vec<String> = SSH_OPTIONS.map(str::to_owned).to_vec();
    let host = match authority.rsplit_once('@') {
        Some((user, _)) if user.contains(':') => {
            return Err(AddressProblem::Password);
        }
        Some((user, host)) => {
            check("user", user, |c| {
                c.is_ascii_alphanumeric() || "_.-\\".contains(c)
            })?;
            arguments.extend(["-l".to_owned(), user.to_owned()]);
            host
        }
        None => authority,
    };
    let (host, port) = super::address::split_port(host).ok_or(AddressProblem::HostAndPort)?;
    check("host", host, |c| {
        c.is_ascii_alphanumeric() || "_.-:%".contains(c)
    })?;
    if let Some(port) = port {
        let valid = port.parse::<u16>().is_ok_and(|port| port != 0);
        valid.then_some(()).ok_or_else(|| AddressProblem::Port {
            port: port.to_owned(),
        })?;
        arguments.extend(["-p".to_owned(), port.to_owned()]);
    }
    arguments.extend(["--".to_owned(), host.to_owned(), command[0].to_owned()]);
    if !socket.trim_matches('/').is_empty() {
        check("socket", &socket[1..], |c| {
            c.is_ascii_alphanumeric() || "_.-/+:".contains(c)
        })?;
        arguments.extend(of_socket(socket));
    }
    arguments.extend(command[1..].iter().map(|word| (*word).to_owned()));
    Ok(Command::new("ssh", arguments))
}

/// Checks that a name is not empty, does not look like a flag, and has only allowed characters.
fn check(
    part: &'static str,
    text: &str,
    allowed: impl Fn(char) -> bool,
) -> Result<(), AddressProblem> {
    match text {
        "" => Err(AddressProblem::Missing { part }),
        _ if text.starts_with('-') || !text.chars().all(allowed) => {
            let text = text.to_owned();
            Err(AddressProblem::Invalid { part, text })
        }
        _ => Ok(()),
    }
}

fn split_query(rest: &str) -> (&str, &str) {
    rest.split_once('?').unwrap_or((rest, ""))
}

fn parameters(query: &str, known: &[&str]) -> Result<Vec<(String, String)>, AddressProblem> {
    let mut found = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if !known.contains(&name) {
            return Err(AddressProblem::UnknownParameter {
                name: name.to_owned(),
                known: known.iter().map(|name| (*name).to_owned()).collect(),
            });
        }
        if !value.is_empty() {
            let value = percent_decoded(value).ok_or_else(|| AddressProblem::NotEncoded {
                value: value.to_owned(),
            })?;
            found.push((name.to_owned(), value));
        }
    }
    Ok(found)
}

/// Decodes the percent-encoding of a query's value; `None` if it is malformed or not UTF-8.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let bytes = crate::text::percent_decoded(&text.replace('+', " "))?;
    let decoded = String::from_utf8(bytes).ok();
    decoded.filter(|decoded| !decoded.contains('\0'))
}

fn has_password(text: &str) -> bool {
    let authority = text.rsplit("://").next().unwrap_or_default();
    authority
        .split_once('@')
        .is_some_and(|(user, _)| user.contains(':'))
}

#[cfg(test)]
mod tests;
