//! The next step when a daemon cannot be reached, by the type of the problem.

use solvekit::client::{Address, ConnectProblem, Endpoint, Error, Stage};
use solvekit_host::sockets::{ENGINE_EXAMPLE, ENGINE_START, HAS_UNIX, LOCAL_NOUN, LOCAL_SCHEME};

use super::buildx_words;
use super::usage::Advised;

impl Advised for Error {
    fn advice(&self) -> Option<String> {
        match self {
            Self::Connect { address, source } => for_problem(source, address),
            Self::NotFound { attempts } => Some(not_found(attempts)),
            Self::ConnectionLost { .. } => Some(
                "see whether the daemon was restarted or hangs, and its log; --daemon-timeout 10m \
                 waits longer for a slow one"
                    .to_owned(),
            ),
            Self::TlsFile { .. } => Some(
                "name a file in PEM that this user can read (--tlscacert, --tlscert, --tlskey)"
                    .to_owned(),
            ),
            Self::TlsFolder { .. } => Some(
                "a TLS folder holds ca.pem, cert.pem, key.pem or ca.crt, tls.crt, tls.key"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    fn is_daemon_absent(&self) -> bool {
        self.is_daemon_absent()
    }

    fn in_buildx(&self) -> Option<String> {
        buildx_words::of_connection(self)
    }

    fn stands_alone(&self) -> bool {
        self.in_buildx().is_some()
    }
}

/// The hint for an existing but unusable address comes first: missing addresses are less important.
fn not_found(attempts: &[(Address, ConnectProblem)]) -> String {
    let hint = attempts
        .iter()
        .filter(|(_, problem)| !matches!(problem, ConnectProblem::NoSocket { .. }))
        .find_map(|(address, problem)| for_problem(problem, address));
    hint.unwrap_or_else(|| {
        format!(
            "start buildkitd, or name a daemon with BUILDKIT_HOST: {LOCAL_SCHEME}://, \
             tcp://host:1234, docker://"
        )
    })
}

fn for_problem(problem: &ConnectProblem, address: &Address) -> Option<String> {
    let is_docker = matches!(address, Address::Docker(_) | Address::Container { .. });
    let hint = match problem {
        ConnectProblem::NoSocket { .. } | ConnectProblem::Refused { .. } if is_docker => {
            format!(
                "start the Docker Engine ({ENGINE_START}), or name its {LOCAL_NOUN}: \
                 {ENGINE_EXAMPLE}"
            )
        }
        ConnectProblem::NoSocket { .. } | ConnectProblem::Refused { .. } => format!(
            "start the daemon (buildkitd --addr {address}), or name another one with BUILDKIT_HOST"
        ),
        ConnectProblem::NoProgram { program } => {
            format!("install {program}, or take another way to the daemon (tcp://)")
        }
        ConnectProblem::Program { program: "ssh", .. } => {
            "see whether ssh reaches that machine without a question, and buildctl is there"
                .to_owned()
        }
        ConnectProblem::Program { program, .. } => {
            format!("see whether {program} knows it, it runs, and buildctl is in it")
        }
        ConnectProblem::PermissionDenied { .. } if !HAS_UNIX => {
            "join the group docker-users, or run as an administrator".to_owned()
        }
        ConnectProblem::PermissionDenied { path } => format!(
            "join the group that owns the socket (ls -l {}), or run as root",
            path.display()
        ),
        ConnectProblem::Busy { .. } => {
            "wait until other clients have ended, or restart the daemon".to_owned()
        }
        ConnectProblem::Hangs { .. } => {
            "restart the engine, and see its log; --daemon-timeout 10m waits longer for a slow one"
                .to_owned()
        }
        ConnectProblem::TimedOut { stage, .. } => for_timeout(*stage)?.to_owned(),
        ConnectProblem::UnknownHost { .. } => {
            "see whether the name is right, and this machine's DNS knows it".to_owned()
        }
        ConnectProblem::NotBuildkit { .. } => usual_endpoint(&address.endpoint())?.to_owned(),
        ConnectProblem::WebServer { .. } if !is_docker => format!(
            "if a Docker Engine listens there, its address is docker://{}",
            without_scheme(&address.endpoint())
        ),
        ConnectProblem::EngineWithoutBuildkit { .. } => {
            "this needs a Docker Engine 23 or newer; Podman has no BuildKit".to_owned()
        }
        other => for_tls(other)?.to_owned(),
    };
    Some(hint)
}

fn for_timeout(stage: Stage) -> Option<&'static str> {
    match stage {
        Stage::Opening => Some("see whether a firewall drops the connection"),
        Stage::FirstCall => Some("see whether the daemon hangs, or something else listens there"),
        _ => None,
    }
}

fn usual_endpoint(endpoint: &Endpoint) -> Option<&'static str> {
    match endpoint {
        Endpoint::Unix(_) => {
            Some("the socket of buildkitd is usually /run/buildkit/buildkitd.sock")
        }
        Endpoint::Pipe(_) => Some("the pipe of buildkitd is usually //./pipe/buildkitd"),
        Endpoint::Process(_) => None,
        Endpoint::Tcp { .. } => Some("the port of buildkitd is usually 1234"),
    }
}

fn for_tls(problem: &ConnectProblem) -> Option<&'static str> {
    Some(match problem {
        ConnectProblem::TlsRequired => {
            "give the CA and the client's certificate (--tlscacert, --tlscert, --tlskey or \
             --tlsdir)"
        }
        ConnectProblem::TlsNotSpoken => {
            "leave out the TLS options, or start buildkitd with --tlscert and --tlskey"
        }
        ConnectProblem::ServerCertificate { .. } => {
            "give the CA that signed it (--tlscacert), and the name that is in it if that is not \
             the host's (--tlsservername)"
        }
        ConnectProblem::ClientCertificateRejected { .. } => {
            "use a certificate that is signed by the CA of the daemon's --tlscacert"
        }
        ConnectProblem::ClientCertificateRequired => {
            "give the client's certificate and key (--tlscert, --tlskey)"
        }
        _ => return None,
    })
}

