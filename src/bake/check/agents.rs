//! SSH agents: one socket, or keys that can be used.

use solvekit_bake::remote::is_git_over_ssh;
use solvekit_bake::target::{Ssh, Target};
use solvekit_host::sockets::SSH_AGENT;

use super::{CheckError, Found, Machine};

/// The id of an SSH agent that is not named.
const DEFAULT_AGENT: &str = "default";

pub(super) fn check(target: &Target, machine: &dyn Machine) -> Result<(), CheckError> {
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
                .filter(|path| !path.is_empty())
                .or_else(|| SSH_AGENT.map(ToOwned::to_owned));
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
