//! The distribution API: credentials, tokens, and what a reference points to.

mod config;
mod config_file;
mod credentials;
mod edit;
mod error;
mod helper;
mod images;
mod keys;
mod remote;
mod secret;
mod store;
mod token;

pub use credentials::{Credential, Credentials};
pub use error::Error;
pub use images::{FoundImage, Images};
pub use keys::{login_key, registry_of_key};
pub use secret::Secret;
pub use store::Stored;
pub use token::{Token, TokenClient, TokenRequest};
