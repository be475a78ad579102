//! The distribution API: manifests and blobs of registries, with credentials and tokens.
//!
//! [`Client`] reads and writes; [`Images`] resolves base images for builds.

mod access;
mod aliases;
mod answer;
mod authorities;
mod authorize;
mod challenge;
mod client;
mod config;
mod config_file;
mod credentials;
mod download;
mod edit;
mod error;
mod failure_kind;
mod helper;
mod hosts;
mod images;
mod keys;
mod login;
mod logins;
mod manage;
mod manifest_type;
mod message;
mod options;
mod origin;
mod ping;
mod problem;
mod proxy;
mod refusal;
mod remote;
mod retry;
mod secret;
mod sending;
mod store;
#[cfg(test)]
mod test_server;
mod tls;
mod token;
mod trusted_leaf;
mod upload;
mod verify;
mod waits;

#[doc(hidden)]
pub use authorities::system_roots;
pub use challenge::Challenge;
pub use client::{Client, Fetched};
pub use credentials::{Credential, CredentialProvider, Credentials, Provided};
pub use download::BlobStream;
pub use error::Error;
pub use failure_kind::FailureKind;
pub use images::{FoundImage, Images};
pub use keys::{login_key, registry_of_key};
pub use logins::Logins;
pub use options::{ClientOptions, HostCertificates, Notifier, Pem};
pub use ping::Pong;
pub use problem::{CertificateProblem, ContentProblem};
pub use proxy::Proxies;
pub use refusal::{Refusal, RefusedAction, Via};
pub use retry::RetryPolicy;
pub use secret::Secret;
pub use store::Stored;
pub use token::{Token, TokenClient, TokenRequest};
pub use upload::{BlobSource, Progress, Pushed};
pub use verify::check;