fn without_scheme(endpoint: &Endpoint) -> String {
    let text = endpoint.to_string();
    let bare = text.split_once("://").map(|(_, rest)| rest.to_owned());
    bare.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(address: &str, problem: ConnectProblem) -> String {
        let error = Error::Connect {
            address: Address::parse(address).unwrap(),
            source: Box::new(problem),
        };
        error.advice().unwrap_or_default()
    }

    fn no_socket() -> ConnectProblem {
        ConnectProblem::NoSocket {
            path: "/run/b.sock".into(),
        }
    }

    #[test]
    fn a_daemon_that_does_not_run_is_started_by_its_own_means() {
        assert_eq!(
            advice("unix:///run/b.sock", no_socket()),
            "start the daemon (buildkitd --addr unix:///run/b.sock), or name another one with \
             BUILDKIT_HOST"
        );
        assert!(advice("docker:///run/d.sock", no_socket()).starts_with("start the Docker Engine"));
    }

    #[test]
    fn a_web_server_may_be_an_engine() {
        let problem = || ConnectProblem::WebServer {
            answer: "HTTP/1.1 400 Bad Request".to_owned(),
        };
        assert_eq!(
            advice("tcp://[::1]:2375", problem()),
            "if a Docker Engine listens there, its address is docker://[::1]:2375"
        );
        assert_eq!(advice("docker://host:2375", problem()), "");
    }

    #[test]
    fn each_problem_of_tls_names_the_flags_that_help() {
        let address = "tcp://host:1234";
        for (problem, flag) in [
            (ConnectProblem::TlsRequired, "--tlscacert"),
            (ConnectProblem::TlsNotSpoken, "leave out the TLS options"),
            (ConnectProblem::ClientCertificateRequired, "--tlscert"),
        ] {
            let advice = advice(address, problem);
            assert!(advice.contains(flag), "{advice}");
        }
    }

    #[test]
    fn of_several_addresses_the_one_that_exists_tells_more() {
        let attempt = |address: &str, problem| (Address::parse(address).unwrap(), problem);
        let missing = attempt("unix:///run/b.sock", no_socket());
        let denied = attempt(
            "docker:///run/d.sock",
            ConnectProblem::PermissionDenied {
                path: "/run/d.sock".into(),
            },
        );
        let error = Error::NotFound {
            attempts: vec![missing, denied],
        };
        assert!(error.advice().unwrap().contains("ls -l /run/d.sock"));
        let error = Error::NotFound {
            attempts: vec![attempt("unix:///run/b.sock", no_socket())],
        };
        assert!(error.advice().unwrap().starts_with("start buildkitd"));
    }
}
