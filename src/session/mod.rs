//! The services that the daemon calls during a build: files, credentials, health.
//!
//! A [`Session`] is a gRPC server that the client runs and the daemon calls, over a byte stream
//! that the client opened (Control.Session, see [`Tunnel`]). One session serves all platforms of a
//! build.

mod auth;
mod content;
mod error;
mod exports;
mod filesync;
mod fsutil;
mod granted;
mod health;
pub(crate) mod policy;
mod routes;
mod secrets;
mod server;
mod shared_key;
mod ssh;
mod stream;
mod tasks;
mod tunnel;
mod upload;

pub use crate::ignore::{MatchState, PatternError, PatternMatcher, Rule};
pub use auth::Auth;
pub use content::ContentStores;
pub(crate) use content::Elsewhere;
pub use error::Error;
pub(crate) use exports::ExportedFile;
#[cfg(fuzzing)]
pub use exports::receive_all;
pub use exports::{BrokenFolders, Exports};
#[cfg(fuzzing)]
pub use filesync::list_all;
pub use filesync::{
    Directories, Selection, SelectionError, Sent, SentFile, Survey, SurveyError, Tally, UnusualName,
};
#[cfg(fuzzing)]
pub use fsutil::read_frames;
pub use policy::{CheckFailure, SourceCheck, Verdict};
pub use secrets::{SecretStore, Secrets};
pub use shared_key::{node_id, shared_key};
#[cfg(fuzzing)]
pub use ssh::answer_agent;
pub use ssh::{KeyError, SshAgents};
pub use tunnel::Tunnel;
pub use upload::Upload;

use routes::Routes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

/// The largest gRPC message in either direction, in bytes, as in BuildKit.
const MESSAGE_LIMIT: usize = 16 << 20;

/// The services that one build offers the daemon. Created by [`Session::builder`].
///
/// ```no_run
/// # async fn example<I>(io: I) -> Result<(), solvekit::session::Error>
/// # where I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static {
/// use solvekit::session::Session;
///
/// let session = Session::builder().shared_key("app:0123456789abcdef").build()?;
/// // The daemon finds the session by its id, so Solve requests name it.
/// println!("{}", session.id());
/// session.serve(io, Default::default()).await
/// # }
/// ```
#[derive(Debug)]
pub struct Session {
    id: String,
    shared_key: String,
    methods: Vec<&'static str>,
    routes: Routes,
}

/// Builds a [`Session`].
#[derive(Debug)]
pub struct SessionBuilder {
    shared_key: String,
    methods: Vec<&'static str>,
    routes: Routes,
}

/// Additions of an embedding program to a session: services of its own, more secrets.
pub trait Attachable: Send + Sync + std::fmt::Debug {
    /// Adds to a session. Called once for each attempt at a build.
    fn attach(&self, session: SessionBuilder) -> SessionBuilder;
}

impl Session {
    /// Starts a session that offers only the health service.
    pub fn builder() -> SessionBuilder {
        let mut routes = Routes::default();
        routes.add(health::service());
        SessionBuilder {
            shared_key: String::new(),
            methods: health::METHODS.to_vec(),
            routes,
        }
    }

    /// Returns the id of the session: 25 letters and digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the metadata for Control.Session: the session's identity and every method that it
    /// serves. Names can repeat; values are printable ASCII.
    pub fn metadata(&self) -> Vec<(&'static str, String)> {
        let mut metadata = vec![
            ("x-docker-expose-session-uuid", self.id.clone()),
            (
                "x-docker-expose-session-sharedkey",
                printable(&self.shared_key),
            ),
        ];
        let methods = self
            .methods
            .iter()
            .map(|&method| ("x-docker-expose-session-grpc-method", method.to_owned()));
        metadata.extend(methods);
        metadata
    }

