//! The distribution API: credentials and tokens.

mod config;
mod credentials;
mod error;
mod helper;
mod secret;
mod token;

pub use credentials::{Credential, Credentials};
pub use error::Error;
pub use secret::Secret;
pub use token::{Token, TokenClient, TokenRequest};
