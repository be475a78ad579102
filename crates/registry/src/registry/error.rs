//! What can go wrong with credentials, tokens and registries. No variant ever holds a secret.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::oci::Digest;
use crate::task::Panicked;

/// An error of this module.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Docker's configuration file cannot be read.
    #[error("cannot read {}", path.display())]
    ReadConfig {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The configuration is not the JSON that it should be.
    #[error("{place} is not a docker configuration (line {line}, column {column})")]
    ParseConfig {
        /// The file, or `DOCKER_AUTH_CONFIG`.
        place: String,
        /// The line, from 1.
        line: usize,
        /// The column in the line, from 1.
        column: usize,
    },
    /// Docker's configuration file cannot be written.
    #[error("cannot write {}", path.display())]
    WriteConfig {
        /// The file, or its folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Another program holds the lock of the configuration.
    #[error("another program is changing the configuration in {}", folder.display())]
    ConfigLocked {
        /// The folder.
        folder: PathBuf,
    },
    /// There is no folder for the configuration.
    #[error(
        "there is no folder for the docker configuration: neither DOCKER_CONFIG nor HOME is set"
    )]
    NoFolder,
    /// A task of this program panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// The `auth` of an entry is not the base64 of `USER:PASSWORD`, or is missing where it has to be.
    #[error("the credentials of {registry} in {place} are not the base64 of USER:PASSWORD")]
    MalformedAuth {
        /// The entry's key.
        registry: String,
        /// The file, or `DOCKER_AUTH_CONFIG`.
        place: String,
    },
    /// A credential helper is not installed, or could not be started.
    #[error(
        "cannot run the credential helper {helper}, which the docker configuration names for {registry}"
    )]
    RunHelper {
        /// The program.
        helper: String,
        /// Whose credentials were asked for.
        registry: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A credential helper failed.
    #[error("the credential helper {helper} failed for {registry}: {message}")]
    HelperFailed {
        /// The program.
        helper: String,
        /// Whose credentials were asked for.
        registry: String,
        /// What it said, or how it ended.
        message: String,
    },
    /// The TLS configuration for token requests could not be made.
    #[error("cannot set up TLS for token requests")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The registry names an address for tokens that is no URL.
    #[error("{registry} names a token server whose address is not a URL")]
    BadRealm {
        /// The registry.
        registry: String,
    },
    /// A registry leads from TLS to plain HTTP, which was not allowed for it.
    #[error("{registry} leads to {host} over plain HTTP, which is not allowed for it")]
    Downgrade {
        /// The registry.
        registry: String,
        /// Where it leads: a redirect's target, the place of an upload, a token server.
        host: String,
    },
    /// A token server passes a request with credentials on to another host.
    #[error("{server} redirects to {host}, which is not told the credentials for {registry}")]
    TokenRedirect {
        /// The registry.
        registry: String,
        /// The token server's host.
        server: String,
        /// The other host.
        host: String,
    },
    /// The token server could not be reached, or broke off.
    #[error("cannot get a token for {registry} from {server}{proxy}")]
    TokenServer {
        /// The registry.
        registry: String,
        /// The token server's host.
        server: String,
        /// The proxy in between.
        proxy: Via,
        /// What happened.
        #[source]
        source: reqwest::Error,
    },
    /// The token server refused.
    #[error("{server} refused a token for {registry} ({}): {status}{message}", scopes.join(" "))]
    TokenRefused {
        /// The registry.
        registry: String,
        /// The token server's host.
        server: String,
        /// What was asked for, such as `repository:library/alpine:pull`.
        scopes: Vec<String>,
        /// The HTTP status.
        status: http::StatusCode,
        /// What the server said, behind a colon; empty when it said nothing.
        message: String,
    },
    /// The token server's answer has no token.
    #[error("the answer of {server} holds no token for {registry}")]
    NoToken {
        /// The registry.
        registry: String,
        /// The token server's host.
        server: String,
    },
    /// The registry could not be reached, or broke off.
    #[error("cannot reach the registry {registry}{proxy}")]
    Unreachable {
        /// The registry.
        registry: String,
        /// The proxy in between.
        proxy: Via,
        /// What happened.
        #[source]
        source: reqwest::Error,
    },
    /// The registry refused to give or to take something of a repository.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The registry began an upload and did not say where to send the bytes.
    #[error("{registry} answers {status} to the beginning of an upload, without a Location")]
    NoLocation {
        /// The registry.
        registry: String,
        /// The status of the answer.
        status: http::StatusCode,
    },
    /// The image has a manifest of schema 1, the form of Docker before 1.10.
    #[error("{reference} has a manifest of schema 1, which is not supported: push the image again")]
    SchemaOne {
        /// The image.
        reference: String,
    },
    /// An answer or a file is larger than anything of its kind.
    #[error("{of} is larger than the limit of {limit} bytes")]
    TooLarge {
        /// What was read.
        of: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// What answers is no registry, but a web page.
    #[error("{host} answers with a web page ({status}): it is not a registry")]
    NotARegistry {
        /// The host.
        host: String,
        /// The status of the answer.
        status: http::StatusCode,
    },
    /// The registry does not let this user in.
    #[error("{registry} does not let this user in: {status}{message}")]
    LoginRefused {
        /// The registry.
        registry: String,
        /// The HTTP status.
        status: http::StatusCode,
        /// What the registry said, behind a colon; empty when it said nothing.
        message: String,
    },
    /// The registry does not go on.
    #[error("{registry} did not answer within {seconds} s{proxy}")]
    Silent {
        /// The registry.
        registry: String,
        /// The proxy in between.
        proxy: Via,
        /// How long it had.
        seconds: u64,
    },
    /// The registry redirects again and again.
    #[error("{registry} redirects in a circle")]
    Redirects {
        /// The registry.
        registry: String,
    },
    /// The registry's name makes no address.
    #[error("{registry} is not the address of a registry")]
    BadAddress {
        /// The registry.
        registry: String,
    },
    /// A folder or file of certificates cannot be read.
    #[error("cannot read {}", path.display())]
    ReadCertificates {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file holds no certificate or key.
    #[error("cannot use {}: {reason}", path.display())]
    BadCertificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Bytes have another digest than they are named with.
    #[error("the bytes of {of} have the digest {actual}, not {expected}")]
    DigestMismatch {
        /// What was read or written.
        of: String,
        /// The digest that was asked for.
        expected: Digest,
        /// The digest of the bytes.
        actual: Digest,
    },
    /// There are more or fewer bytes than there should be.
    #[error("{of} has {actual} bytes and not {expected}")]
    SizeMismatch {
        /// What was read or written.
        of: String,
        /// The size in bytes that it should have.
        expected: u64,
        /// How many bytes there were until it was clear.
        actual: u64,
    },
    /// A file that is to be pushed cannot be read.
    #[error("cannot read {}", path.display())]
    ReadSource {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// What is to be pushed broke off; the cause is reported in place of this.
    #[error("the source of the blob broke off")]
    BrokenSource,
    /// An answer without a length ended early.
    #[error("the registry's answer for {of} broke off")]
    CutOff {
        /// What was read.
        of: String,
    },
    /// The registry gave something else than what was asked for.
    #[error("the registry's answer for {reference} cannot be used: {reason}")]
    BadContent {
        /// The image.
        reference: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The image has other platforms.
    #[error("{reference} has no image for {platform}; it has {}", available.join(", "))]
    NotForPlatform {
        /// The image.
        reference: String,
        /// What was asked for.
        platform: String,
        /// What there is.
        available: Vec<String>,
    },
}

/// What a registry does not do, and why.
#[derive(Debug, Clone, Error)]
#[error(
    "{registry} does not {verb} {what} of {repository}{}: {status}{message}",
    in_parentheses(scopes)
)]
#[non_exhaustive]
pub struct Refusal {
    /// The registry.
    pub registry: String,
    /// What it does not do: `give`, `take`.
    pub verb: &'static str,
    /// The repository, without registry.
    pub repository: String,
    /// A tag, a digest.
    pub what: String,
    /// What one would have to be allowed, such as `repository:library/alpine:pull`, when that is why.
    pub scopes: Vec<String>,
    /// The HTTP status.
    pub status: http::StatusCode,
    /// What the registry said, behind a colon; empty when it said nothing.
    pub message: String,
    /// How long it wants to be left alone (`Retry-After`).
    pub(super) told_wait: Option<Duration>,
    /// True if it is a registry's own word that access is denied, and not that of a gateway.
    pub(super) says_denied: bool,
}

/// The proxy that a request went through: ` through the proxy HOST:PORT`, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Via(pub(super) Option<String>);

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(proxy) => write!(f, " through the proxy {proxy}"),
            None => Ok(()),
        }
    }
}

fn in_parentheses(scopes: &[String]) -> String {
    match scopes.is_empty() {
        true => String::new(),
        false => format!(" ({})", scopes.join(" ")),
    }
}
