//! A daemon's pod, and what became of it when its connection was lost.

use std::fmt;

use crate::text::{one_line, redact_url};

/// A pod with a daemon. Shown as `the pod b0-1 (namespace ci, context prod)`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its namespace; `None` for that of the kubeconfig's context.
    pub namespace: Option<String>,
    /// The context of the kubeconfig; `None` for the current one.
    pub context: Option<String>,
}

impl Pod {
    /// Describes the loss of the pod: `the pod b0-1 was lost: it is deleted`.
    pub fn loss(&self, end: &PodEnd) -> String {
        let name = &self.name;
        match end {
            PodEnd::Unknown => format!("the connection to the pod {name} was lost"),
            PodEnd::Deleted => format!("the pod {name} was lost: it is deleted"),
            PodEnd::OutOfMemory { limit: Some(limit) } => format!(
                "the pod {name} was lost: it took more memory than its limit of {limit} (OOMKilled)"
            ),
            PodEnd::OutOfMemory { limit: None } => {
                format!("the pod {name} was lost: it took more memory than it may (OOMKilled)")
            }
            PodEnd::Ended { state } => format!("the pod {name} was lost: {state}"),
            PodEnd::ClusterAway { server } => {
                format!("the connection to the pod {name} was lost: {server} does not answer")
            }
        }
    }
}

impl fmt::Display for Pod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the pod {}", self.name)?;
        let namespace = self.namespace.iter().map(|name| ("namespace", name));
        let context = self.context.iter().map(|name| ("context", name));
        let places = namespace.chain(context);
        let places: Vec<String> = places
            .map(|(kind, name)| format!("{kind} {}", one_line(name)))
            .collect();
        match places.is_empty() {
            true => Ok(()),
            false => write!(f, " ({})", places.join(", ")),
        }
    }
}

/// What became of a pod whose connection was lost, according to its cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PodEnd {
    /// The cluster was not asked, or says that the pod still runs.
    Unknown,
    /// The pod is gone, or is being deleted.
    Deleted,
    /// Its container was ended, because it took more memory than it may.
    OutOfMemory {
        /// The limit of its container: `200Mi`; `None` if it has none.
        limit: Option<String>,
    },
    /// Its container ended, or the cluster ended the pod.
    Ended {
        /// The end, in the cluster's words: `buildkitd ended with 1 (Error, started again 1 time)`.
        state: String,
    },
    /// The cluster does not answer, so the pod may still run.
    ClusterAway {
        /// The server that does not answer.
        server: ApiServer,
    },
}

/// The server of a cluster's API. Shown as `the API server https://10.0.0.1:6443 of the context
/// prod`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiServer {
    /// Its URL; `None` if the kubeconfig has none.
    pub url: Option<String>,
    /// The context of the kubeconfig; `None` if it has none.
    pub context: Option<String>,
}

impl ApiServer {
    /// Creates a server from the values of a kubeconfig.
    pub(crate) fn new(url: Option<String>, context: Option<String>) -> Self {
        Self { url, context }
    }
}

impl fmt::Display for ApiServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the API server")?;
        if let Some(url) = &self.url {
            write!(f, " {}", one_line(&redact_url(url)))?;
        }
        match &self.context {
            Some(context) => write!(f, " of the context {}", one_line(context)),
            None => f.write_str(" of the cluster"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_shown_with_its_places() {
        let pod = |namespace: Option<&str>, context: Option<&str>| Pod {
            name: "b0-1".to_owned(),
            namespace: namespace.map(str::to_owned),
            context: context.map(str::to_owned),
        };
        assert_eq!(pod(None, None).to_string(), "the pod b0-1");
        assert_eq!(
            pod(Some("ci"), Some("prod")).to_string(),
            "the pod b0-1 (namespace ci, context prod)"
        );
    }

    #[test]
    fn a_server_is_shown_without_the_password_in_its_url() {
        let url = "https://me:hunter2@10.0.0.1:6443".to_owned();
        let server = ApiServer::new(Some(url), Some("prod".to_owned()));
        assert_eq!(
            server.to_string(),
            "the API server https://xxxxx@10.0.0.1:6443 of the context prod"
        );
        assert_eq!(
            ApiServer::default().to_string(),
            "the API server of the cluster"
        );
    }
}
