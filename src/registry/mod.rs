//! The distribution API: credentials, tokens, and what a reference points to.

mod config;
mod credentials;
mod error;
mod helper;
mod images;
mod remote;
mod secret;
mod token;

pub use credentials::{Credential, Credentials};
pub use error::Error;
pub use images::{FoundImage, Images};
pub use secret::Secret;
pub use token::{Token, TokenClient, TokenRequest};
