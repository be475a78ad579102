//! Errors of credentials, tokens and registries. No variant holds a secret. Names from a
//! configuration can be any text, so they are shown in one line.

use std::path::PathBuf;

use thiserror::Error;

use super::problem::{CertificateProblem, ContentProblem};
use super::refusal::{Refusal, Via};
use crate::oci::Digest;
use crate::task::Panicked;
use crate::text::one_line;

/// An error of this module.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Docker's configuration file could not be read.
    #[error("cannot read {}", path.display())]
    ReadConfig {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The configuration is malformed JSON.
    #[error("{place} is not a docker configuration (line {line}, column {column})")]
    ParseConfig {
        /// The file, or `DOCKER_AUTH_CONFIG`.
        place: String,
        /// The line, from 1.
        line: usize,
        /// The column in the line, from 1.
        column: usize,
    },
    /// A [`CredentialProvider`](super::CredentialProvider) failed.
    #[error("cannot get the credentials of {registry}")]
    Provider {
        /// The registry.
        registry: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Docker's configuration file could not be written.
    #[error("cannot write {}", path.display())]
    WriteConfig {
        /// The file, or its folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Another program holds the configuration's lock.
    #[error("another program is changing the configuration in {}", folder.display())]
    ConfigLocked {
        /// The folder.
        folder: PathBuf,
    },
    /// Neither variable is set, so there is no folder for the configuration.
    #[error(
        "there is no folder for the docker configuration: neither DOCKER_CONFIG nor HOME is set"
    )]
    NoFolder,
    /// A task of this program panicked: a bug.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// The `auth` of an entry is missing or is not the base64 of `USER:PASSWORD`.
    #[error(
        "the credentials of {} in {place} are not the base64 of USER:PASSWORD",
        one_line(registry)
    )]
    MalformedAuth {
        /// The entry's key.
        registry: String,
        /// The file, or `DOCKER_AUTH_CONFIG`.
        place: String,
    },
    /// A credential helper is not installed or could not be started.
    #[error(
        "cannot run the credential helper {}, which the docker configuration names for {}",
        one_line(helper),
        one_line(registry)
    )]
    RunHelper {
        /// The program.
        helper: String,
        /// The registry whose credentials were requested.
        registry: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A credential helper failed.
    #[error(
        "the credential helper {} failed for {}: {}",
        one_line(helper),
        one_line(registry),
        one_line(message)
    )]
    HelperFailed {
        /// The program.
        helper: String,
        /// The registry whose credentials were requested.
        registry: String,
        /// The helper's message, or how it ended.
        message: String,
    },
    /// The TLS configuration for token requests could not be created.
    #[error("cannot set up TLS for token requests")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The registry's token server address is not a URL.
    #[error("{registry} names a token server whose address is not a URL")]
    BadRealm {
        /// The registry.
        registry: String,
    },
    /// A registry redirects from TLS to plain HTTP, which is not allowed for it.
    #[error("{registry} leads to {host} over plain HTTP, which is not allowed for it")]
    Downgrade {
        /// The registry.
        registry: String,
        /// The host of the plain HTTP address: a redirect's target, an upload location or a token
        /// server.
        host: String,
    },
    /// A token server redirects a request with credentials to another host.
    #[error("{server} redirects to {host}, which does not get the credentials for {registry}")]
    TokenRedirect {
        /// The registry.
        registry: String,
        /// The token server's host.
        server: String,
        /// The other host.
        host: String,
    },
    /// The token server could not be reached, or the connection broke.
    #[error("cannot get a token for {registry} from {server}{proxy}")]
    TokenServer {
        /// The registry.
        registry: String,
        /// The token server's host.
        server: String,
        /// The proxy that the request went through.
        proxy: Via,
        /// The cause.
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
        /// The requested scopes, such as `repository:library/alpine:pull`.
        scopes: Vec<String>,
        /// The HTTP status.
        status: http::StatusCode,
        /// The server's message after a colon; empty if there was none.
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
    /// The registry could not be reached, or the connection broke.
    #[error("cannot reach the registry {registry}{proxy}")]
    Unreachable {
        /// The registry.
        registry: String,
        /// The proxy that the request went through.
        proxy: Via,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// The registry refused a read or write of a repository's content.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The registry started an upload but did not send a location for the bytes.
    #[error("{registry} answers {status} to the beginning of an upload, without a Location")]
    NoLocation {
        /// The registry.
        registry: String,
        /// The status of the answer.
        status: http::StatusCode,
    },
    /// The image has a schema 1 manifest, the format of Docker before 1.10.
    #[error("{reference} has a manifest of schema 1, which is not supported: push the image again")]
    SchemaOne {
        /// The image.
        reference: String,
    },
    /// An answer or a file exceeds the limit.
    #[error("{of} is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The name of the content.
        of: String,
        /// The limit in bytes.
        limit: u64,
    },
    /// The answer is a web page, so the host is not a registry.
    #[error("{host} answers with a web page ({status}): it is not a registry")]
    NotARegistry {
        /// The host.
        host: String,
        /// The status of the answer.
        status: http::StatusCode,
    },
    /// The registry refused the login.
    #[error("{registry} does not let this user in: {status}{message}")]
    LoginRefused {
        /// The registry.
        registry: String,
        /// The HTTP status.
        status: http::StatusCode,
        /// The registry's message after a colon; empty if there was none.
        message: String,
    },
    /// The registry stopped responding.
    #[error("{registry} did not answer within {seconds} s{proxy}")]
    Silent {
        /// The registry.
        registry: String,
        /// The proxy that the request went through.
        proxy: Via,
        /// The timeout in seconds.
        seconds: u64,
    },
    /// The registry redirects too many times.
    #[error("{registry} redirects in a circle")]
    Redirects {
        /// The registry.
        registry: String,
    },
    /// The registry's name does not form a valid address.
    #[error("{registry} is not the address of a registry")]
    BadAddress {
        /// The registry.
        registry: String,
    },
    /// A folder or file of certificates could not be read.
    #[error("cannot read {}", path.display())]
    ReadCertificates {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A file contains no valid certificate or key.
    #[error("cannot use {}: {reason}", path.display())]
    BadCertificates {
        /// The file.
        path: PathBuf,
        /// The fault of the file.
        reason: CertificateProblem,
    },
    /// The bytes do not match the digest.
    #[error("the bytes of {of} have the digest {actual}, not {expected}")]
    DigestMismatch {
        /// The name of the content.
        of: String,
        /// The requested digest.
        expected: Digest,
        /// The digest of the received bytes.
        actual: Digest,
    },
    /// The size does not match.
    #[error("{of} has {actual} bytes and not {expected}")]
    SizeMismatch {
        /// The name of the content.
        of: String,
        /// The expected size in bytes.
        expected: u64,
        /// The number of bytes read before the mismatch was detected.
        actual: u64,
    },
    /// A file to push could not be read.
    #[error("cannot read {}", path.display())]
    ReadSource {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The source of a push broke off. Its own error is reported in place of this one.
    #[error("the source of the blob broke off")]
    BrokenSource,
    /// An answer without a length ended too early.
    #[error("the registry's answer for {of} broke off")]
    CutOff {
        /// The name of the content.
        of: String,
    },
    /// The registry's content is not what was requested.
    #[error("the registry's answer for {reference} cannot be used: {reason}")]
    BadContent {
        /// The image.
        reference: String,
        /// The fault of the content.
        reason: ContentProblem,
    },
    /// The image does not have the requested platform.
    #[error("{reference} has no image for {platform}; it has {}", available.join(", "))]
    NotForPlatform {
        /// The image.
        reference: String,
        /// The requested platform.
        platform: String,
        /// The existing platforms.
        available: Vec<String>,
    },
}
