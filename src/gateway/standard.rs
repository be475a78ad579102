//! The bridge of a frontend that BuildKit runs as a process: gRPC over the standard streams,
//! settings in the environment.

use std::collections::BTreeMap;
use std::io;

use serde::Deserialize;
use solvekit_host::standard::{self, Connected};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Bridge, Error};
use crate::client::{Version, Worker, channel_over};
use crate::oci::Platform;

/// The environment variables that BuildKit sets for a frontend.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FrontendEnvironment {
    /// The attributes of the build (`BUILDKIT_FRONTEND_OPT_<n>`).
    pub options: BTreeMap<String, String>,
    /// The session of the client (`BUILDKIT_SESSION_ID`).
    pub session_id: String,
    /// The daemon's workers (`BUILDKIT_WORKERS`).
    pub workers: Vec<Worker>,
    /// The product that runs the frontend (`BUILDKIT_EXPORTEDPRODUCT`), usually `buildkit`.
    pub product: String,
}

impl FrontendEnvironment {
    /// Parses environment variables. Returns `None` if none of BuildKit's is set: BuildKit did not
    /// start the process then.
    ///
    /// ```
    /// use solvekit::gateway::FrontendEnvironment;
    ///
    /// let variables =
    ///     [("BUILDKIT_SESSION_ID", "s1"), ("BUILDKIT_FRONTEND_OPT_0", "build-arg:A=b=c")];
    /// let environment = FrontendEnvironment::from_vars(variables).expect("there is a session");
    /// assert_eq!(environment.options["build-arg:A"], "b=c");
    /// assert!(FrontendEnvironment::from_vars([("HOME", "/")]).is_none());
    /// ```
    pub fn from_vars<K: AsRef<str>, V: AsRef<str>>(
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Option<Self> {
        let mut found = Self::default();
        let mut any = false;
        for (name, value) in variables {
            let value = value.as_ref();
            let Some(name) = name.as_ref().strip_prefix("BUILDKIT_") else {
                continue;
            };
            any |= ["SESSION_ID", "EXPORTEDPRODUCT", "WORKERS"].contains(&name);
            match name {
                "SESSION_ID" => value.clone_into(&mut found.session_id),
                "EXPORTEDPRODUCT" => value.clone_into(&mut found.product),
                // If this is malformed, the daemon's answer to a call is used.
                "WORKERS" => found.workers = workers(value).unwrap_or_default(),
                _ if name.starts_with("FRONTEND_OPT_") => {
                    any = true;
                    let (key, value) = value.split_once('=').unwrap_or((value, ""));
                    found.options.insert(key.to_owned(), value.to_owned());
                }
                _ => {}
            }
        }
        any.then_some(found)
    }
}

/// The reference's `client.WorkerInfo` as JSON.
#[derive(Deserialize)]
struct WorkerJson {
    #[serde(default)]
    id: String,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    platforms: Option<Vec<Platform>>,
    #[serde(default, rename = "buildkitVersion")]
    version: Option<VersionJson>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct VersionJson {
    package: String,
    version: String,
    revision: String,
    dockerfile_version: String,
}

fn workers(json: &str) -> serde_json::Result<Vec<Worker>> {
    let found: Vec<WorkerJson> = serde_json::from_str(json)?;
    let worker = |found: WorkerJson| Worker {
        id: found.id,
        labels: found.labels.unwrap_or_default(),
        platforms: found.platforms.unwrap_or_default(),
        version: found.version.map(|version| Version {
            package: version.package,
            version: version.version,
            revision: version.revision,
            dockerfile_version: version.dockerfile_version,
        }),
        ..Worker::default()
    };
    Ok(found.into_iter().map(worker).collect())
}

impl Bridge {
    /// Opens the bridge on a stream on which the daemon serves gRPC, as it does for its frontends.
    ///
    /// # Errors
    /// [`Error::Client`] if nothing answers.
    pub async fn over(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> Result<Self, Error> {
        Self::greet(channel_over(stream), None).await
    }

    /// Opens the bridge on this process's standard input and output. Nothing else may use them
    /// afterwards.
    ///
    /// # Errors
    /// [`Error::StandardStreams`] if they are neither pipes nor sockets; [`Error::Client`] if
    /// nothing answers.
    pub async fn stdio() -> Result<Self, Error> {
        let input = accepted(standard::input(), "input")?;
        let output = accepted(standard::output(), "output")?;
        let wrong = |source| Error::StandardStreams {
            which: "input and output",
            source,
        };
        match (input, output) {
            (Connected::Pipe, Connected::Pipe) => {
                let (input, output) = standard::pipes().map_err(wrong)?;
                Self::over(tokio::io::join(input, output)).await
            }
            // A blocking thread reads; it ends with the process.
            _ => Self::over(tokio::io::join(tokio::io::stdin(), tokio::io::stdout())).await,
        }
    }
}

/// The daemon connects a pipe or a socket; anything else is an error.
fn accepted(found: io::Result<Connected>, which: &'static str) -> Result<Connected, Error> {
    match found {
        Ok(kind @ (Connected::Pipe | Connected::Socket)) => Ok(kind),
        Ok(Connected::Other) => Err(Error::StandardStreams {
            which,
            source: io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is neither a pipe nor a socket",
            ),
        }),
        Err(source) => Err(Error::StandardStreams { which, source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_read() {
        let workers = r#"[{"id":"w","labels":{"a":"b"},"platforms":[{"architecture":"amd64","os":"linux"}],"gcPolicy":null,
            "buildkitVersion":{"package":"p","version":"v0.32.2","revision":"r"},"cdiDevices":null}]"#;
        let found = FrontendEnvironment::from_vars([
            ("HOME", "/"),
            ("BUILDKIT_SESSION_ID", "s"),
            ("BUILDKIT_EXPORTEDPRODUCT", "buildkit"),
            ("BUILDKIT_WORKERS", workers),
            ("BUILDKIT_FRONTEND_OPT_7", "build-arg:X=a=b"),
            ("BUILDKIT_FRONTEND_OPT_0", "no-cache="),
        ])
        .unwrap();
        assert_eq!(found.options["build-arg:X"], "a=b");
        assert_eq!(found.options["no-cache"], "");
        assert_eq!(
            (found.session_id.as_str(), found.product.as_str()),
            ("s", "buildkit")
        );
        assert_eq!(found.workers[0].platforms[0].to_string(), "linux/amd64");
        assert_eq!(
            found.workers[0].version.as_ref().unwrap().version,
            "v0.32.2"
        );
    }

    #[test]
    fn a_shell_is_not_buildkit() {
        assert_eq!(
            FrontendEnvironment::from_vars([("BUILDKIT_HOST", "unix:///x")]),
            None
        );
        let odd = FrontendEnvironment::from_vars([("BUILDKIT_WORKERS", "{")]).unwrap();
        assert!(odd.workers.is_empty());
    }
}
