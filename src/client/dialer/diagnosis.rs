//! Explains why a connection failed: from the error, or by dialling again and listening.

use std::time::Duration;

use tonic::{Code, Status};

use super::{Dialer, Way, prepare};
use crate::client::{
    ConnectProblem, Endpoint, Failure, TlsOptions,
    error::root,
    tls,
    transport::{self, Deadline, Speech},
};

impl Dialer {
    /// A better explanation of the problem, if there is one.
    pub(super) async fn explained(&self, way: Way, problem: ConnectProblem) -> ConnectProblem {
        match (self.address.endpoint(), way, problem) {
            (Endpoint::Process(process), _, ConnectProblem::Closed { source }) => {
                let closed = source.as_ref().map(ToString::to_string);
                match self.last_end.take().or(closed) {
                    Some(reason) => ConnectProblem::Program {
                        program: process.program(),
                        reason,
                    },
                    None => ConnectProblem::Closed { source },
                }
            }
            (Endpoint::Process(_), _, problem) | (_, Way::Exec, problem) => problem,
            (_, _, problem) => self.diagnose().await.unwrap_or(problem),
        }
    }

    /// Explains a failure of the first call.
    pub(super) fn refusal(&self, way: Way, status: Status) -> ConnectProblem {
        if let Some(source) = std::error::Error::source(&status) {
            let client_certificate = self.tls.as_ref().is_some_and(|tls| tls.client_certificate);
            return match tls::problem(source, client_certificate) {
                Some(problem) => problem,
                None => ConnectProblem::Closed {
                    source: Some(root(&status)),
                },
            };
        }
        match (status.code(), way) {
            (Code::Unimplemented, Way::Upgrade) => ConnectProblem::EngineWithoutBuildkit {
                answer: status.message().to_owned(),
            },
            (Code::Unimplemented, Way::PriorKnowledge | Way::Exec)
                if !status.message().contains("HTTP status") =>
            {
                let answer = format!("a gRPC server says {:?}", status.message());
                ConnectProblem::NotBuildkit { answer }
            }
            (
                Code::Unimplemented | Code::Unknown | Code::Internal,
                Way::PriorKnowledge | Way::Exec,
            ) => ConnectProblem::NotBuildkit {
                answer: "it speaks HTTP/2, but not gRPC".to_owned(),
            },
            _ => ConnectProblem::Refusal {
                source: Box::new(Failure::from_status(status)),
            },
        }
    }

    /// Dials again to find out what the server speaks.
    async fn diagnose(&self) -> Option<ConnectProblem> {
        let deadline = Deadline::new(Duration::from_secs(1));
        let endpoint = self.address.endpoint();
        let open = || transport::open(&endpoint, self.tls.as_ref(), deadline);
        if let Some(tls) = &self.tls {
            // A server rejects the client's certificate after the handshake and closes the
            // connection. Only a client that reads before it writes sees the alert.
            let problem = transport::hear_alert(open().await.ok()?, tls.client_certificate).await;
            if problem.is_some() {
                return problem;
            }
        }
        match transport::listen(open().await.ok()?).await {
            Speech::Tls if self.tls.is_none() => Some(ConnectProblem::TlsRequired),
            Speech::Http1(answer) => Some(ConnectProblem::WebServer { answer }),
            Speech::Other(answer) => Some(begins_with(&answer)),
            // Go's TLS servers silently close the connection if the client does not use TLS.
            Speech::Silence if self.tls.is_none() && self.speaks_tls(deadline).await => {
                Some(ConnectProblem::TlsRequired)
            }
            _ => None,
        }
    }

    async fn speaks_tls(&self, deadline: Deadline) -> bool {
        let Ok(tls) = prepare(TlsOptions::default(), &self.address).await else {
            return false;
        };
        let opened = transport::open(&self.address.endpoint(), Some(&tls), deadline).await;
        use ConnectProblem::{ClientCertificateRequired, ServerCertificate};
        matches!(
            opened,
            Ok(_) | Err(ServerCertificate { .. } | ClientCertificateRequired)
        )
    }
}

pub(super) fn begins_with(answer: &str) -> ConnectProblem {
    ConnectProblem::NotBuildkit {
        answer: format!("it begins with {answer:?}"),
    }
}
