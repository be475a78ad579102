//! The distribution API: manifests and blobs of registries, with the credentials and tokens that they ask for.
//!
//! [`Client`] reads and writes; [`Images`] answers the one question of builds, what a base image is.

mod access;
mod answer;
mod challenge;
mod client;
mod config;
mod config_file;
mod credentials;
mod download;
mod edit;
mod error;
mod helper;
mod hosts;
mod images;
mod keys;
mod login;
mod options;
mod patience;
mod remote;
mod secret;
mod store;
mod tls;
mod token;
mod upload;
mod verify;

pub use client::{Client, Fetched};
pub use credentials::{Credential, Credentials};
pub use download::BlobStream;
pub use error::{Error, Refusal};
pub use images::{FoundImage, Images};
pub use keys::{login_key, registry_of_key};
pub use options::{ClientOptions, Notifier};
pub use secret::Secret;
pub use store::Stored;
pub use token::{Token, TokenClient, TokenRequest};
pub use upload::{BlobSource, Progress, Pushed};
pub use verify::check;