    /// Serves the daemon's calls until the daemon closes the connection or the token is cancelled.
    /// When this returns, no task of the session is running.
    ///
    /// # Errors
    ///
    /// If the connection breaks, or the peer does not speak HTTP/2.
    pub async fn serve<I>(self, io: I, cancelled: CancellationToken) -> Result<(), Error>
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        server::serve(self.routes, io, &cancelled).await
    }
}

impl SessionBuilder {
    /// Sets the key under which the daemon caches the local directories. The next build with the
    /// same key sends only the changes. With an empty key nothing is reused.
    pub fn shared_key(mut self, key: impl Into<String>) -> Self {
        self.shared_key = key.into();
        self
    }

    /// Lets the daemon read the directories.
    pub fn directories(mut self, directories: Directories) -> Self {
        self.methods.extend(filesync::METHODS);
        self.routes
            .add(stream::Served(filesync::FileSync::new(directories)));
        self
    }

    /// Answers the daemon's requests for registry credentials and tokens.
    pub fn auth(mut self, auth: Auth) -> Self {
        self.methods.extend(auth::METHODS);
        self.routes.add(auth.into_service());
        self
    }

    /// Offers the secrets to the daemon.
    pub fn secrets(mut self, secrets: Secrets) -> Self {
        self.methods.extend(secrets::METHODS);
        self.routes.add(secrets.into_service());
        self
    }

    /// Lets the build use the SSH agents.
    pub fn ssh_agents(mut self, agents: SshAgents) -> Self {
        self.methods.extend(ssh::METHODS);
        self.routes.add(agents.into_service());
        self
    }

    /// Lets the daemon use the OCI image layouts.
    pub fn content(mut self, stores: ContentStores) -> Self {
        self.methods.extend(content::METHODS);
        self.routes.add(stores.into_service());
        self
    }

    /// Answers the daemon's questions about the sources of the build
    /// ([`SolveRequest::source_policy_session`](crate::client::SolveRequest)).
    pub fn source_check(mut self, check: std::sync::Arc<dyn SourceCheck>) -> Self {
        self.methods.extend(policy::METHODS);
        let checks = policy::SourceChecks::new(check);
        self.routes.add(checks.into_service());
        self
    }

    /// Receives the results of the build's exporters.
    pub fn exports(mut self, exports: Exports) -> Self {
        self.methods.extend(exports::METHODS);
        self.routes
            .add(stream::Served(exports::FileSend::new(exports)));
        self
    }

    /// Offers a stream that the daemon can fetch.
    pub fn upload(mut self, upload: Upload) -> Self {
        self.methods.extend(upload::METHODS);
        self.routes.add(stream::Served(upload));
        self
    }

    /// Offers a gRPC service of the program, as generated by tonic. `methods` are its full names,
    /// for example `/my.package.Service/Method`; the daemon only calls the methods in this list.
    ///
    /// Do not add a service that the session already has.
    pub fn service<S>(mut self, methods: &[&'static str], service: S) -> Self
    where
        S: tower::Service<
                http::Request<tonic::body::Body>,
                Response = http::Response<tonic::body::Body>,
                Error = std::convert::Infallible,
            > + tonic::server::NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.methods.extend(methods);
        self.routes.add(service);
        self
    }

    /// Builds the session with a new id.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub fn build(self) -> Result<Session, Error> {
        Ok(Session {
            id: new_id()?,
            shared_key: self.shared_key,
            methods: self.methods,
            routes: self.routes,
        })
    }
}

/// Returns a new id for a build, a session or a group of builds: 128 random bits as 25 characters,
/// like the reference's ids.
///
/// # Errors
/// If the system has no random numbers.
pub fn new_id() -> Result<String, Error> {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    let mut rest = u128::from_le_bytes(bytes);
    let mut id = String::with_capacity(25);
    for _ in 0..25 {
        id.push(char::from(DIGITS[(rest % 36) as usize]));
        rest /= 36;
    }
    Ok(id)
}

/// Percent-encodes everything but printable ASCII: gRPC metadata allows no other characters.
pub(crate) fn printable(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' => out.push(char::from(byte)),
            // Writing to a string does not fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests;
